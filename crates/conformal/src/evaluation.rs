//! The headline figures.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Covers, Protocol};

/// Figures of one score on the test set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SetSummary {
    /// The threshold; `None` where the calibration set is too small for a finite one, so that every
    /// set is full.
    pub qhat: Option<f64>,
    /// Mean number of options in a prediction set.
    pub set_size: f64,
    /// Share of sets that contain the right answer.
    pub coverage: f64,
    /// `Acc · √|Y| / SS`.
    pub uacc: f64,
    /// Share of sets that were empty before they were filled with the most probable option. Filling
    /// can raise coverage above `1 − alpha`. `None` in results of version 0.1.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty_rate: Option<f64>,
}

/// Figures of one model on one task with one prompt strategy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evaluation {
    /// Rows that set the threshold.
    pub n_calibration: usize,
    /// Rows that are measured.
    pub n_test: usize,
    /// Share of test rows whose most probable option is right.
    pub acc: f64,
    /// Share of test rows whose most probable option is "I don't know".
    pub e_rate: f64,
    /// Share of test rows whose most probable option is "None of the above".
    pub f_rate: f64,
    /// Rows of both halves with several right options; omitted where there are none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub several_right: usize,
    /// Sets by the LAC score.
    pub lac: SetSummary,
    /// Sets by the APS score.
    pub aps: SetSummary,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde calls"
)]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// In float32, sums this close to 1 differ more by rounding than by probability: a gap of some 17
/// nats.
const SINGLE_ROUNDING: f64 = 1.0 - 1.2e-7;

impl Evaluation {
    /// Whether the APS threshold is so close to 1 that the paper's protocol, which adds in float32,
    /// separates options by rounding error.
    pub fn aps_is_within_rounding(&self) -> bool {
        self.aps.qhat.is_some_and(|qhat| qhat >= SINGLE_ROUNDING)
    }

    /// How many questions have several right options, and what that means for the figures. `None`
    /// without any.
    pub fn several_note(&self, covers: Covers) -> Option<String> {
        (self.several_right > 0).then(|| {
            several_right_note(self.several_right, self.n_calibration + self.n_test, covers)
        })
    }

    /// A caveat about the APS sets where rounding, or the sum down to the last option, determines
    /// them.
    pub fn aps_note(&self, protocol: Protocol) -> Option<&'static str> {
        self.aps.qhat?;
        match protocol {
            Protocol::Paper if self.aps_is_within_rounding() => Some(
                "the APS threshold is within float32 rounding of 1, where sums differ by rounding: \
                 set sizes and coverage depend on it",
            ),
            // All sets full: UAcc = Acc · √|Y| / |Y|.
            Protocol::Standard
                if self.acc > 0.0
                    && (self.aps.uacc * self.aps.set_size.sqrt() / self.acc - 1.0).abs() < 1e-9
                    && self.aps.set_size > 1.5 =>
            {
                Some(
                    "every APS set is full: the right option is ranked last more often than the \
                     error rate allows, so that the threshold is the sum of all options; \
                     aps-randomized avoids this",
                )
            }
            _ => None,
        }
    }
}

/// The same for so many questions `of` so many.
pub fn several_right_note(several: usize, of: usize, covers: Covers) -> String {
    let held = match covers {
        Covers::Any => "at least one of them",
        Covers::All => "all of them",
    };
    format!(
        "{several} of {of} questions have several right answers: an answer is right if it is one of \
         them, a set covers if it holds {held} (--covers {})",
        covers.name()
    )
}

/// Uncertainty-aware accuracy, `Acc · √|Y| / SS` (Ye et al. 2024, equation 8).
///
/// `accuracy` is a fraction, `options` the number of options |Y| (its mean where questions
/// differ), `set_size` the mean prediction-set size. A model that is always right with singleton
/// sets has √|Y|.
pub fn uacc(accuracy: f64, options: f64, set_size: f64) -> f64 {
    accuracy * options.sqrt() / set_size
}

/// Means over evaluations, with LAC and APS weighted equally, as in the paper's tables.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Mean {
    /// Mean accuracy, a fraction.
    pub acc: f64,
    /// Mean set size over both scores.
    pub set_size: f64,
    /// Mean coverage over both scores, a fraction.
    pub coverage: f64,
    /// Mean UAcc over both scores: the mean of the individual values, not computed from the other
    /// means.
    pub uacc: f64,
}

/// Averages evaluations, such as those of the three prompt strategies, as the paper does.
/// `None` for no evaluations.
pub fn mean<'a>(evaluations: impl IntoIterator<Item = &'a Evaluation>) -> Option<Mean> {
    let mut total = Mean {
        acc: 0.0,
        set_size: 0.0,
        coverage: 0.0,
        uacc: 0.0,
    };
    let mut n = 0.0;
    for e in evaluations {
        total.acc += e.acc;
        total.set_size += f64::midpoint(e.lac.set_size, e.aps.set_size);
        total.coverage += f64::midpoint(e.lac.coverage, e.aps.coverage);
        total.uacc += f64::midpoint(e.lac.uacc, e.aps.uacc);
        n += 1.0;
    }
    (n > 0.0).then(|| Mean {
        acc: total.acc / n,
        set_size: total.set_size / n,
        coverage: total.coverage / n,
        uacc: total.uacc / n,
    })
}
