//! Which split rule the figures of a run have.

use sureness_conformal::{Config, Protocol, SplitRule};
use sureness_store::{Store, StoreError};

use super::data::Questions;
use super::room::Folder;
use crate::commands::run::RunArgs;
use crate::error::CliError;

/// The settings of the evaluation, and what to tell about their split rule.
///
/// Version 0.1.0 split by another rule, and wrote none down. A run that it began and did not
/// finish keeps that rule, and so do all models of the command that continues it: figures of one
/// table can be compared.
pub(super) fn config(
    args: &RunArgs,
    questions: &Questions,
    folder: &Folder,
) -> Result<(Config, Option<String>), CliError> {
    let config = Questions::config(args);
    let old = Config {
        split: SplitRule::Hash,
        ..config
    };
    if config == old || !folder.store.is_file() {
        return Ok((config, None));
    }
    let failed = |e: StoreError| CliError::input(&e).hint(e.hint());
    let store = Store::open(&folder.store).map_err(failed)?;
    let newest = |config: &Config, finished| {
        let settings = questions.settings(args, config);
        store.newest_run(&settings, finished).map_err(failed)
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

/// The rule in words, for those who read the figures. `None` where the protocol has its own.
pub(super) fn describe(config: &Config) -> Option<&'static str> {
    match (config.protocol, config.split) {
        (Protocol::Paper, _) => None,
        (Protocol::Standard, SplitRule::Hash) => {
            Some("hash (version 0.1.0): each question by its own hash")
        }
        (Protocol::Standard, SplitRule::Ordered) => {
            Some("ordered: a fixed share of the questions, by the order of their hashes")
        }
    }
}
