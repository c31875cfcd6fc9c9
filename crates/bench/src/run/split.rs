//! Selects the split rule of a run.

use sureness_conformal::{Config, SplitRule};
use sureness_store::Store;

use crate::error::Failure;
use crate::folder::Folder;
use crate::questions::{self, Questions};
use crate::settings::Settings;

/// The evaluation settings, and a note about their split rule.
///
/// Version 0.1.0 used another rule and did not record it. An unfinished run of that version keeps its
/// rule, as do all models of the command that continues it, so that their figures are comparable.
pub(super) fn config(
    settings: &Settings,
    questions: &Questions,
    folder: &Folder,
) -> Result<(Config, Option<String>), Failure> {
    let config = questions::evaluation(settings);
    let old = Config {
        split: SplitRule::Hash,
        ..config
    };
    if config == old || !folder.store.is_file() {
        return Ok((config, None));
    }
    let store = Store::open(&folder.store)?;
    let newest = |config: &Config, finished| {
        let record = questions.record(settings, config);
        store.newest_run(&record, finished)
    };
    let begun = newest(&old, false)?;
    if begun > newest(&config, false)? {
        let run = begun.unwrap_or_default();
        let note = format!("run {run} was begun by version 0.1.0 and keeps its split rule");
        return Ok((old, Some(note)));
    }
    let (finished, again) = (newest(&old, true)?, newest(&config, true)?);
    let note = finished.filter(|_| finished > again).map(|run| {
        format!(
            "run {run}, finished by version 0.1.0, keeps its split rule; this command starts a new \
             run with the current rule"
        )
    });
    Ok((config, note))
}
