//! How many requests may be in flight: the adaptive concurrency limit.

mod auto;
mod meter;
mod sample;
mod slow_start;
mod work;

use std::num::NonZeroUsize;

use auto::Auto;
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
pub struct Controller(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Fixed(NonZeroUsize),
    Auto(Box<Auto>),
}

impl Controller {
    /// A controller that knows nothing about its server yet.
    pub fn new(workers: Workers) -> Self {
        Self(match workers {
            Workers::Fixed(n) => Kind::Fixed(n),
            Workers::Auto { max } => Kind::Auto(Box::new(Auto::new(max.get()))),
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

    /// What the controller is doing.
    pub fn phase(&self) -> Phase {
        match &self.0 {
            Kind::Fixed(_) => Phase::Fixed,
            Kind::Auto(auto) => auto.phase(),
        }
    }
}
