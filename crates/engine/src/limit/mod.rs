//! How many requests may be in flight: the adaptive concurrency limit.
//!
//! No single sign shows how many requests a server likes best. Some refuse too many (429), some
//! queue them, so that more requests only wait longer, some slow down under a crowd without any
//! error, and some work best on batches. So the [`Controller`] measures throughput at different
//! limits and keeps the best.
//!
//! - **Hints.** The probe finds out what kind of server it is. llama.cpp works in a few slots, each
//!   with a prefix cache that its first question must fill: there the limit begins at one, and each
//!   further slot must be worth its cold cache. vLLM and `SGLang` work in steps, and a request that
//!   waits joins the next one: a crowd is never worse there, and the limit begins at 32. Any other
//!   server begins with slow start.
//! - **Slow start.** The limit grows by one with each answer, which doubles it per round (as many
//!   answers as the limit at the round's start). Growing smoothly, it meets the edge of a server
//!   that refuses with a few requests too many rather than with a whole crowd. It ends when a
//!   doubling no longer pays clearly.
//! - **Evidence.** Throughput follows from latencies: in the mean, the number in flight divided by
//!   the latency is the answers per second (Little's law). Counting answers is as exact over a long
//!   time; over a dozen answers, latencies are several times more exact. Evidence is pooled over
//!   all visits to a limit, and fades within 300 answers or 12 seconds, whichever takes longer.
//! - **Belief.** All evidence together gives one curve of throughput over the limit, with its
//!   uncertainty (a Gaussian process over the doublings). Gains are expected to go on for a while
//!   and to shrink. So a server that gained with each doubling up to eight is tried at sixteen, and
//!   one that lost from one to four is not.
//! - **Decision.** After each round the limit goes to where the curve is highest, less a burden that
//!   grows with the limit, so that the lower of two equal limits is taken. It goes elsewhere when a
//!   visit is expected to gain more than it costs: the chance of a gain times the answers still to
//!   come, against the loss meanwhile. As many are assumed to come as there were, at least 64, at
//!   most 800, and never more than are left. So looks come early and often at first, and later as
//!   the evidence fades.
//! - **Change.** Two rounds in a row that are clearly unlike earlier ones at the same limit mean
//!   another server: most evidence is dropped, and the search begins anew.
//! - **Growth only while the limit is used.** Answers that had fewer requests in flight neither
//!   raise the limit nor count in a comparison.
//! - **Throttling.** A 429 or a timeout ends growth just below the number that was refused. A
//!   refusal at a limit that had gone well for long takes a sixteenth off; another one soon after
//!   leaves four fifths. Requests sent before a cut do not count, so one episode is one cut. After a
//!   refusal it takes 120 answers, or 40 seconds, until the next look upwards.
//! - **5xx and broken connections** pause growth. They lower the limit only when they come with
//!   load: answers in between, and more failures than is usual for this server. Each further such
//!   suspicion holds twice as long. An outage leaves the limit as it was.
//! - **Patience.** However much a crowd may gain, no limit is chosen at which a request would wait
//!   for more than 0.3 of its timeout, unless the server is about as slow without a crowd.
//! - **Slots.** A request with a cold cache shows how long a token takes to compute. If requests
//!   with a warm cache take as long for each token that is left, one request keeps the processor
//!   busy, and a second slot has nothing to gain; if they take far longer, they mostly wait, and it
//!   has. Below a thousand tokens a second the model runs on a processor, which one request keeps
//!   busy either way. An answer that met a cold cache says nothing else about load.
//! - **Longer prompts** do not make a slower server: cost is fitted over prompt length, and where
//!   the length changes altogether, the comparison of limits with each other stays.
//!
//! The controller is a state machine without clock, threads or I/O: equal samples give equal
//! limits. `docs/concurrency.md` shows its results on simulated servers.

mod auto;
mod curve;
mod ledger;
mod meter;
mod sample;
mod saturation;
mod slow_start;
mod work;

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use auto::Auto;
pub use sample::{Outcome, Sample};
pub use sureness_scorers::{Hints, Serving};

/// How the number of requests in flight is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workers {
    /// Always this many.
    Fixed(NonZeroUsize),
    /// As many as the server answers fastest with, found during the run.
    Auto {
        /// The highest limit.
        max: NonZeroUsize,
    },
}

impl Workers {
    /// The highest limit of [`Workers::default`].
    pub const DEFAULT_MAX: NonZeroUsize = NonZeroUsize::new(256).unwrap();
}

impl Default for Workers {
    fn default() -> Self {
        Self::Auto {
            max: Self::DEFAULT_MAX,
        }
    }
}

/// A number from 1 on, or `auto`.
impl FromStr for Workers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let count = crate::settings::count_or_auto(text)?;
        Ok(count.map_or_else(Self::default, Self::Fixed))
    }
}

impl fmt::Display for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(workers) => workers.fmt(f),
            Self::Auto { .. } => f.write_str("auto"),
        }
    }
}

/// The controller's state, for progress and logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The limit is fixed.
    Fixed,
    /// Doubling, to find the server's size.
    SlowStart,
    /// At the best limit known.
    Steady,
    /// Trying another limit for a moment.
    Probing,
    /// Cut after the server asked for less, and climbing back.
    BackedOff,
}

/// The limit of one endpoint: from the attempts that have ended it finds how many may be in flight.
#[derive(Debug, Clone)]
pub struct Controller(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Fixed(NonZeroUsize),
    Auto(Box<Auto>),
}

impl Controller {
    /// A controller for an unknown server.
    pub fn new(workers: Workers) -> Self {
        Self::knowing(workers, Hints::default())
    }

    /// A controller that begins as the hints about its server suggest.
    pub fn knowing(workers: Workers, hints: Hints) -> Self {
        Self(match workers {
            Workers::Fixed(n) => Kind::Fixed(n),
            Workers::Auto { max } => Kind::Auto(Box::new(Auto::new(max.get(), hints))),
        })
    }

    /// How many attempts may be in flight now: at least one.
    pub fn limit(&self) -> usize {
        match &self.0 {
            Kind::Fixed(n) => n.get(),
            Kind::Auto(auto) => auto.limit(),
        }
    }

    /// Takes an attempt that has ended. Samples come in the order in which they ended.
    pub fn finished(&mut self, sample: &Sample) {
        if let Kind::Auto(auto) = &mut self.0 {
            auto.finished(sample);
        }
    }

    /// Takes an attempt that met a cold cache. It is slow regardless of load, but next to attempts
    /// with a warm cache it shows what the server's time goes into.
    pub fn finished_cold(&mut self, sample: &Sample) {
        if let Kind::Auto(auto) = &mut self.0 {
            auto.finished_cold(sample);
        }
    }

    /// The controller's state.
    pub fn phase(&self) -> Phase {
        match &self.0 {
            Kind::Fixed(_) => Phase::Fixed,
            Kind::Auto(auto) => auto.phase(),
        }
    }
}
