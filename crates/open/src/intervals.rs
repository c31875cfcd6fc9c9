//! Bootstrap intervals of the whole procedure: whole clusters of both halves are drawn anew, and each
//! draw sets its own threshold.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sureness_conformal::{Config, MIN_CLUSTERS, Stream, selective_of};

use crate::{Item, OpenSets};

/// Draws of both halves.
const REPLICATES: usize = 1000;
/// Confidence level.
const LEVEL: f64 = 0.95;
/// Questions above which no interval is drawn: it would take minutes.
const MOST: usize = 200_000;

/// Lower and upper end of an interval; `None` where it has no finite ends.
pub type Ends = Option<[f64; 2]>;

/// Percentile intervals (Efron 1979).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpenIntervals {
    /// Confidence level, a fraction.
    pub level: f64,
    /// Of accuracy.
    pub acc: Ends,
    /// Of the share of right answers.
    pub one_answer_acc: Ends,
    /// Of the share of questions whose truth was generated.
    pub generated: Ends,
    /// Of the mean semantic entropy.
    pub semantic_entropy: Ends,
    /// Of coverage; missing where more than one draw in forty has no finite threshold.
    pub coverage: Ends,
    /// Of set size, likewise.
    pub set_size: Ends,
    /// Of the AUROC of semantic entropy.
    pub entropy_auroc: Ends,
}

/// Values of one draw, in the order of the fields; NaN where a figure does not exist.
type Draw = [f64; 7];

pub(crate) fn of(calibration: &[&Item], test: &[&Item], config: &Config) -> Option<OpenIntervals> {
    let halves = [clusters(calibration), clusters(test)];
    if halves.iter().any(|half| half.len() < MIN_CLUSTERS) || calibration.len() + test.len() > MOST
    {
        return None;
    }
    let draws: Vec<Draw> = (0..REPLICATES)
        .map(|replicate| {
            let mut stream = Stream::new("open questions", config.seed, replicate);
            let [calibration, test] =
                [&halves[0], &halves[1]].map(|half| redrawn(half, &mut stream));
            figures(&calibration, &test, config.alpha)
        })
        .collect();
    let ends = |figure: usize| ends(draws.iter().map(|draw| draw[figure]).collect());
    Some(OpenIntervals {
        level: LEVEL,
        acc: ends(0),
        one_answer_acc: ends(1),
        generated: ends(2),
        semantic_entropy: ends(3),
        coverage: ends(4),
        set_size: ends(5),
        entropy_auroc: ends(6),
    })
}

/// The items of each cluster.
fn clusters<'a>(items: &[&'a Item]) -> Vec<Vec<&'a Item>> {
    let mut clusters: BTreeMap<[u8; 32], Vec<&Item>> = BTreeMap::new();
    for item in items {
        clusters.entry(item.cluster).or_default().push(item);
    }
    clusters.into_values().collect()
}

fn redrawn<'a>(clusters: &[Vec<&'a Item>], stream: &mut Stream) -> Vec<&'a Item> {
    let draws = (0..clusters.len()).map(|_| stream.below(clusters.len()));
    draws
        .flat_map(|cluster| clusters[cluster].iter().copied())
        .collect()
}

fn figures(calibration: &[&Item], test: &[&Item], alpha: f64) -> Draw {
    let n = test.len() as f64;
    let mean = |of: fn(&Item) -> f64| test.iter().map(|item| of(item)).sum::<f64>() / n;
    let sets = OpenSets::of(calibration, test, alpha);
    let answers = test.iter().map(|item| (item.sureness(1), item.is_right()));
    let auroc = selective_of(answers).and_then(|selective| selective.auroc);
    [
        mean(|item| f64::from(u8::from(item.is_right()))),
        mean(|item| item.meanings.share_accepted()),
        mean(|item| f64::from(u8::from(item.meanings.is_generated()))),
        mean(|item| item.meanings.entropy()),
        // Without a finite threshold a set is every answer: larger than any number.
        sets.coverage.unwrap_or(f64::INFINITY),
        sets.set_size.unwrap_or(f64::INFINITY),
        auroc.unwrap_or(f64::NAN),
    ]
}

fn ends(mut values: Vec<f64>) -> Ends {
    values.retain(|value| !value.is_nan());
    if values.len() < REPLICATES / 2 {
        return None;
    }
    values.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    let tail = (1.0 - LEVEL) / 2.0;
    let ends = [at(tail), at(1.0 - tail)];
    ends[1].is_finite().then_some(ends)
}
