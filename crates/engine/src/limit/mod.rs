//! How many requests may be in flight: the adaptive concurrency limit.
//!
//! No single sign tells how many requests a server likes best. Some refuse what is too much
//! (429), some let it wait, so that more requests buy nothing but waiting, some grow slower under
//! a crowd without ever saying so, and some work best on batches. So the [`Controller`] measures
//! what counts, the throughput, at different limits, and keeps the best:
//!
//! - **Slow start.** The limit grows by one with each answer, which doubles it per round (as many
//!   answers as the limit at the round's start). Growing smoothly, it meets the edge of a server
//!   that refuses with a few requests too many rather than with a whole crowd. It ends when a
//!   doubling no longer pays clearly.
//! - **Evidence.** Throughput is read from latencies (Little's law), which takes a few answers
//!   where counting them would take hundreds. What was seen at a limit is kept and pooled over
//!   visits, and fades as it grows old.
//! - **Belief.** All evidence together gives one curve of throughput over the limit, with what is
//!   not known about it. Gains are expected to go on for a while and to shrink, so that what was
//!   seen at a few limits tells something about those between and just beyond.
//! - **Decision.** After each round the limit goes to where the curve is highest, or to where a
//!   visit is expected to bring more than it costs: the less is known there and the longer it will
//!   be of use, the more it may cost. A look at a limit that is surely worse is not worth it; one at
//!   a limit that is about as good costs next to nothing. So looks come early and often at first,
//!   and later as the evidence fades. Of two limits that seem equal, the lower is taken.
//! - **Change.** Two rounds that are clearly unlike what was known at the same limit are another
//!   server: most evidence is dropped, and the search begins anew.
//! - **Growth only while the limit is used.** Answers that had fewer in flight neither raise the
//!   limit nor count in a comparison.
//! - **Throttling.** A 429 or a timeout ends growth just below the number that was refused. A
//!   refusal at a limit that had gone well for long takes a sixteenth off; another one soon after
//!   leaves four fifths. Whatever was sent before a cut does not count, so one episode is one cut.
//!   Each refusal must be paid for with many answers before the next look upwards.
//! - **5xx and broken connections** pause growth. They lower the limit only when they come with
//!   load: answers in between, and more of them than is usual for this server. An outage does not.
//! - **Patience.** However much a crowd may gain, no limit is chosen at which a request would wait
//!   for a good part of its timeout.
//! - **What time goes into.** Where a server has slots, one request that had to compute all of a
//!   long prompt tells what a token costs. If those that find most of it in the cache cost as much
//!   for each token that is left, one request keeps the processor busy, and a second slot has
//!   nothing to gain; if they cost far more, most of their time is waiting, and it has.
//! - **Longer prompts** are not taken for a slower server: cost is fitted over prompt length, and
//!   where the length changes altogether, what is known about one limit beside another stays.
//!
//! The controller is a state machine without clock, threads or I/O: equal samples give equal
//! limits. `docs/concurrency.md` shows what it does with simulated servers.

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
    /// As many as the server answers fastest with, found while the run goes.
    Auto {
        /// Never more than this.
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

/// What the controller is doing, for progress and logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The limit was given and never moves.
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

/// The limit of one endpoint: told of each finished attempt, it says how many may be in flight.
#[derive(Debug, Clone)]
pub struct Controller(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Fixed(NonZeroUsize),
    Auto(Box<Auto>),
}

impl Controller {
    /// A controller that knows nothing about its server yet.
    pub fn new(workers: Workers) -> Self {
        Self::knowing(workers, Hints::default())
    }

    /// A controller that knows what kind of server it has, and begins accordingly.
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

    /// Tells of one attempt that is over. Samples come in the order in which they ended.
    pub fn finished(&mut self, sample: &Sample) {
        if let Kind::Auto(auto) = &mut self.0 {
            auto.finished(sample);
        }
    }

    /// Tells of an attempt that found a cold cache. It took long whatever the load, but beside
    /// those that find a warm one it shows what a server's time goes into.
    pub fn finished_cold(&mut self, sample: &Sample) {
        if let Kind::Auto(auto) = &mut self.0 {
            auto.finished_cold(sample);
        }
    }

    /// What the controller is doing.
    pub fn phase(&self) -> Phase {
        match &self.0 {
            Kind::Fixed(_) => Phase::Fixed,
            Kind::Auto(auto) => auto.phase(),
        }
    }
}
