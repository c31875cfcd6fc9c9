//! The figures of a panel and of its replicates.

/// Number of figures of a panel: accuracy, coverage, mean set size, `UAcc`, and the shares of
/// single-option sets and of empty sets.
pub const FIGURES: usize = 6;

/// Number of figures that are compared between models, the first ones.
pub const COMPARED: usize = 4;

pub(super) const ACC: usize = 0;
pub(super) const COVERAGE: usize = 1;
const SET_SIZE: usize = 2;
pub(super) const UACC: usize = 3;

/// The least that an answer can move a question's part of a figure (its index in a panel): an answer to one of
/// `strategies` prompts, and of coverage and set size one of the two sets, LAC's and APS's. `None` for `UAcc`,
/// which moves by any amount, and for figures that are not compared.
#[must_use]
pub fn figure_step(figure: usize, strategies: f64) -> Option<f64> {
    match figure {
        ACC => Some(1.0 / strategies),
        COVERAGE | SET_SIZE => Some(0.5 / strategies),
        _ => None,
    }
}

/// Minimum number of calibration clusters at or above the threshold for an interval of a figure
/// that depends on it: with fewer, draws cannot show how much higher the threshold could be.
pub const MIN_CLUSTERS_BEYOND: usize = 4;

/// Minimum number of clusters in each half for an interval.
pub const MIN_CLUSTERS: usize = 20;

/// Minimum number of clusters of one size that would say as much as those of a half: a few large ones
/// among many small ones decide a figure, and draws of whole clusters do not show what others would do.
pub const MIN_EFFECTIVE_CLUSTERS: f64 = 12.0;

/// The target of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Estimand {
    /// The figure of the whole procedure: its mean over calibration and test sets of the same size
    /// from the same source.
    Procedure,
    /// The figure of the given threshold on other test questions.
    Deployed,
}

/// The reason for a missing interval.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum NoInterval {
    /// A half has fewer than [`MIN_CLUSTERS`] clusters, or clusters so unequal that they say as much as
    /// fewer than [`MIN_EFFECTIVE_CLUSTERS`] of one size, or fewer than [`MIN_CLUSTERS_BEYOND`]
    /// calibration clusters reach a threshold.
    TooFew,
    /// A threshold is infinite: every set is full, whatever the model.
    Full,
}

/// Figures with the imagined cluster at its worst and at its best; see [`super::clusters`].
pub(super) type Ends = [[f64; FIGURES]; 2];

/// Figures under the threshold of a draw, and averaged over the thresholds of further calibration
/// sets like the drawn one.
pub(super) type Replicate = [Ends; 2];

/// Indices into a [`Replicate`].
pub(super) const DRAWN: usize = 0;
pub(super) const AVERAGED: usize = 1;
