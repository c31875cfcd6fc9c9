//! Brings answers to the sink, from a thread of its own.

use std::sync::PoisonError;
use std::time::Duration;

use super::Shared;
use crate::histogram::Histogram;
use crate::{AnswerSink, Stop};

/// So many answers are written without waiting for more.
const FULL_BATCH: usize = 256;
/// How long the first answer waits for others. At high rates dozens share one transaction and one
/// wake-up.
const LINGER: Duration = Duration::from_millis(2);

/// Whether to wake the writer, now that there are `after` answers instead of `before`. In between
/// it wakes by itself.
pub(super) fn is_worth_waking(before: usize, after: usize) -> bool {
    after > before && (before == 0 || (before < FULL_BATCH && after >= FULL_BATCH))
}

/// Writes until the run is closed; returns how long answers waited to be saved. All answers that have
/// arrived are written at once, so that their rate sets the size of a transaction.
pub(crate) fn write_answers(shared: &Shared, mut sink: Box<dyn AnswerSink>) -> Histogram {
    let mut storing = Histogram::default();
    let (mut answers, mut times) = (Vec::new(), Vec::new());
    while wait_for_answers(shared) {
        answers.clear();
        times.clear();
        let mut core = shared.lock();
        core.dispatch.outbox.take(&mut answers, &mut times);
        drop(core);
        if let Err(error) = sink.write(&answers) {
            // Answers in flight could not be saved either.
            shared.halt(Stop::Sink(error.to_string()));
            return storing;
        }
        let now = shared.now();
        for &came in &times {
            storing.record(now.saturating_sub(came), 1);
        }
        if shared.lock().dispatch.outbox.saved(answers.len()) {
            shared.ring();
        }
    }
    storing
}

/// Whether there are answers; `false` ends the writer.
fn wait_for_answers(shared: &Shared) -> bool {
    let core = shared.lock();
    let core = shared
        .unsaved
        .wait_while(core, |core| core.dispatch.outbox.len() == 0 && !core.closed)
        .unwrap_or_else(PoisonError::into_inner);
    let (core, _) = shared
        .unsaved
        .wait_timeout_while(core, LINGER, |core| {
            core.dispatch.outbox.len() < FULL_BATCH && !core.closed
        })
        .unwrap_or_else(PoisonError::into_inner);
    core.dispatch.outbox.len() > 0
}
