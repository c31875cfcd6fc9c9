//! The tokens that a run has used.

use std::path::Path;

use sureness_store::Reader;

use super::Session;
use crate::budget::{Budget, Meter, Tokens};
use crate::error::Failure;

impl Session<'_> {
    /// Counts tokens, from those on that earlier parts of the run used where these are limited.
    pub(super) fn meter(&self, run: i64, budget: &Budget) -> Result<Meter, Failure> {
        let (mut before, mut of_judge) = (Tokens::default(), Tokens::default());
        if budget.is_limited() {
            before = spent(&self.folder.store, run)?;
            of_judge = spent(&self.folder.store, -run)?;
        }
        let judge = self.settings.judge.as_ref();
        let prices = judge.and_then(|judge| judge.prices.clone());
        Ok(Meter::new(budget.clone(), before).with_judge(of_judge, prices))
    }
}

/// The tokens of all answers that a run has asked for, in all its parts.
pub(super) fn spent(store: &Path, run: i64) -> Result<Tokens, Failure> {
    let usage = Reader::open(store)?.tokens(run)?;
    Ok(Tokens {
        prompt: usage[0],
        cached: usage[1],
        answer: usage[2],
    })
}
