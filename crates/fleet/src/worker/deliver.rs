//! Publishing results. A unit is confirmed only when the broker has its last result.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::serve::Session;
use crate::message::{UnitResult, pack};

/// Longest wait of the outcomes of an unfinished unit. If the worker dies, others repeat this much.
const LINGER: Duration = Duration::from_millis(100);

/// Numbers result messages, so that the broker can drop duplicates.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Publishes results while the worker takes part.
pub(super) async fn deliver(session: Arc<Session>) {
    let mut tick = tokio::time::interval(LINGER);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let all = tokio::select! {
            () = session.results.unsent.notified() => false,
            _ = tick.tick() => true,
        };
        let results = session.held().results(all);
        for result in results {
            let session = Arc::clone(&session);
            // Not awaited, since confirmation takes a round trip. Not ended with this task either,
            // since a result that has been taken out must arrive.
            tokio::spawn(async move { send(&session, result).await });
        }
    }
}

async fn send(session: &Session, result: UnitResult) {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let id = format!("result-{}-{}-{number}", result.worker, result.unit);
    let subject = session.link.run.results(session.assignment.lane);
    session.link.deliver(subject, &id, pack(&result)).await;
    session.held().confirmed(result.unit);
    let _ = session.results.next.send(());
    if result.last {
        let acker = session.held().finish(result.unit);
        if let Some(acker) = acker
            && let Err(error) = acker.ack().await
        {
            tracing::debug!(%error, "cannot confirm a unit; it will be delivered again");
        }
    }
}

/// Publishes all outcomes and gives the open questions back.
pub(super) async fn finish(session: &Session) {
    let results = session.held().give_back();
    for result in results {
        send(session, result).await;
    }
    // Earlier results may still be on their way.
    while !session.held().holds().1.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
