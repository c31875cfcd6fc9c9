//! Intervals of the figures of a task.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sureness_conformal::{
    Config, MIN_CLUSTERS, NoInterval, Resampling, design_effect, effect_of_residuals, wilson_share,
};

use crate::{Item, set_intervals};

/// How intervals are drawn.
pub(crate) struct Drawing {
    /// Confidence level.
    pub(crate) level: f64,
    /// Draws of both halves.
    pub(crate) replicates: usize,
}

/// Lower and upper end of an interval; `None` where there is none.
pub type Ends = Option<[f64; 2]>;

/// Intervals of the figures of the test half; those of sets are about the whole procedure, with both
/// halves drawn anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpenIntervals {
    /// Confidence level, a fraction.
    pub level: f64,
    /// Of accuracy, by Wilson (1927), with the effective number of questions of clusters.
    pub acc: Ends,
    /// Of the share of right answers: Wilson's with the variance of such shares; missing below 20
    /// clusters of test questions.
    pub one_answer_acc: Ends,
    /// Of the share of questions whose truth was generated, as that of accuracy.
    pub generated: Ends,
    /// Of the mean semantic entropy, as that of the share of right answers.
    pub semantic_entropy: Ends,
    /// Of coverage, from 1,000 draws of both halves.
    pub coverage: Ends,
    /// Of set size, likewise.
    pub set_size: Ends,
    /// Why those of sets are missing; `None` where they are not, and in results of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_sets: Option<NoInterval>,
}

pub(crate) fn of(
    calibration: &[&Item],
    test: &[&Item],
    config: &Config,
    level: f64,
) -> OpenIntervals {
    // Of the draws, some have to lie beyond each end.
    let drawing = Drawing {
        level,
        replicates: Resampling::needed(level).clamp(1000, Resampling::MOST),
    };
    from_draws(calibration, test, config, &drawing)
}

fn from_draws(
    calibration: &[&Item],
    test: &[&Item],
    config: &Config,
    drawing: &Drawing,
) -> OpenIntervals {
    let level = drawing.level;
    let clusters: Vec<[u8; 32]> = test.iter().map(|item| item.cluster).collect();
    let mean = |of: fn(&Item) -> f64, most: f64| {
        let values: Vec<f64> = test.iter().map(|item| of(item)).collect();
        mean_of_bounded(&values, most, &clusters, level)
    };
    let answers = test.iter().map(|item| item.meanings.given()).max();
    let most_entropy = f64::from(answers.unwrap_or(1)).ln();
    let sets = set_intervals::of(calibration, test, config, drawing);
    OpenIntervals {
        level,
        acc: Some(share(test, Item::is_right, level)),
        one_answer_acc: mean(|item| item.meanings.share_accepted(), 1.0),
        generated: Some(share(test, |item| item.meanings.is_generated(), level)),
        semantic_entropy: mean(|item| item.meanings.entropy(), most_entropy),
        coverage: sets.ok().map(|sets| sets.coverage),
        set_size: sets.ok().map(|sets| sets.set_size),
        no_sets: sets.err(),
    }
}

/// Wilson's interval of the share of items `inside`, whose number is divided by the design effect.
pub(crate) fn share(items: &[&Item], inside: impl Fn(&Item) -> bool, level: f64) -> [f64; 2] {
    let clusters: Vec<[u8; 32]> = items.iter().map(|item| item.cluster).collect();
    let inside: Vec<bool> = items.iter().map(|item| inside(item)).collect();
    let count = inside.iter().filter(|&&inside| inside).count();
    let n = items.len() as f64;
    let effective = n / design_effect(&clusters, &inside);
    let (low, high) = wilson_share(count as f64 / n, effective, level);
    [low, high]
}

/// The interval of the mean of values from 0 to `most`; `None` below [`MIN_CLUSTERS`] clusters.
///
/// Wilson's, with as many questions as would make a share's variance that of the values: no value within
/// the bounds varies more than a share does, and near a bound Wilson's interval is as wide as it must be. To
/// the variance comes that of one imagined cluster at a bound, since few values seldom show the rarest.
fn mean_of_bounded(values: &[f64], most: f64, clusters: &[[u8; 32]], level: f64) -> Ends {
    let n = values.len() as f64;
    if most <= 0.0 {
        // One answer to each question has no entropy, whatever the answers.
        return Some([0.0, 0.0]);
    }
    let mean = values.iter().sum::<f64>() / n / most;
    let mut residuals: BTreeMap<&[u8; 32], (f64, f64)> = BTreeMap::new();
    for (value, cluster) in values.iter().zip(clusters) {
        let (residual, size) = residuals.entry(cluster).or_default();
        *residual += value / most - mean;
        *size += 1.0;
    }
    if residuals.len() < MIN_CLUSTERS {
        return None;
    }
    let effect = effect_of_residuals(residuals.values().copied(), n * mean * (1.0 - mean));
    let (low, high) = wilson_share(mean, n / effect, level);
    Some([low * most, high * most])
}

