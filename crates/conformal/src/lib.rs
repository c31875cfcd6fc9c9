//! Conformal prediction for multiple-choice answers.
//!
//! Given a model's log-probabilities (or logits) over the options of many questions and the
//! right answers, this crate splits the questions into a calibration and a test half, sets a
//! threshold on the calibration half and reports accuracy, prediction-set size, coverage and
//! UAcc on the test half, as in *Benchmarking LLMs via Uncertainty Quantification* (Ye et al.,
//! arXiv 2401.12794). It does no I/O and knows neither models nor tasks: slices in, plain
//! structs out.
//!
//! Two [`Protocol`]s are offered:
//!
//! | | `Paper` | `Standard` |
//! |---|---|---|
//! | arithmetic | float32, with NumPy's `exp` | float64 |
//! | split | scikit-learn's `train_test_split` | a fixed share, by a seeded hash of each cluster |
//! | threshold | NumPy's quantile, method `higher` | the ⌈(n+1)(1−α)⌉-th smallest score |
//! | equal probabilities | the later option first | at random, seeded by the row's key |
//!
//! `Paper` reproduces the published tables digit by digit. `Standard` is the one to use for new
//! results: its split keeps clusters of questions whole and hardly moves when rows are added, its
//! threshold is the one for which the coverage guarantee is stated, and its sums are exact at
//! both ends.

mod confidence;
mod evaluate;
mod inference;
mod logits;
mod metrics;
pub mod numpy;
mod options;
mod quantile;
mod real;
mod row_view;
mod score;
mod set;
mod sets;
mod split;
mod table;

pub use confidence::{
    CalibrationErrors, ConfidenceBin, ConfidenceIntervals, Entropy, RowDraws, Selective,
    SelectivePoint, calibration_errors, confidence_intervals, entropy, selective,
};
pub use evaluate::{
    Config, EvaluateError, Evaluation, Protocol, Row, SetSummary, evaluate, evaluate_visiting,
};
pub use inference::{
    Answers, BootstrapInterval, COMPARED, CoverageCheck, CoverageLaw, CoverageVerdict, Effect,
    Estimand, FIGURES, Interval, LEAST_BEYOND, LEAST_CLUSTERS, Least, McNemar, NoInterval,
    NoVariance, Panel, PanelError, RankBand, Reference, Resampled, Resampling, SampleSize,
    SampleSizes, Trend, Variance, Variances, benjamini_hochberg, bootstrap, check_coverage,
    design_effect, detectable_accuracy_difference, detectable_mean_difference, holm, linear_trend,
    mcnemar, pearson, rank_bands, sample_sizes, spearman, wilson, wilson_share,
};
pub use logits::Logits;
pub use metrics::{Mean, mean, uacc};
pub use options::{Order, TieRule, softmax};
pub use quantile::{
    Threshold, conformal_rank, conformal_threshold, numpy_higher_rank, numpy_higher_threshold,
};
pub use real::Real;
pub use score::{Arithmetic, Score};
pub use set::PredictionSet;
pub use sets::{
    Calibrated, CurvePoint, GroupCoverage, Nonconformity, NonconformityError, ProbabilityView,
    RandomSplits, Repeated, Scheme, Scores, SetMetrics, Sets, SizeStratum, Spread, View, calibrate,
    calibrate_jointly, over_alpha, over_ratio, over_temperature, predict, probabilities,
    repeated_splits, set_metrics,
};
pub use split::{
    Split, SplitRule, hash_split, ordered_split, paper_split, split_of, thinned_splits,
};
pub use table::Table;
