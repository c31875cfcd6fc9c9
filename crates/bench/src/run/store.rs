//! The file with the answers, opened for a run.

use sureness_engine::Plan;
use sureness_record::{RunRecord, RunSettings};
use sureness_scorers::ModelIdentity;
use sureness_store::Store;

use super::Session;
use crate::error::Failure;
use crate::folder::store_in;

impl Session<'_> {
    /// Begins the run in the output folder's file, or goes on with it; gives its number.
    pub(super) fn open_run(
        &self,
        identity: &ModelIdentity,
        plan: &Plan,
        settings: RunSettings,
        anew: bool,
    ) -> Result<(Store, i64), Failure> {
        let mut store = self.open_store(anew)?;
        let record = RunRecord {
            model: identity.clone(),
            settings,
        };
        let groups = plan.groups.iter();
        let groups = groups.map(|group| (&*group.task.id, group.strategy.name()));
        let run = store.begin_run(&record, groups)?;
        store.place_questions(self.questions.places().to_vec());
        Ok((store, run))
    }

    /// Opens the file with what the flags count as known; nothing of earlier runs with `anew`.
    pub(super) fn open_store(&self, anew: bool) -> Result<Store, Failure> {
        let mut store = Store::open(&self.folder.store)?;
        if anew {
            store.forget_earlier_runs();
            return Ok(store);
        }
        if self.settings.cache.ignore {
            store.ignore_earlier_runs();
        }
        for path in &self.settings.cache.also_from {
            store.also_look_in(&store_in(path))?;
        }
        Ok(store)
    }
}
