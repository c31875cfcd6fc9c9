//! The user's folders for models and imported questions.
//!
//! They follow the XDG convention. `SURENESS_HOME` replaces them by one folder, for machines with a
//! small home and for tests.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::Failure;

/// The folder for files that can be fetched again: models.
pub fn cache() -> Result<PathBuf, Failure> {
    resolve(&from_environment, "XDG_CACHE_HOME", ".cache")
}

/// The folder for files that cannot: imported questions.
pub fn data() -> Result<PathBuf, Failure> {
    resolve(&from_environment, "XDG_DATA_HOME", ".local/share")
}

/// A path for display, with the home folder as `~`.
pub fn display(path: &Path) -> String {
    let home = std::env::home_dir().filter(|home| home.parent().is_some());
    match home.and_then(|home| path.strip_prefix(home).ok().map(Path::to_owned)) {
        Some(rest) => Path::new("~").join(rest).display().to_string(),
        None => path.display().to_string(),
    }
}

fn from_environment(name: &str) -> Option<OsString> {
    match name {
        "HOME" => std::env::home_dir().map(PathBuf::into_os_string),
        _ => std::env::var_os(name),
    }
}

fn resolve(
    get: &dyn Fn(&str) -> Option<OsString>,
    xdg: &str,
    below_home: &str,
) -> Result<PathBuf, Failure> {
    let folder = |name: &str| {
        get(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(folder) = folder("SURENESS_HOME") {
        // A relative path would change its meaning with the working directory.
        return std::path::absolute(&folder).map_err(|error| {
            Failure::new(format_args!("SURENESS_HOME is not a usable path: {error}"))
        });
    }
    // The convention says to ignore relative paths.
    folder(xdg)
        .filter(|path| path.is_absolute())
        .or_else(|| folder("HOME").map(|home| home.join(below_home)))
        .map(|base| base.join("sureness"))
        .ok_or_else(|| {
            Failure::new("cannot find a home folder for models and data")
                .hint("set SURENESS_HOME to a writable folder")
        })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn cache_with(variables: &[(&str, &str)]) -> Option<String> {
        let get = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let path = resolve(&get, "XDG_CACHE_HOME", ".cache").ok()?;
        Some(path.display().to_string())
    }

    #[test]
    fn the_first_that_is_set_wins() {
        let all = [
            ("SURENESS_HOME", "/s"),
            ("XDG_CACHE_HOME", "/x"),
            ("HOME", "/h"),
        ];
        assert_eq!(cache_with(&all).unwrap(), "/s");
        assert_eq!(cache_with(&all[1..]).unwrap(), "/x/sureness");
        assert_eq!(cache_with(&all[2..]).unwrap(), "/h/.cache/sureness");
        assert_eq!(cache_with(&[]), None);
    }

    #[test]
    fn empty_and_relative_settings_do_not_count() {
        let set = [
            ("SURENESS_HOME", ""),
            ("XDG_CACHE_HOME", "here"),
            ("HOME", "/h"),
        ];
        assert_eq!(cache_with(&set).unwrap(), "/h/.cache/sureness");
    }
}
