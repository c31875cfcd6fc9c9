#![doc = include_str!("../README.md")]

mod asymptotic;
mod betting;
mod bounded;
mod figures;
mod metric;
mod narrow;
mod order;
mod pursuit;
mod question;
mod settle;

pub use asymptotic::{Asymptotic, burn_in};
pub use bounded::{Bounded, Sides};
pub use metric::Metric;
pub use narrow::{Narrowed, Narrowing};
pub use order::random_order;
pub use pursuit::Pursuit;
pub use question::{Answers, Goal, Question, TaskScores};
pub use settle::{PairVerdict, Settling, Verdict};

/// Where values are drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draws {
    /// A source without end, or a finite set with replacement.
    With,
    /// A finite set, each member at most once, in random order. The mean is that of the set.
    Without {
        /// Members of the set.
        of: u64,
    },
}

impl Draws {
    /// The share of the set that is left after `seen` draws; 1 with replacement.
    fn left(self, seen: u64) -> f64 {
        match self {
            Self::With => 1.0,
            Self::Without { of } => 1.0 - seen as f64 / of.max(1) as f64,
        }
    }
}
