//! Intervals of how well signs tell right from wrong answers.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sureness_conformal::{Interval, selective_intervals};

use crate::{Ends, Item, Sign};

/// Test clusters that these intervals take, as those of the confidence of multiple-choice answers.
pub const LEAST_SIGN_CLUSTERS: usize = 50;

/// Intervals of a sign's figures over test halves like this one ([`selective_intervals`]). The calibration
/// half has no part in these figures. All are missing where fewer than
/// [`sureness_conformal::MIN_CLUSTERS_OF_A_KIND`] clusters of questions are answered right, or wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SignIntervals {
    /// Confidence level, a fraction.
    pub level: f64,
    /// Of AUROC; missing, too, where it is 0 or 1.
    pub auroc: Ends,
    /// Of AURC.
    pub aurc: Ends,
    /// Of PRR; missing, too, where it is 1.
    pub prr: Ends,
}

/// Adds the intervals to the signs of these test items, which are in the order of
/// [`Item::sureness`]; none where there are too few clusters.
pub(crate) fn add(signs: &mut [Sign], test: &[&Item], level: f64) {
    let clusters: Vec<[u8; 32]> = test.iter().map(|item| item.cluster).collect();
    let different: BTreeSet<[u8; 32]> = clusters.iter().copied().collect();
    if different.len() < LEAST_SIGN_CLUSTERS {
        return;
    }
    let ends = |interval: Option<Interval>| interval.map(|it| [it.low, it.high]);
    for (index, sign) in signs.iter_mut().enumerate() {
        let answers: Vec<(f64, bool)> = test
            .iter()
            .map(|item| (item.sureness(index), item.is_right()))
            .collect();
        let found = selective_intervals(&answers, &clusters, level);
        sign.intervals = Some(SignIntervals {
            level,
            auroc: ends(found.auroc),
            aurc: ends(found.aurc),
            prr: ends(found.prr),
        });
    }
}
