//! The file with the answers, opened for a run.

use sureness_engine::Plan;
use sureness_record::{RunRecord, RunSettings};
use sureness_scorers::ModelIdentity;
use sureness_store::{Store, StoreError};

use super::{Session, room};
use crate::error::CliError;

impl Session<'_> {
    /// Begins the run in the output folder's file, or goes on with it; gives its number.
    pub(super) fn open_run(
        &self,
        identity: &ModelIdentity,
        plan: &Plan,
        settings: RunSettings,
        anew: bool,
    ) -> Result<(Store, i64), CliError> {
        let mut store = self.open_store(anew)?;
        let record = RunRecord {
            model: identity.clone(),
            settings,
        };
        let groups = plan.groups.iter();
        let groups = groups.map(|group| (&*group.task.id, group.strategy.name()));
        let run = store.begin_run(&record, groups).map_err(|e| failed(&e))?;
        store.place_questions(self.questions.places().to_vec());
        Ok((store, run))
    }

    /// Opens the file with what the flags count as known; nothing of earlier runs with `anew`.
    pub(super) fn open_store(&self, anew: bool) -> Result<Store, CliError> {
        let mut store = Store::open(&self.folder.store).map_err(|e| failed(&e))?;
        if anew {
            store.forget_earlier_runs();
            return Ok(store);
        }
        if self.args.no_cache {
            store.ignore_earlier_runs();
        }
        for path in &self.args.cache_from {
            let path = if path.is_dir() {
                path.join(room::STORE)
            } else {
                path.clone()
            };
            store.also_look_in(&path).map_err(|e| failed(&e))?;
        }
        Ok(store)
    }
}

fn failed(error: &StoreError) -> CliError {
    CliError::input(error).hint(error.hint())
}
