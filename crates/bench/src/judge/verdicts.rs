//! What a judge has said, read from the store.

use std::collections::HashSet;
use std::path::Path;

use sureness_open::{Joined, Joining, Meanings, Verdict, join};
use sureness_questions::Question;
use sureness_record::Judge;
use sureness_report::Judged;
use sureness_scorers::Reading;
use sureness_store::{Reader, RunInfo, StoreError};

use super::pair::{Pairs, YES, comparison};
use crate::error::Failure;

/// Reads a judge's verdicts.
#[derive(Debug)]
pub(crate) struct Verdicts {
    reader: Reader,
    pairs: Pairs,
    most: usize,
    /// Answers to comparisons that failed in this run: these are not asked again.
    pub(super) failed: HashSet<[u8; 32]>,
    /// What it came to, over all questions that were joined.
    pub(crate) judged: Judged,
}

/// What the judge said of a pair, or what it must still be asked.
enum Told {
    Verdict(Verdict),
    Ask(Question),
}

impl Verdicts {
    /// Of a judge whose answers lie in this store.
    pub(crate) fn of(store: &Path, judge: &Judge) -> Result<Self, Failure> {
        let mut reader = Reader::open(store)?;
        reader.index_the_rest()?;
        let pairs = Pairs::new(&judge.model).map_err(Failure::new)?;
        Ok(Self {
            reader,
            pairs,
            most: judge.pairs.get() as usize,
            failed: HashSet::new(),
            judged: Judged::default(),
        })
    }

    /// Of the judge of a run, if it has one.
    pub(crate) fn of_run(reader: &Reader, run: &RunInfo) -> Result<Option<Self>, Failure> {
        let judge = run
            .settings
            .run()
            .and_then(|settings| settings.judge.as_ref());
        judge
            .map(|judge| Self::of(reader.path(), judge))
            .transpose()
    }

    pub(super) fn pairs(&self) -> &Pairs {
        &self.pairs
    }

    /// The meanings of a question's answers as the judge joined them. Comparisons that were never answered
    /// count as undecided.
    pub(crate) fn joined(
        &mut self,
        meanings: &Meanings,
        question: &Question,
    ) -> Result<Meanings, StoreError> {
        let joined = self.join(meanings, question, &mut |_| Some(Verdict::Undecided))?;
        let Joining::Done(joined) = joined else {
            return Ok(meanings.clone());
        };
        self.count(&joined);
        Ok(meanings.joined(&joined))
    }

    fn count(&mut self, joined: &Joined) {
        let judged = &mut self.judged;
        judged.compared += joined.compared as u64;
        judged.same += joined.same as u64;
        judged.undecided += joined.undecided as u64;
        judged.cut += joined.cut as u64;
    }

    /// The comparisons that must be asked next for a question; none once it is settled.
    pub(super) fn next(
        &self,
        meanings: &Meanings,
        question: &Question,
    ) -> Result<Vec<Question>, StoreError> {
        let mut next = Vec::new();
        self.join(meanings, question, &mut |comparison| {
            next.push(comparison);
            None
        })?;
        Ok(next)
    }

    /// Joins meanings; `unknown` gets each comparison that has no answer, and may stand in for one.
    fn join(
        &self,
        meanings: &Meanings,
        question: &Question,
        unknown: &mut dyn FnMut(Question) -> Option<Verdict>,
    ) -> Result<Joining, StoreError> {
        let groups = meanings.groups();
        let mut failure = None;
        let joining = join(groups.len(), self.most, |a, b| {
            match self.told(question, &groups[a].text, &groups[b].text) {
                Ok(Told::Verdict(verdict)) => Some(verdict),
                Ok(Told::Ask(comparison)) => unknown(comparison),
                Err(error) => {
                    failure = Some(error);
                    Some(Verdict::Undecided)
                }
            }
        });
        failure.map_or(Ok(joining), Err)
    }

    /// Asks in one order, and in the other only if the first said yes.
    fn told(&self, question: &Question, a: &str, b: &str) -> Result<Told, StoreError> {
        for (first, second) in [(a, b), (b, a)] {
            let comparison = comparison(question, first, second);
            match self.answer(&comparison)? {
                None => return Ok(Told::Ask(comparison)),
                Some(Verdict::Same) => {}
                Some(other) => return Ok(Told::Verdict(other)),
            }
        }
        Ok(Told::Verdict(Verdict::Same))
    }

    /// The answer to one comparison; `None` if it was not asked.
    fn answer(&self, comparison: &Question) -> Result<Option<Verdict>, StoreError> {
        let key = self.pairs.key(comparison);
        if self.failed.contains(&key.0) {
            return Ok(Some(Verdict::Undecided));
        }
        let found = self.reader.reading(key)?;
        Ok(found.map(|(reading, scores)| match reading {
            Reading::Option if scores.logprobs.get(YES) == Some(&0.0) => Verdict::Same,
            Reading::Option => Verdict::Different,
            _ => Verdict::Undecided,
        }))
    }
}
