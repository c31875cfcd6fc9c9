//! Prediction sets by any nonconformity score, and their metrics.
//!
//! [`Scores`] holds one number per row and option. [`calibrate`] sets thresholds on the calibration
//! rows under a [`Scheme`], [`predict`] makes the sets of the test rows, [`set_metrics`] measures
//! them. [`repeated_splits`] and the curves do so for many splits and settings at once.

mod columns;
mod curves;
mod influence;
mod metrics;
mod nonconformity;
mod repeated;
mod scheme;
mod scores;
mod ties;
mod view;

pub use curves::{CurvePoint, over_alpha, over_ratio, over_temperature};
pub use influence::{Influence, coverage_influence};
pub use metrics::{GroupCoverage, SetMetrics, SizeStratum, set_metrics};
pub use nonconformity::{Nonconformity, NonconformityError};
pub use repeated::{RandomSplits, Repeated, Spread, repeated_splits};
pub use scheme::{Calibrated, Scheme, Sets, calibrate, calibrate_jointly, predict};
pub use scores::Scores;
pub use ties::{RandomisedTies, randomised_ties};
pub use view::{ProbabilityView, View, probabilities};
