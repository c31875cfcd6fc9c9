#![doc = include_str!("../README.md")]

mod confidence;
mod evaluate;
mod inference;
pub mod numpy;
mod orders;
mod protocol;
mod ranked;
mod real;
mod risk;
mod row;
mod score;
mod sets;
mod split;
mod table;

pub use confidence::{
    CalibrationErrors, ConfidenceBin, ConfidenceIntervals, Entropy, MIN_CLUSTERS_OF_A_KIND,
    RowDraws, Selective, SelectiveIntervals, SelectivePoint, calibration_errors,
    confidence_intervals, ece_influence, entropy, selective, selective_intervals, selective_of,
};
pub use evaluate::{
    Evaluation, Mean, SetSummary, evaluate, evaluate_visiting, mean, several_right_note, uacc,
};
pub use inference::{
    Answers, BootstrapInterval, COMPARED, CoverageCheck, CoverageLaw, CoverageVerdict, Effect,
    Estimand, FIGURES, Guessing, Interval, Least, MIN_CLUSTERS, MIN_CLUSTERS_BEYOND,
    MIN_EFFECTIVE_CLUSTERS, McNemar, NoInterval, NoVariance, Panel, PanelError, RankBand,
    Reference, Resampled, Resampling, SampleSize, SampleSizes, Stream, ThresholdLaw, Trend,
    Variance, Variances, benjamini_hochberg, bootstrap, check_coverage, design_effect,
    detectable_accuracy_difference, detectable_mean_difference, effect_of_residuals,
    effective_clusters, figure_step, holm, influence_interval, least_difference, linear_trend,
    mcnemar, part_interval, pearson, rank_bands, sample_sizes, spearman, tail, threshold_law,
    wilson, wilson_share,
};
pub use orders::{LetterPrior, averaged_orders};
pub use protocol::{Config, EvaluateError, Protocol, SplitRule};
pub use ranked::Ranked;
pub use real::Real;
pub use risk::{
    AnswerRule, Answered, DELTA, Promises, SureAnswer, at_most_wrong, at_most_wrong_of_answered,
    confidence_grid, share_grid, sure_answers,
};
pub use row::{Logits, Order, Row, TieRule, softmax};
pub use score::{
    Arithmetic, Covers, PredictionSet, Score, Threshold, conformal_rank, conformal_threshold,
    numpy_higher_rank, numpy_higher_threshold,
};
pub use sets::{
    Calibrated, CurvePoint, GroupCoverage, Influence, Nonconformity, NonconformityError,
    ProbabilityView, RandomSplits, RandomisedTies, Repeated, Scheme, Scores, SetMetrics, Sets,
    SizeStratum, Spread, View, calibrate, calibrate_jointly, coverage_influence, over_alpha,
    over_ratio, over_temperature, predict, probabilities, randomised_ties, repeated_splits,
    set_metrics,
};
pub use split::{
    Split, hash_split, ordered_split, paper_split, split_keys, split_of, thinned_splits,
};
pub use sureness_right::RightOptions;
pub use table::Table;
