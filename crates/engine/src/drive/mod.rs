//! Carries out what the dispatcher decides.
//!
//! A worker lives as long as there is something to send: it asks, hands the reply in, and takes
//! the next job under the same lock. In a steady state nobody is woken and nothing is passed on.
//! The pacemaker sleeps until something is due that no reply will bring about: a retry, a probe,
//! the end of a rate limit.

mod bell;
mod check;
mod tasks;
mod threads;
mod writer;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sureness_scorers::{OptionScorer, Reply, ScoreError, ScoreRequest};
use tokio::sync::Notify;
use tokio::time::Instant;

use self::bell::Bell;
use crate::dispatch::{Dispatch, Events, Next, Ticket};
use crate::plan::Source;
use crate::{Cancel, Event, Observer, Stop};

pub(crate) use tasks::drive as drive_tasks;
pub(crate) use threads::drive as drive_threads;
pub(crate) use writer::write_answers;

/// What workers, pacemaker and writer share.
pub(crate) struct Shared {
    requests: Box<dyn Source>,
    endpoints: Vec<Arc<dyn OptionScorer>>,
    core: Mutex<Core>,
    pub(crate) cancel: Cancel,
    observer: Observer,
    /// Tokio's clock, which tests can stop. It needs no runtime.
    started: Instant,
    /// Wakes the pacemaker.
    bell: Bell,
    /// Wakes the writer; belongs to the lock on `core`.
    mail: Condvar,
    /// Workers at work.
    busy: AtomicUsize,
    /// What is in flight is to be dropped.
    halted: AtomicBool,
    halt: Notify,
}

/// Everything behind the one lock.
pub(crate) struct Core {
    pub(crate) dispatch: Dispatch,
    /// When the pacemaker wakes by itself.
    alarm: Option<Duration>,
    /// No more answers will come: the writer ends once it has written those that are there.
    closed: bool,
}

/// What the pacemaker does next.
enum Beat {
    /// Sleep until the bell rings or this time has come.
    Sleep(Option<Duration>),
    /// The run is over.
    Over,
}

/// Counts a worker as busy while it lives.
struct Busy(Arc<Shared>);

impl Shared {
    pub(crate) fn new(
        requests: Box<dyn Source>,
        endpoints: Vec<Arc<dyn OptionScorer>>,
        dispatch: Dispatch,
        cancel: Cancel,
        observer: Observer,
    ) -> Self {
        Self {
            requests,
            endpoints,
            core: Mutex::new(Core {
                dispatch,
                alarm: None,
                closed: false,
            }),
            cancel,
            observer,
            started: Instant::now(),
            bell: Bell::default(),
            mail: Condvar::new(),
            busy: AtomicUsize::new(0),
            halted: AtomicBool::new(false),
            halt: Notify::new(),
        }
    }

    /// Time since the run's start.
    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// The state is valid at every step, so a panic elsewhere does not make it unusable.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn ring(&self) {
        self.bell.ring();
    }

    /// Ends the run: nothing more is sent, and what is in flight is dropped.
    pub(crate) fn halt(&self, reason: Stop) {
        self.lock().dispatch.stop(reason);
        self.halted.store(true, Ordering::SeqCst);
        self.halt.notify_waiters();
        self.ring();
    }

    fn is_halted(&self) -> bool {
        self.halted.load(Ordering::SeqCst)
    }

    /// No more answers will come.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.mail.notify_all();
    }

    /// Notifies the observer; panics are caught.
    pub(crate) fn tell(&self, event: &Event) {
        let _ = catch_unwind(AssertUnwindSafe(|| (self.observer)(event)));
    }

    /// Starts everything that may be sent now.
    fn beat(&self, mut start: impl FnMut(Box<Ticket>)) -> Beat {
        if self.cancel.is_now() && !self.is_halted() {
            self.halt(Stop::Interrupted);
        }
        loop {
            let mut core = self.lock();
            match self.next(&mut core, self.now()) {
                Next::Send(ticket) => {
                    drop(core);
                    start(ticket);
                }
                Next::Wait(at) => {
                    core.alarm = at;
                    return Beat::Sleep(at);
                }
                // The last workers may still be telling what they got.
                Next::Over if self.busy.load(Ordering::SeqCst) > 0 => return Beat::Sleep(None),
                Next::Over => return Beat::Over,
            }
        }
    }

    fn next(&self, core: &mut Core, now: Duration) -> Next {
        if self.cancel.is_cancelled() {
            core.dispatch.stop(Stop::Interrupted);
        }
        core.dispatch.next(now)
    }

    /// Lays out a ticket's prompts, on the way out.
    fn begin(&self, ticket: &mut Ticket) -> io::Result<Vec<ScoreRequest>> {
        let job = &mut ticket.job;
        self.tell(&Event::Sent {
            group: job.group as usize,
            count: job.items.len(),
            endpoint: ticket.endpoint,
            load: ticket.load,
        });
        let mut requests = Vec::with_capacity(job.items.len());
        for open in &mut job.items {
            let request = self.requests.read(job.group, open.question)?;
            open.key = request.key;
            requests.push(request);
        }
        Ok(requests)
    }

    /// Hands a reply in. The first job that may follow is the caller's, the others are started.
    fn finish(
        &self,
        ticket: Ticket,
        reply: Reply,
        mut start: impl FnMut(Box<Ticket>),
    ) -> Option<Box<Ticket>> {
        let mut events = Events::new();
        let (mut mine, mut others) = (None, Vec::new());
        let (ring, mail) = {
            let mut core = self.lock();
            let now = self.now();
            let before = core.dispatch.answers();
            core.dispatch.finished(ticket, reply, now, &mut events);
            let mail = writer::is_worth_waking(before, core.dispatch.answers());
            let ring = loop {
                match self.next(&mut core, now) {
                    Next::Send(ticket) if mine.is_none() => mine = Some(ticket),
                    Next::Send(ticket) => others.push(ticket),
                    Next::Wait(at) => break at.is_some_and(|at| core.alarm.is_none_or(|a| at < a)),
                    Next::Over => break true,
                }
            };
            (ring, mail)
        };
        if mail {
            self.mail.notify_one();
        }
        if ring {
            self.ring();
        }
        for ticket in others {
            start(ticket);
        }
        for event in &events {
            self.tell(event);
        }
        mine
    }

    /// A request was dropped without a reply.
    fn abandon(&self, ticket: &Ticket) {
        self.lock().dispatch.dropped(ticket);
    }
}

impl Busy {
    fn new(shared: &Arc<Shared>) -> Self {
        shared.busy.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(shared))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::SeqCst);
        self.0.ring();
    }
}

/// What becomes of a ticket whose questions the disk no longer gives.
fn unreadable(count: usize, error: &io::Error) -> Reply {
    let message = format!("the questions cannot be read back: {error}");
    Reply::of(vec![Err(ScoreError::Backend { message }); count])
}

/// What a backend that panics has answered.
fn panicked(count: usize) -> Reply {
    let error = ScoreError::Backend {
        message: "it ended abnormally; its last words are on standard error".into(),
    };
    Reply::of(vec![Err(error); count])
}
