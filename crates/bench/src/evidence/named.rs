//! Runs that a reader gives a name: `NAME=FOLDER`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sureness_analysis::Evidence;

use super::store_of;
use crate::error::Failure;

/// A store, its run where one is given, and the name to show it under.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) store: PathBuf,
    pub(super) run: Option<i64>,
    name: Option<String>,
}

/// The store at a path, or behind `NAME=`; `None` for other files. What exists as it stands has no name, so
/// that paths with `=` keep their meaning.
pub(super) fn store_at(path: &Path) -> Result<Option<Named>, Failure> {
    let text = path.to_string_lossy();
    let (name, path) = match text.split_once('=') {
        Some((name, behind))
            if !name.trim().is_empty() && !path.exists() && store_of(path).is_err() =>
        {
            (Some(name.trim().to_owned()), Path::new(behind))
        }
        _ => (None, path),
    };
    match (store_of(path)?, name) {
        (None, Some(_)) => Err(Failure::new(format!(
            "{}: only output folders of runs can be given a name",
            path.display()
        ))
        .hint("files of saved logits tell their models by their own names or columns")),
        (found, name) => Ok(found.map(|(store, run)| Named { store, run, name })),
    }
}

impl Named {
    /// Whether another name stands for the same run.
    pub(super) fn is_run_of(&self, other: &Self) -> bool {
        let place = |of: &Self| of.store.canonicalize().unwrap_or_else(|_| of.store.clone());
        self.run == other.run && place(self) == place(other)
    }

    /// Shows the models that came after the first `before` (with options, and of open questions) under the
    /// name; where these are several, before their own.
    pub(super) fn rename(&self, evidence: &mut Evidence, before: (usize, usize)) {
        let Some(given) = &self.name else { return };
        let models = evidence.models.iter_mut().skip(before.0);
        let open = evidence.open.iter_mut().skip(before.1);
        let names: Vec<&mut String> = models
            .map(|model| &mut model.name)
            .chain(open.map(|model| &mut model.name))
            .collect();
        let several = names.iter().collect::<BTreeSet<_>>().len() > 1;
        for name in names {
            *name = if several {
                format!("{given}: {name}")
            } else {
                given.clone()
            };
        }
    }
}
