//! What chance leaves of a figure: intervals, tests, ranks.
//!
//! All of it is about test rows that could have been others from the same source. Nothing here
//! reads a clock or depends on the number of threads: equal seeds give equal results.

mod bootstrap;
mod coverage;
mod interval;
mod multiple;
mod normal;
mod outcomes;
mod paired;
mod panel;
mod power;
mod random;
mod ranks;
mod student;
mod swaps;
mod trend;

pub use bootstrap::{BootstrapInterval, Resampling, bootstrap, bootstrap_each};
pub use coverage::{CoverageCheck, CoverageLaw, CoverageVerdict, check_coverage};
pub use interval::wilson;
pub use multiple::{benjamini_hochberg, holm};
pub use outcomes::{Outcome, OutcomeIntervals, outcome_intervals};
pub use paired::{McNemar, PairedComparison, PairedDifference, compare_paired, mcnemar};
pub use panel::{FIGURES, Panel, PanelError, Resampled};
pub use power::{detectable_accuracy_difference, detectable_mean_difference};
pub use ranks::{RankBand, rank_bands};
pub use trend::{Trend, linear_trend, pearson, spearman};
