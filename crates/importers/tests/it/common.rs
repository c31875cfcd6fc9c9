//! Files to import, and what comes of them.

use std::path::{Path, PathBuf};

use sureness_hint::Hint;
use sureness_importers::{ImportError, Imported, Imports, Options, import};

/// A file that belongs to the tests.
pub(crate) fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

/// A folder for one test.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file and gives its path.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }
}

/// Imports a path as it is.
pub(crate) fn imported(path: &Path) -> Vec<Imported> {
    with(path, &Options::default())
}

pub(crate) fn with(path: &Path, options: &Options) -> Vec<Imported> {
    noted(path, options).groups
}

/// Imports a path, with the notes on files that were left out.
#[track_caller]
pub(crate) fn noted(path: &Path, options: &Options) -> Imports {
    import(&[path.to_owned()], options).unwrap_or_else(|errors| panic!("{}", all(&errors)))
}

/// What is said of a path that cannot be imported, without the folder's name.
#[track_caller]
pub(crate) fn refused(path: &Path, options: &Options) -> String {
    let errors = import(&[path.to_owned()], options).expect_err("was imported");
    assert!(errors.iter().all(|error| !error.hint().is_empty()));
    let folder = if path.is_dir() {
        path
    } else {
        path.parent().unwrap()
    };
    all(&errors).replace(&format!("{}/", folder.display()), "")
}

fn all(errors: &[ImportError]) -> String {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// Options with a model's name.
pub(crate) fn named(model: &str) -> Options {
    Options {
        model: Some(model.to_owned()),
        ..Options::default()
    }
}
