//! Brings answers to the sink, from a thread of its own.

use std::sync::PoisonError;
use std::time::Duration;

use super::Shared;
use crate::histogram::Histogram;
use crate::{AnswerSink, Stop};

/// So many answers are written without waiting for more.
const ENOUGH: usize = 256;
/// How long the first answer waits for others. Nobody notices, and at high rates dozens share one
/// transaction and one wake-up.
const LINGER: Duration = Duration::from_millis(2);

/// Whether the writer should look, now that there are `after` answers instead of `before`. In
/// between it looks by itself.
pub(super) fn is_worth_waking(before: usize, after: usize) -> bool {
    after > before && (before == 0 || (before < ENOUGH && after >= ENOUGH))
}

/// Writes until the run is closed; gives back how long answers waited to be safe. Whatever has
/// arrived is written in one go, so that the pace sets the size of a transaction.
pub(crate) fn write_answers(shared: &Shared, mut sink: Box<dyn AnswerSink>) -> Histogram {
    let mut storing = Histogram::default();
    let (mut answers, mut times) = (Vec::new(), Vec::new());
    while wait_for_answers(shared) {
        answers.clear();
        times.clear();
        shared
            .lock()
            .dispatch
            .take_answers(&mut answers, &mut times);
        if let Err(error) = sink.write(&answers) {
            // What is in flight could not be kept either.
            shared.halt(Stop::Sink(error.to_string()));
            return storing;
        }
        let now = shared.now();
        for &came in &times {
            storing.record(now.saturating_sub(came), 1);
        }
        if shared.lock().dispatch.saved(answers.len()) {
            shared.ring();
        }
    }
    storing
}

/// Whether there are answers; `false` ends the writer.
fn wait_for_answers(shared: &Shared) -> bool {
    let core = shared.lock();
    let core = shared
        .mail
        .wait_while(core, |core| core.dispatch.answers() == 0 && !core.closed)
        .unwrap_or_else(PoisonError::into_inner);
    let (core, _) = shared
        .mail
        .wait_timeout_while(core, LINGER, |core| {
            core.dispatch.answers() < ENOUGH && !core.closed
        })
        .unwrap_or_else(PoisonError::into_inner);
    core.dispatch.answers() > 0
}
