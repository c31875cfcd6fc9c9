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
    from_draws(calibration, test, config, REPLICATES)
}

fn from_draws(
    calibration: &[&Item],
    test: &[&Item],
    config: &Config,
    replicates: usize,
) -> Option<OpenIntervals> {
    let halves = [clusters(calibration), clusters(test)];
    if halves.iter().any(|half| half.len() < MIN_CLUSTERS) || calibration.len() + test.len() > MOST
    {
        return None;
    }
    let draws: Vec<Draw> = (0..replicates)
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
    let all = values.len();
    values.retain(|value| !value.is_nan());
    if values.is_empty() || values.len() < all / 2 {
        return None;
    }
    values.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    let tail = (1.0 - LEVEL) / 2.0;
    let ends = [at(tail), at(1.0 - tail)];
    ends[1].is_finite().then_some(ends)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Meanings;

    /// Answers to each question.
    const DRAWS: usize = 8;

    /// A question of a law: the truth has a probability of its own, and to one in 25 is never said.
    fn item(stream: &mut Stream, number: u64) -> Item {
        let known = stream.unit() >= 0.04;
        let truth = if known { stream.unit().powf(0.4) } else { 0.0 };
        let answers: Vec<String> = (0..DRAWS)
            .map(|_| match stream.unit() {
                place if place < truth => "truth".to_owned(),
                _ => format!("wrong {}", stream.below(3)),
            })
            .collect();
        let mut key = [0; 32];
        key[..8].copy_from_slice(&number.to_le_bytes());
        key[8..16].copy_from_slice(&stream.unit().to_bits().to_le_bytes());
        let texts = answers.iter().map(String::as_str);
        Item {
            key,
            cluster: key,
            meanings: Meanings::of(texts, DRAWS as u32, &["Truth".to_owned()]),
        }
    }

    /// The whole procedure, again and again: coverage is promised on average over calibration and test.
    #[test]
    fn sets_keep_their_promise_and_intervals_theirs() {
        const RUNS: usize = 300;
        let mut stream = Stream::new("simulation of open questions", 3, 0);
        // The truth of the law, from many questions.
        let many: Vec<Item> = (0..40_000)
            .map(|number| item(&mut stream, number))
            .collect();
        let many: Vec<&Item> = many.iter().collect();
        let law = figures(&many[..20_000], &many[20_000..], 0.1);
        let (mut covered, mut finite) = (0.0, 0.0);
        let mut held = [0_usize; 4];
        for _ in 0..RUNS {
            let items: Vec<Item> = (0..160).map(|number| item(&mut stream, number)).collect();
            let (calibration, test) = items.split_at(80);
            let halves = [calibration, test].map(|half| half.iter().collect::<Vec<_>>());
            let sets = OpenSets::of(&halves[0], &halves[1], 0.1);
            // A set of every answer covers.
            covered += sets.coverage.unwrap_or(1.0);
            finite += f64::from(u8::from(sets.threshold.is_some()));
            let intervals = from_draws(&halves[0], &halves[1], &Config::default(), 200).unwrap();
            let within = |ends: Ends, value: f64| {
                usize::from(ends.is_none_or(|[low, high]| (low..=high).contains(&value)))
            };
            held[0] += within(intervals.acc, law[0]);
            held[1] += within(intervals.one_answer_acc, law[1]);
            held[2] += within(intervals.semantic_entropy, law[3]);
            held[3] += within(intervals.coverage, law[4]);
        }
        let coverage = covered / RUNS as f64;
        // The promise, and no more than what ties among eight answers add.
        assert!((0.895..0.96).contains(&coverage), "{coverage}");
        assert!(finite > 0.9 * RUNS as f64);
        for held in held {
            assert!(
                (0.91..=1.0).contains(&(held as f64 / RUNS as f64)),
                "{held} of {RUNS}"
            );
        }
    }

    #[test]
    fn the_least_error_rate_is_the_least_with_a_threshold() {
        let mut stream = Stream::new("least error rate", 1, 0);
        let items: Vec<Item> = (0..90).map(|number| item(&mut stream, number)).collect();
        let (calibration, test) = items.split_at(45);
        let halves = [calibration, test].map(|half| half.iter().collect::<Vec<_>>());
        let of = |alpha| OpenSets::of(&halves[0], &halves[1], alpha);
        let least = of(0.5).least_error_rate;
        assert!(of(least).threshold.is_some());
        assert!(of(least - 1e-6).threshold.is_none());
    }
}
