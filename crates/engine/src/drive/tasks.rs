//! The driver on an async runtime: one task per request in flight.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;

use super::{Busy, Shared, Step, check, panicked, unreadable};
use crate::dispatch::Ticket;

/// Runs to the end on the current runtime.
pub(crate) async fn drive(shared: &Arc<Shared>) {
    loop {
        match shared.send_ready(|ticket| start(shared, ticket)) {
            Step::Over => return,
            Step::Sleep(until) => {
                let wait = until.map(|at| at.saturating_sub(shared.now()));
                shared.bell.rung(wait).await;
            }
        }
    }
}

fn start(shared: &Arc<Shared>, ticket: Box<Ticket>) {
    let busy = Busy::new(shared);
    tokio::spawn(work(busy, ticket));
}

async fn work(busy: Busy, mut ticket: Box<Ticket>) {
    let shared = &busy.0;
    let halt = shared.halt.notified();
    tokio::pin!(halt);
    // Registered before the first check, so that a halt between check and wait counts.
    halt.as_mut().enable();
    loop {
        if shared.is_halted() {
            shared.abandon(&ticket);
            return;
        }
        let scorer = &shared.endpoints[ticket.endpoint];
        let asking = async {
            match shared.begin(&mut ticket) {
                Err(error) => unreadable(ticket.job.items.len(), &error),
                Ok(requests) => {
                    let asking = AssertUnwindSafe(scorer.score(&requests)).catch_unwind();
                    let reply = asking.await.unwrap_or_else(|_| panicked(requests.len()));
                    check::reply(&requests, reply)
                }
            }
        };
        let reply = tokio::select! {
            biased;
            reply = asking => Some(reply),
            () = halt.as_mut() => None,
        };
        let Some(reply) = reply else {
            shared.abandon(&ticket);
            return;
        };
        match shared.finish(*ticket, reply, |ticket| start(shared, ticket)) {
            Some(next) => ticket = next,
            None => return,
        }
        // A backend that never waits must not starve other tasks.
        tokio::task::coop::consume_budget().await;
    }
}
