//! What became of a run.

use sureness_engine::Stop;
use sureness_hint::Hint;
use sureness_report::{ModelResult, Results};

use crate::error::{Failure, Kind};
use crate::figures;
use crate::folder::Folder;

/// What a run has found, and how it ended.
#[derive(Debug)]
pub struct Outcome {
    /// The figures of every model that was asked, as they were written to the output folder.
    pub results: Results,
    /// The files that hold answers and results.
    pub folder: Folder,
    /// For each model of the results, why it was not asked everything; `None` if it was.
    pub stops: Vec<Option<Stop>>,
    /// Whether the run was asked to stop.
    pub interrupted: bool,
}

/// How a run ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every question of every model was asked.
    Complete,
    /// The run was stopped; the same settings ask only the rest.
    Interrupted,
}

impl Outcome {
    /// Whether the run is complete.
    ///
    /// # Errors
    ///
    /// A model that had to be given up, or one that left more than this share of its questions
    /// without an answer ([`ALLOWED_FAILURES`](crate::ALLOWED_FAILURES) is usual).
    pub fn ended(&self, allowed_failures: f64) -> Result<Ended, Failure> {
        for (model, stop) in self.results.models.iter().zip(&self.stops) {
            match stop {
                Some(Stop::Interrupted) => return Ok(Ended::Interrupted),
                Some(stop @ (Stop::Fatal(error) | Stop::GaveUp { error, .. })) => {
                    return Err(Failure::new(format!(
                        "{}: stopped: {stop}. Everything answered so far is kept; the same command asks only the rest",
                        model.name
                    ))
                    .hint(error.hint())
                    .kind(Kind::Unfinished));
                }
                // Reported when it happened.
                Some(Stop::Sink(_)) | None => {}
            }
            figures::check_failures(&without_unasked(model), allowed_failures)?;
        }
        // Between two models.
        if self.interrupted {
            return Ok(Ended::Interrupted);
        }
        Ok(Ended::Complete)
    }
}

/// The model without the questions that were never asked: a note on the model counts them.
fn without_unasked(model: &ModelResult) -> ModelResult {
    let mut model = model.clone();
    for group in &mut model.groups {
        if let Some(unasked) = group.failures.remove(figures::NOT_ASKED) {
            group.planned -= unasked.count;
        }
    }
    model
}
