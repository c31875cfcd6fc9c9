//! The outcome of a run.

use sureness_engine::Stop;
use sureness_hint::Hint;
use sureness_report::{ModelResult, Results};

use crate::error::{Failure, Kind};
use crate::figures;
use crate::folder::Folder;

/// The results of a run, and how it ended.
#[derive(Debug)]
pub struct Outcome {
    /// The figures of every model that was asked, as written to the output folder.
    pub results: Results,
    /// The files with answers and results.
    pub folder: Folder,
    /// For each model of the results, why it stopped early; `None` if it did not.
    pub stops: Vec<Option<Stop>>,
    /// Whether a stop was requested.
    pub interrupted: bool,
    /// Of a merge, why open questions have no figures though they have answers: their accepted answers
    /// were not found.
    pub unfound: Vec<String>,
}

/// How a run ended without failing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every question of every model was asked.
    Complete,
    /// The run was stopped; the same settings ask only the rest.
    Interrupted,
}

impl Outcome {
    /// Whether the run completed or was interrupted.
    ///
    /// # Errors
    ///
    /// Fails if a model stopped early, if a merge did not find the accepted answers of open questions, or if more than this share of its questions failed
    /// ([`ALLOWED_FAILURES`](crate::ALLOWED_FAILURES) by default).
    pub fn ended(&self, allowed_failures: f64) -> Result<Ended, Failure> {
        for (model, stop) in self.results.models.iter().zip(&self.stops) {
            match stop {
                Some(Stop::Interrupted) => return Ok(Ended::Interrupted),
                Some(stop @ (Stop::Fatal(error) | Stop::GaveUp { error, .. })) => {
                    return Err(Failure::new(format!(
                        "{}: stopped: {stop}. All answers so far are saved; the same command asks only the rest",
                        model.name
                    ))
                    .hint(error.hint())
                    .kind(Kind::Unfinished));
                }
                // Reported by `run_async`.
                Some(Stop::Sink(_)) | None => {}
            }
            figures::check_failures(&without_unasked(model), allowed_failures)?;
        }
        // A stop between two models leaves no trace in `stops`.
        if self.interrupted {
            return Ok(Ended::Interrupted);
        }
        if !self.unfound.is_empty() {
            return Err(Failure::new(self.unfound.join("; "))
                .hint("all answers are saved; the same command with --data adds these figures")
                .kind(Kind::Unfinished));
        }
        Ok(Ended::Complete)
    }
}

/// The model without unasked questions, which a note of the model counts.
fn without_unasked(model: &ModelResult) -> ModelResult {
    let mut model = model.clone();
    for group in &mut model.groups {
        if let Some(unasked) = group.failures.remove(figures::NOT_ASKED) {
            group.planned -= unasked.count;
        }
    }
    model
}
