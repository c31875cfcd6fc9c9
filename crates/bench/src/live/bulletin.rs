//! What a run under way tells beside its answers: a file in the output folder while it goes on.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use sureness_analysis::settled::Settled;
use sureness_report::export::write_whole;

/// The file's name. A run that is killed leaves it behind, and the next one replaces it.
const FILE: &str = "live.json";

/// What a run under way tells.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Bulletin {
    /// What is settled so far, of a run that asks until something is.
    #[serde(default)]
    pub settled: Option<Settled>,
    /// The workers on other machines.
    #[serde(default)]
    pub workers: Vec<Worker>,
}

/// A worker on another machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Worker {
    /// Its name.
    pub name: String,
    /// Its model.
    pub model: String,
    /// Answers per second lately.
    pub per_second: f64,
    /// Questions that it has answered since its start.
    pub answered: u64,
    /// Questions that it has failed.
    pub failed: u64,
    /// Questions that it holds.
    pub holds: usize,
    /// Seconds since its last heartbeat.
    pub heard_s: f64,
}

impl Bulletin {
    /// What the run that writes to this store tells; nothing where it tells nothing.
    pub fn of(store: &Path) -> Self {
        let read = std::fs::read(store.with_file_name(FILE));
        let parsed = read.map(|content| serde_json::from_slice(&content));
        parsed.ok().and_then(Result::ok).unwrap_or_default()
    }
}

/// Writes a run's [`Bulletin`]. Its file goes with the last clone.
#[derive(Debug, Clone)]
pub(crate) struct Board(Arc<Posted>);

#[derive(Debug)]
struct Posted {
    path: PathBuf,
    bulletin: Mutex<Bulletin>,
}

impl Board {
    /// Nothing yet, beside this store.
    pub(crate) fn beside(store: &Path) -> Self {
        let path = store.with_file_name(FILE);
        Self(Arc::new(Posted {
            path,
            bulletin: Mutex::default(),
        }))
    }

    /// Changes the bulletin.
    pub(crate) fn post(&self, change: impl FnOnce(&mut Bulletin)) {
        let Posted { path, bulletin } = &*self.0;
        let mut bulletin = bulletin.lock().unwrap_or_else(PoisonError::into_inner);
        let before = bulletin.clone();
        change(&mut bulletin);
        if *bulletin == before {
            return;
        }
        // Those who watch may miss it; the run does not depend on it.
        let written = serde_json::to_vec(&*bulletin)
            .map_err(std::io::Error::from)
            .and_then(|content| write_whole(path, &content));
        if let Err(error) = written {
            tracing::debug!(%error, path = %path.display(), "cannot write what the run tells");
        }
    }
}

impl Drop for Posted {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_there_while_the_run_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("sureness.sqlite");
        assert_eq!(Bulletin::of(&store), Bulletin::default());
        let worker = Worker {
            name: "w1".into(),
            model: "m".into(),
            per_second: 1.5,
            answered: 3,
            failed: 0,
            holds: 2,
            heard_s: 0.5,
        };
        let board = Board::beside(&store);
        let other = board.clone();
        other.post(|bulletin| bulletin.workers.push(worker.clone()));
        assert_eq!(Bulletin::of(&store).workers, [worker]);
        drop(other);
        assert!(folder.path().join(FILE).exists());
        drop(board);
        assert!(!folder.path().join(FILE).exists());
    }
}
