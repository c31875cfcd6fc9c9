//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes `content` to `path` in one step, synchronised with the disk.
pub fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    write_whole_with(path, |file| file.write_all(content))
}

/// Lets `write` write a file that takes the place of `path` when it is complete.
///
/// A reader never sees half of it, and after a failure the old file is still in place. Missing
/// folders are created.
pub fn write_whole_with<E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), E>,
) -> Result<(), E> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let new = beside(path);
    let written = write_new(&new, write).and_then(|()| Ok(fs::rename(&new, path)?));
    if written.is_err() {
        // The reason for the failure is what matters; the rest of the file may not even be there.
        let _ = fs::remove_file(&new);
    }
    written
}

fn write_new<E: From<io::Error>>(
    new: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), E>,
) -> Result<(), E> {
    let mut file = BufWriter::new(File::create(new)?);
    write(&mut file)?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    Ok(())
}

/// A name in the same folder, so that it can be renamed; of this process alone.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    path.with_file_name(name)
}