#[cfg(test)]
mod tests {
    use sureness_conformal::{MIN_CLUSTERS_BEYOND, Stream};

    use super::*;
    use crate::{Meanings, OpenSets};

    /// Answers to each question.
    const ANSWERS: u32 = 8;

    /// A law of questions.
    #[derive(Debug, Clone, Copy)]
    struct Law {
        /// Share of questions to which the truth is never said.
        unknown: f64,
        /// The larger, the rarer the truth is said where it is known.
        doubt: f64,
        /// Other answers that may be said.
        others: usize,
        /// Share of questions whose eight answers are 5 right and 3 wrong ones that agree. Half of the
        /// others have 8 right ones, and half 3 right ones and three kinds of wrong ones, so that the
        /// threshold lies now below, now above the score of the many.
        fixed: f64,
        /// Questions with the same answers.
        copies: usize,
    }

    fn items(law: &Law, n: usize, stream: &mut Stream) -> Vec<Item> {
        let mut items: Vec<Item> = Vec::with_capacity(n);
        for number in 0..n {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&stream.unit().to_bits().to_le_bytes());
            if let Some(before) = items.last().filter(|_| number % law.copies > 0).cloned() {
                items.push(Item { key, ..before });
                continue;
            }
            let known = stream.unit() >= law.unknown;
            let truth = if known {
                stream.unit().powf(law.doubt)
            } else {
                0.0
            };
            let answers: Vec<String> = if law.fixed > 0.0 {
                let kinds: &[usize] = match (stream.unit() - law.fixed) / (1.0 - law.fixed) {
                    place if place < 0.0 => &[5, 3],
                    place if place < 0.5 => &[8],
                    _ => &[3, 2, 2, 1],
                };
                let name = |kind| {
                    if kind == 0 {
                        "truth".into()
                    } else {
                        format!("wrong {kind}")
                    }
                };
                let each = kinds.iter().enumerate();
                each.flat_map(|(kind, &times)| vec![name(kind); times])
                    .collect()
            } else {
                (0..ANSWERS)
                    .map(|_| match stream.unit() {
                        place if place < truth => "truth".to_owned(),
                        _ => format!("wrong {}", stream.below(law.others)),
                    })
                    .collect()
            };
            items.push(Item {
                key,
                cluster: key,
                meanings: Meanings::of(
                    answers.iter().map(String::as_str),
                    ANSWERS,
                    &["Truth".to_owned()],
                ),
            });
        }
        items
    }

    /// Accuracy, one answer, generated, entropy, coverage and set size; the last two NaN where no
    /// threshold is finite.
    fn figures(calibration: &[&Item], test: &[&Item], alpha: f64) -> [f64; 6] {
        let n = test.len() as f64;
        let mean = |of: fn(&Item) -> f64| test.iter().map(|item| of(item)).sum::<f64>() / n;
        let sets = OpenSets::of(calibration, test, alpha);
        [
            mean(|item| f64::from(u8::from(item.is_right()))),
            mean(|item| item.meanings.share_accepted()),
            mean(|item| f64::from(u8::from(item.meanings.is_generated()))),
            mean(|item| item.meanings.entropy()),
            sets.coverage.unwrap_or(f64::NAN),
            sets.set_size.unwrap_or(f64::NAN),
        ]
    }

    fn halves(items: &[Item]) -> [Vec<&Item>; 2] {
        let (calibration, test) = items.split_at(items.len() / 2);
        [calibration, test].map(|half| half.iter().collect())
    }

    const MIDDLING: Law = Law {
        unknown: 0.02,
        doubt: 0.4,
        others: 3,
        fixed: 0.0,
        copies: 1,
    };

    /// Always right, with a threshold between two scores that most questions have.
    const BETWEEN: Law = Law {
        fixed: 0.82,
        ..MIDDLING
    };

    /// Nearly always right, and sure of it.
    const EXPERT: Law = Law {
        unknown: 0.01,
        doubt: 0.02,
        ..MIDDLING
    };

    /// Nearly never right.
    const LOST: Law = Law {
        unknown: 0.95,
        others: 30,
        ..MIDDLING
    };

    /// The mean figures of many samples, those of sets over samples with a finite threshold, and mean
    /// coverage, where a set of every answer covers.
    fn truth(law: &Law, n: usize, stream: &mut Stream) -> ([f64; 6], f64) {
        const SAMPLES: usize = 600;
        let (mut sums, mut finite, mut covered) = ([0.0; 6], 0.0, 0.0);
        for _ in 0..SAMPLES {
            let items = items(law, n, stream);
            let [calibration, test] = halves(&items);
            let found = figures(&calibration, &test, 0.1);
            covered += if found[4].is_nan() { 1.0 } else { found[4] };
            finite += f64::from(u8::from(!found[4].is_nan()));
            for (sum, figure) in sums.iter_mut().zip(found) {
                *sum += if figure.is_nan() { 0.0 } else { figure };
            }
        }
        let all = SAMPLES as f64;
        let of = |figure: usize| sums[figure] / if figure < 4 { all } else { finite };
        (std::array::from_fn(of), covered / all)
    }

    /// The whole procedure, again and again: coverage is promised on average over calibration and test,
    /// and each interval is to hold the mean figure about as often as it says, or more. Where most samples
    /// have no interval, the others are no samples of the law, and errors count among all.
    #[test]
    fn sets_keep_their_promise_and_intervals_theirs() {
        const SAMPLES: usize = 200;
        let drawing = Drawing {
            level: 0.95,
            replicates: 300,
        };
        let mut broken = Vec::new();
        let copies = Law {
            copies: 4,
            ..MIDDLING
        };
        for (law, n) in [
            (MIDDLING, 160),
            (EXPERT, 80),
            (LOST, 100),
            (copies, 400),
            (BETWEEN, 240),
        ] {
            let mut stream = Stream::new("simulation of open questions", 3, n);
            let (means, covered) = truth(&law, n, &mut stream);
            if covered < 0.895 {
                broken.push(format!("{law:?} {n}: covered {covered}"));
            }
            let (mut wrong, mut shown) = ([0_usize; 6], [0_usize; 6]);
            for _ in 0..SAMPLES {
                let items = items(&law, n, &mut stream);
                let [calibration, test] = halves(&items);
                let found = from_draws(&calibration, &test, &Config::default(), &drawing);
                for (figure, ends) in all(&found).into_iter().enumerate() {
                    let Some([low, high]) = ends else { continue };
                    shown[figure] += 1;
                    wrong[figure] += usize::from(!(low..=high).contains(&means[figure]));
                }
            }
            println!("{law:?}, n {n}: wrong {wrong:?} of {shown:?}; means {means:.3?}");
            for (wrong, shown) in wrong.into_iter().zip(shown) {
                let of = if 2 * shown < SAMPLES { SAMPLES } else { shown };
                if wrong as f64 > 0.1 * of as f64 {
                    broken.push(format!("{law:?} {n}: {wrong} of {shown} wrong"));
                }
            }
        }
        assert!(broken.is_empty(), "{}", broken.join("\n"));
    }

    fn all(found: &OpenIntervals) -> [Ends; 6] {
        [
            found.acc,
            found.one_answer_acc,
            found.generated,
            found.semantic_entropy,
            found.coverage,
            found.set_size,
        ]
    }

    #[test]
    fn no_interval_is_without_width() {
        let law = Law {
            unknown: 0.0,
            doubt: 0.0,
            others: 1,
            ..MIDDLING
        };
        let items = items(&law, 100, &mut Stream::new("all right", 1, 0));
        let [calibration, test] = halves(&items);
        let found = of(&calibration, &test, &Config::default(), 0.95);
        assert!(calibration.len() > MIN_CLUSTERS_BEYOND);
        for ends in all(&found) {
            let [low, high] = ends.unwrap();
            assert!(low < high, "{found:?}");
        }
    }

    #[test]
    fn few_questions_have_shares_alone() {
        let items = items(&MIDDLING, 30, &mut Stream::new("few", 1, 0));
        let [calibration, test] = halves(&items);
        let found = of(&calibration, &test, &Config::default(), 0.95);
        assert!(found.acc.is_some() && found.generated.is_some());
        assert_eq!((found.one_answer_acc, found.coverage), (None, None));
        assert_eq!(found.no_sets, Some(NoInterval::TooFew));
    }

    #[test]
    fn the_least_error_rate_is_the_least_with_a_threshold() {
        let items = items(&MIDDLING, 90, &mut Stream::new("least error rate", 1, 0));
        let [calibration, test] = halves(&items);
        let of = |alpha| OpenSets::of(&calibration, &test, alpha);
        let least = of(0.5).least_error_rate;
        assert!(of(least).threshold.is_some());
        assert!(of(least - 1e-6).threshold.is_none());
    }
}
