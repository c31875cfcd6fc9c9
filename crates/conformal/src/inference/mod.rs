//! Statistical inference: intervals, tests, ranks, sample sizes.
//!
//! [`Panel`] covers the whole procedure: other calibration and other test questions from the same
//! source. Nothing here reads a clock or depends on the number of threads: equal seeds give equal
//! results.

mod bootstrap;
mod cell;
mod clusters;
mod coverage;
mod figure;
mod guessing;
mod influences;
mod interval;
mod law;
mod mask;
mod mcnemar;
mod multiple;
mod normal;
mod panel;
mod part;
mod power;
mod random;
mod ranks;
mod reference;
mod resample;
mod resampled;
mod row_clusters;
mod sample_size;
mod signs;
mod stratum;
mod student;
mod trend;
mod variance;

pub(crate) use bootstrap::quantile;
pub use bootstrap::{BootstrapInterval, Resampling, bootstrap};
pub use clusters::{design_effect, effect_of_residuals, effective_clusters};
pub use coverage::{CoverageCheck, CoverageLaw, CoverageVerdict, check_coverage};
pub use figure::{
    COMPARED, Estimand, FIGURES, MIN_CLUSTERS, MIN_CLUSTERS_BEYOND, MIN_EFFECTIVE_CLUSTERS,
    NoInterval, figure_step,
};
pub use guessing::Guessing;
pub use influences::influence_interval;
pub(crate) use interval::spread;
pub use interval::{Interval, tail, wilson, wilson_share};
pub use law::threshold_law;
pub use mcnemar::{McNemar, mcnemar};
pub use multiple::{benjamini_hochberg, holm};
pub use panel::{Answers, Panel, PanelError};
pub use part::{ThresholdLaw, part_interval};
pub use power::{detectable_accuracy_difference, detectable_mean_difference, least_difference};
pub use random::Stream;
pub use ranks::{RankBand, rank_bands};
pub use reference::Reference;
pub use resampled::Resampled;
pub(crate) use row_clusters::RowClusters;
pub use sample_size::{Effect, Least, SampleSize, SampleSizes, sample_sizes};
pub(crate) use student::two_sided_quantile;
pub use trend::{Trend, linear_trend, pearson, spearman};
pub use variance::{NoVariance, Variance, Variances};
