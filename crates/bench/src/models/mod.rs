//! Known models: the catalogue, fetching and checking.

mod catalogue;
mod fetch;
pub(crate) mod open;
mod pip;
mod progress;
mod unpack;

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::error::Failure;
use crate::user_folders;
pub use catalogue::{CATALOGUE, Known, by_name};
pub use fetch::fetch;
pub use progress::Update;

/// The state of a known model's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Present, with the right checksum.
    InPlace,
    /// Missing.
    Absent,
    /// Present, with a wrong size or checksum.
    Damaged,
}

/// The folder of fetched models.
pub fn folder() -> Result<PathBuf, Failure> {
    Ok(user_folders::cache()?.join("models"))
}

/// The path of a model: an existing file, or a known model, which is fetched if missing.
///
/// `progress` receives lines about slow steps.
pub fn ensure(name_or_path: &str, progress: impl Fn(&str)) -> Result<PathBuf, Failure> {
    let path = Path::new(name_or_path);
    if path.is_file() {
        return Ok(path.to_owned());
    }
    if path.is_dir() {
        return Err(
            Failure::new(format_args!("{name_or_path} is a folder, not a model file"))
                .hint("give the .gguf file inside it"),
        );
    }
    let looks_like_a_path = path.components().count() > 1 || path.extension().is_some();
    if looks_like_a_path && by_name(name_or_path).is_err() {
        return Err(
            Failure::new(format_args!("model file {name_or_path} does not exist")).hint(
                format_args!(
                    "check the path, or name a known model: {}",
                    catalogue::names()
                ),
            ),
        );
    }
    let model = by_name(name_or_path)?;
    let folder = folder()?;
    if state(model, &folder)? != State::InPlace {
        let tenths = std::cell::Cell::new(0);
        fetch(model, &folder, None, &|update| match update {
            Update::Step(text) => progress(&text),
            Update::Bytes { done, total } => {
                let tenth = (done * 10 / total.max(1)).min(10);
                if tenth > tenths.replace(tenth) {
                    let done = megabytes(done);
                    progress(&format!("{done} of {} downloaded", megabytes(total)));
                }
            }
        })?;
    }
    Ok(model.path(&folder))
}

/// Checks a known model's file, by its size first and then by its checksum.
pub fn state(model: &Known, folder: &Path) -> Result<State, Failure> {
    let path = model.path(folder);
    let unreadable = |error: std::io::Error| {
        Failure::new(format_args!(
            "{} cannot be read: {error}",
            user_folders::display(&path)
        ))
        .hint("check its permissions, or keep models elsewhere by setting SURENESS_HOME")
    };
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(State::Absent),
        Err(error) => return Err(unreadable(error)),
    };
    let size = file.metadata().map_err(unreadable)?.len();
    if size != model.size || sha256(&mut file).map_err(unreadable)? != model.sha256 {
        return Ok(State::Damaged);
    }
    Ok(State::InPlace)
}

fn sha256(reader: &mut impl Read) -> std::io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(HEXLOWER.encode(&hasher.finalize())),
            read => hasher.update(&buffer[..read]),
        }
    }
}

/// Formats a size in whole decimal megabytes; only 0 bytes are `0 MB`.
pub fn megabytes(bytes: u64) -> String {
    let rounded = (bytes + 500_000) / 1_000_000;
    format!("{} MB", rounded.max(u64::from(bytes > 0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_used_as_it_is_and_anything_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("own.gguf");
        std::fs::write(&file, b"GGUF").unwrap();
        let silent = |_: &str| unreachable!("nothing to fetch");
        assert_eq!(ensure(file.to_str().unwrap(), silent).unwrap(), file);

        let refused = |name: &str| format!("{:?}", ensure(name, silent).unwrap_err());
        assert!(refused(folder.path().to_str().unwrap()).contains("is a folder"));
        assert!(refused("./no/such.gguf").contains("such.gguf does not exist"));
        let unknown = refused("smolm2");
        assert!(
            unknown.contains("smolm2") && unknown.contains("smollm2-135m"),
            "{unknown}"
        );
    }

    #[test]
    fn a_size_is_rounded_but_never_to_nothing() {
        let sizes = [0, 1, 92_871_040, 98_362_432].map(megabytes);
        assert_eq!(sizes, ["0 MB", "1 MB", "93 MB", "98 MB"]);
    }
}
