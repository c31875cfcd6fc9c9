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
//! | split | scikit-learn's `train_test_split` | by a seeded hash of each row's key |
//! | threshold | NumPy's quantile, method `higher` | the ⌈(n+1)(1−α)⌉-th smallest score |
//! | equal probabilities | the later option first | at random, seeded by the row's key |
//!
//! `Paper` reproduces the published tables digit by digit. `Standard` is the one to use for new
//! results: its split does not move when rows are added or reordered, and its threshold is the
//! one for which the coverage guarantee is stated.

pub mod confidence;
mod evaluate;
pub mod inference;
mod metrics;
pub mod numpy;
mod options;
mod quantile;
mod real;
mod score;
mod set;
mod split;
mod table;
mod view;

pub use evaluate::{
    Config, EvaluateError, Evaluation, Protocol, Row, SetSummary, evaluate, evaluate_visiting,
};
pub use metrics::{Mean, mean, uacc};
pub use options::{Order, TieRule, softmax};
pub use quantile::{
    Threshold, conformal_rank, conformal_threshold, numpy_higher_rank, numpy_higher_threshold,
};
pub use real::Real;
pub use score::Score;
pub use set::PredictionSet;
pub use split::{Split, hash_split, paper_split};
pub use table::Table;
pub use view::View;
