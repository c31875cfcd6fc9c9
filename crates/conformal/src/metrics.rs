//! Figures made of other figures.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Evaluation;

/// Uncertainty-aware accuracy, `Acc · √|Y| / SS` (Ye et al. 2024, equation 8).
///
/// `accuracy` is a fraction, `options` the number of options |Y| (its mean where questions
/// differ), `set_size` the mean prediction-set size. A model that is always right with singleton
/// sets has √|Y|.
pub fn uacc(accuracy: f64, options: f64, set_size: f64) -> f64 {
    accuracy * options.sqrt() / set_size
}

/// Means over evaluations, LAC and APS counted equally, as the paper's tables have them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Mean {
    /// Mean accuracy, a fraction.
    pub acc: f64,
    /// Mean set size over both scores.
    pub set_size: f64,
    /// Mean coverage over both scores, a fraction.
    pub coverage: f64,
    /// Mean UAcc over both scores: the mean of the single values, not made from the other means.
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
