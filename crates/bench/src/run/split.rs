//! Which split rule the figures of a run have.

use sureness_conformal::{Config, SplitRule};
use sureness_store::Store;

use crate::error::Failure;
use crate::folder::Folder;
use crate::questions::{self, Questions};
use crate::settings::Settings;

/// The settings of the evaluation, and what to tell about their split rule.
///
/// Version 0.1.0 split by another rule, and wrote none down. A run that it began and did not
/// finish keeps that rule, and so do all models of the command that continues it: figures of one
/// table can be compared.
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
            "run {run}, finished by version 0.1.0, keeps its split rule; the same command starts a \
             new run under the present one"
        )
    });
    Ok((config, note))
}
