//! The driver on operating-system threads: one per request in flight, made as the limit grows.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::{Busy, Shared, Step, checked, panicked, unreadable};
use crate::dispatch::Ticket;

/// Threads that wait for work.
#[derive(Default)]
struct Pool {
    state: Mutex<State>,
    ready: Condvar,
}

#[derive(Default)]
struct State {
    tickets: VecDeque<(Busy, Box<Ticket>)>,
    idle: usize,
    threads: usize,
    closed: bool,
}

/// Runs to the end. The calling thread is the pacemaker; it asks only if no thread can be spawned.
pub(crate) fn drive(shared: &Arc<Shared>) {
    let pool = Arc::new(Pool::default());
    loop {
        match shared.send_ready(|ticket| pool.start(shared, ticket)) {
            Step::Over => break,
            // A blocking call cannot be dropped: threads that still wait are left behind, and their
            // replies ignored.
            Step::Sleep(_) if shared.is_halted() => break,
            Step::Sleep(until) => {
                let wait = until.map(|at| at.saturating_sub(shared.now()));
                shared.bell.wait(wait);
            }
        }
        if pool.lock().threads == 0 {
            pool.work_off();
        }
    }
    pool.lock().closed = true;
    pool.ready.notify_all();
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a ticket to an idle thread, or to a new one.
    fn start(self: &Arc<Self>, shared: &Arc<Shared>, ticket: Box<Ticket>) {
        let mut state = self.lock();
        state.tickets.push_back((Busy::new(shared), ticket));
        if state.idle >= state.tickets.len() {
            self.ready.notify_one();
            return;
        }
        state.threads += 1;
        let number = state.threads;
        drop(state);
        let pool = Arc::clone(self);
        let made = std::thread::Builder::new()
            .name(format!("asker-{number}"))
            .spawn(move || pool.run());
        if let Err(error) = made {
            // The other threads take the ticket; it only waits longer.
            tracing::warn!(%error, threads = number - 1, "cannot spawn another thread");
            self.lock().threads -= 1;
            shared.ring();
        }
    }

    fn run(self: &Arc<Self>) {
        loop {
            self.work_off();
            let mut state = self.lock();
            state.idle += 1;
            while state.tickets.is_empty() && !state.closed {
                state = self
                    .ready
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            state.idle -= 1;
            if state.closed {
                return;
            }
        }
    }

    /// Asks until there is no ticket.
    fn work_off(self: &Arc<Self>) {
        loop {
            let Some((busy, ticket)) = self.lock().tickets.pop_front() else {
                return;
            };
            self.work(&busy, ticket);
        }
    }

    fn work(self: &Arc<Self>, busy: &Busy, mut ticket: Box<Ticket>) {
        let shared = &busy.0;
        loop {
            if shared.is_halted() {
                shared.abandon(&ticket);
                return;
            }
            let scorer = &shared.endpoints[ticket.endpoint];
            let reply = match shared.begin(&mut ticket) {
                Err(error) => unreadable(ticket.job.items.len(), &error),
                Ok(requests) => {
                    let reply = catch_unwind(AssertUnwindSafe(|| scorer.score_blocking(&requests)));
                    let reply = reply.unwrap_or_else(|_| panicked(requests.len()));
                    checked(&requests, reply)
                }
            };
            if shared.is_halted() {
                shared.abandon(&ticket);
                return;
            }
            match shared.finish(*ticket, reply, |ticket| {
                self.start(shared, ticket);
            }) {
                Some(next) => ticket = next,
                None => return,
            }
        }
    }
}
