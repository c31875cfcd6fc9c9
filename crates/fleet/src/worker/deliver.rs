//! Bringing results to the broker. A unit is confirmed only when its last result is there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::serve::Bench;
use crate::message::{UnitResult, pack};

/// Outcomes of a unit that is not finished wait no longer than this: a worker that dies then has
/// to be done over by others for this much.
const LINGER: Duration = Duration::from_millis(100);

/// Numbers result messages, so that the broker can drop a second copy.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Publishes for as long as the worker takes part.
pub(super) async fn deliver(bench: Arc<Bench>) {
    let mut tick = tokio::time::interval(LINGER);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let all = tokio::select! {
            () = bench.told.notified() => false,
            _ = tick.tick() => true,
        };
        let results = bench.held().results(all);
        for result in results {
            let bench = Arc::clone(&bench);
            // Not waited for: the broker's word takes a round trip. Not ended with this task
            // either, since a result that has left the books must arrive.
            tokio::spawn(async move { send(&bench, result).await });
        }
    }
}

async fn send(bench: &Bench, result: UnitResult) {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let id = format!("result-{}-{}-{number}", result.worker, result.unit);
    let subject = bench.link.run.results(bench.place.lane);
    bench.link.deliver(subject, &id, pack(&result)).await;
    bench.held().arrived(result.unit);
    let _ = bench.next.send(());
    if result.last {
        let acker = bench.held().finish(result.unit);
        if let Some(acker) = acker
            && let Err(error) = acker.ack().await
        {
            tracing::debug!(%error, "a unit is not confirmed; it will come again");
        }
    }
}

/// Tells everything that is there and gives the rest back.
pub(super) async fn last_words(bench: &Bench) {
    let results = bench.held().give_back();
    for result in results {
        send(bench, result).await;
    }
    // What was on its way before.
    while !bench.held().holds().1.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
