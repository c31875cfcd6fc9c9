//! The folders that are served. Addresses name them by number, so that no address names a path.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sureness_bench::folder::STORE;

/// Most output folders that one folder may hold; the newest names are taken.
const MOST_IN_ONE: usize = 200;

/// The output folders found so far. A folder keeps its number as long as the server runs.
#[derive(Debug)]
pub(crate) struct Folders {
    roots: Vec<PathBuf>,
    found: Mutex<Vec<PathBuf>>,
}

impl Folders {
    /// The output folders in or at these paths.
    pub(crate) fn new(roots: Vec<PathBuf>) -> Self {
        Self {
            roots,
            found: Mutex::default(),
        }
    }

    /// The paths that were named.
    pub(crate) fn roots(&self) -> &[PathBuf] {
        &self.roots
    }

    /// The output folders that hold a store now, with their numbers.
    pub(crate) fn current(&self) -> Vec<(usize, PathBuf)> {
        let mut now: Vec<PathBuf> = self.roots.iter().flat_map(|root| in_or_at(root)).collect();
        // A folder may be named and lie in another that is named.
        let mut seen = HashSet::new();
        now.retain(|path| seen.insert(path.clone()));
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let number = |path: PathBuf| {
            let at = found.iter().position(|known| *known == path);
            let at = at.unwrap_or_else(|| {
                found.push(path.clone());
                found.len() - 1
            });
            (at, path)
        };
        now.into_iter().map(number).collect()
    }

    /// The folder with this number, if there is one.
    pub(crate) fn get(&self, number: usize) -> Option<PathBuf> {
        let known = |number| {
            let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            found.get(number).cloned()
        };
        known(number).or_else(|| {
            // After a restart, addresses are asked for before any list.
            self.current();
            known(number)
        })
    }
}

/// The path itself if it is or holds a store, otherwise the folders in it that hold one.
fn in_or_at(root: &Path) -> Vec<PathBuf> {
    if root.is_file() || root.join(STORE).is_file() {
        return vec![root.to_owned()];
    }
    let entries = root.read_dir().into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.join(STORE).is_file())
        .collect();
    folders.sort();
    let surplus = folders.len().saturating_sub(MOST_IN_ONE);
    folders.split_off(surplus)
}
