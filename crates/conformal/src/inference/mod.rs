//! What chance leaves of a figure: intervals, tests, ranks.
//!
//! [`Panel`] is about the whole procedure: other calibration and other test questions from the same
//! source. [`outcome_intervals`] and [`compare_paired`] take thresholds as given. Nothing here reads
//! a clock or depends on the number of threads: equal seeds give equal results.

mod bootstrap;
mod cell;
mod clusters;
mod coverage;
mod interval;
mod law;
mod mask;
mod mcnemar;
mod multiple;
mod normal;
mod panel;
mod power;
mod random;
mod ranks;
mod reference;
mod resampled;
mod sample_size;
mod signs;
mod student;
mod trend;
mod variance;

pub use bootstrap::{BootstrapInterval, Resampling, bootstrap};
pub(crate) use bootstrap::{Units, acceleration, quantile};
pub use clusters::design_effect;
pub use coverage::{CoverageCheck, CoverageLaw, CoverageVerdict, check_coverage};
pub use interval::{wilson, wilson_share};
pub use mcnemar::{McNemar, mcnemar};
pub use multiple::{benjamini_hochberg, holm};
pub use panel::{
    Answers, COMPARED, Estimand, FIGURES, LEAST_BEYOND, LEAST_CLUSTERS, NoInterval, Panel,
    PanelError,
};
pub use power::{detectable_accuracy_difference, detectable_mean_difference};
pub use ranks::{RankBand, rank_bands};
pub use reference::Reference;
pub use resampled::{Interval, Resampled};
pub(crate) use resampled::{spread, tail};
pub use sample_size::{Effect, Least, SampleSize, SampleSizes, sample_sizes};
pub use trend::{Trend, linear_trend, pearson, spearman};
pub use variance::{NoVariance, Variance, Variances};
