//! How many requests may be in flight: the adaptive concurrency limit.

mod sample;

use std::num::NonZeroUsize;

pub use sample::{Outcome, Sample};

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
pub struct Controller {
    workers: Workers,
}

impl Controller {
    /// A controller that knows nothing about its server yet.
    pub fn new(workers: Workers) -> Self {
        Self { workers }
    }

    /// How many attempts may be in flight now: at least one.
    pub fn limit(&self) -> usize {
        match self.workers {
            Workers::Fixed(n) => n.get(),
            Workers::Auto { .. } => 1,
        }
    }

    /// Tells of one attempt that is over.
    pub fn finished(&mut self, sample: &Sample) {
        let _ = sample;
    }

    /// What the controller is doing.
    pub fn phase(&self) -> Phase {
        match self.workers {
            Workers::Fixed(_) => Phase::Fixed,
            Workers::Auto { .. } => Phase::SlowStart,
        }
    }
}
