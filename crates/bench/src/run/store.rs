//! Opens the store for a run.

use sureness_engine::{Group, Plan};
use sureness_record::{RunRecord, RunSettings};
use sureness_scorers::ModelIdentity;
use sureness_store::Store;

use super::Session;
use crate::error::Failure;
use crate::folder::store_in;

impl Session<'_> {
    /// Begins or continues the run in the output folder's store; returns its id.
    pub(super) fn open_run(
        &self,
        identity: &ModelIdentity,
        plan: &Plan,
        settings: RunSettings,
        ignore_cache: bool,
    ) -> Result<(Store, i64), Failure> {
        let mut store = self.open_store(ignore_cache)?;
        let record = RunRecord {
            model: identity.clone(),
            settings,
        };
        let names: Vec<_> = plan.groups.iter().map(Group::name).collect();
        let tasks = plan.groups.iter().map(|group| &*group.task.id);
        let run = store.begin_run(&record, tasks.zip(names.iter().map(|name| &**name)))?;
        store.place_questions(self.questions.places.clone());
        store.draw(plan.draws);
        store.keep_text(self.settings.cache.keep_text.unwrap_or(true));
        Ok((store, run))
    }

    /// Opens the store with the answers that the settings allow; with `ignore_cache`, those of this
    /// run alone.
    pub(super) fn open_store(&self, ignore_cache: bool) -> Result<Store, Failure> {
        let mut store = Store::open(&self.folder.store)?;
        if ignore_cache {
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
