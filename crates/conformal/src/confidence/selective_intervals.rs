//! Intervals of selective answering by any sign of a right answer.

use serde::{Deserialize, Serialize};

use super::jackknife::{Jackknife, Scale, weigh};
use super::weighted::{Harmonic, Scored, Sorted};
use crate::inference::Interval;

/// Intervals of the figures of [`super::Selective`] and of [`super::Selective::prr`]: Student's on a scale
/// where each is nearly normal, with the jackknife's standard error. All are missing where fewer than
/// [`super::MIN_CLUSTERS_OF_A_KIND`] clusters have a right or a wrong answer; AUROC and PRR, too, where
/// nearly all answers have the same confidence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct SelectiveIntervals {
    /// Area under the ROC curve, on the scale of its logit; missing, too, where it is 0 or 1.
    pub auroc: Option<Interval>,
    /// Area under the risk-coverage curve, on the scale of its logarithm.
    pub aurc: Option<Interval>,
    /// Prediction rejection ratio, on the scale of −ln(1 − PRR); missing, too, where it is 1.
    pub prr: Option<Interval>,
}

/// AUROC, AURC and PRR; NaN where one is undefined.
type Values = [f64; 3];

/// Intervals over (confidence, whether the answer is right) of each question at a confidence `level`,
/// from the name of each question's cluster.
///
/// Sorts the questions once; each figure of the jackknife is then one pass over their weights.
///
/// # Panics
/// If `clusters` has fewer names than there are questions.
pub fn selective_intervals(
    answers: &[(f64, bool)],
    clusters: &[[u8; 32]],
    level: f64,
) -> SelectiveIntervals {
    let jackknife = Jackknife::new(clusters, level);
    let mut scored: Vec<Scored> = (0..).zip(answers).map(scored).collect();
    let Some(rarer) = jackknife.rarer(&scored) else {
        return SelectiveIntervals::default();
    };
    scored.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let sorted = Sorted::of(&scored, 1);
    let mut harmonic = Harmonic::default();
    let clusters = jackknife.clusters_of(&scored);
    let mut of = |weights: &[u8]| values(&sorted, &scored, weights, &mut harmonic);
    let figures = of(&vec![1; scored.len()]);
    let left_out = jackknife.left_out().iter();
    let without: Vec<Values> = left_out
        .map(|left_out| of(&weigh(&clusters, left_out)))
        .collect();
    let interval = |figure: usize, scale: Scale, units: usize| {
        let without: Vec<f64> = without.iter().map(|figures| figures[figure]).collect();
        jackknife.interval(scale, figures[figure], &without, units)
    };
    let telling = jackknife.telling(&scored, rarer);
    SelectiveIntervals {
        auroc: telling.and_then(|units| interval(0, Scale::Logit, units)),
        aurc: interval(1, Scale::Log { most: 1.0 }, rarer),
        prr: telling.and_then(|units| interval(2, Scale::LogComplement, units)),
    }
}

fn scored((place, &(confidence, correct)): (u32, &(f64, bool))) -> Scored {
    Scored::of_answer(place, confidence, correct)
}

fn values(sorted: &Sorted, scored: &[Scored], weights: &[u8], harmonic: &mut Harmonic) -> Values {
    let [.., area, auroc] = sorted.figures(weights, harmonic);
    let rows = || scored.iter().zip(weights);
    let n: usize = rows().map(|(_, &weight)| usize::from(weight)).sum();
    let wrong = rows().filter(|(row, _)| !row.correct);
    let wrong: usize = wrong.map(|(_, &weight)| usize::from(weight)).sum();
    let best = harmonic.best_area(n - wrong, wrong);
    // Without both kinds of answers, every ranking is perfect.
    let prr = if auroc.is_finite() {
        rejection_ratio(wrong as f64 / n as f64, area, best)
    } else {
        f64::NAN
    };
    [auroc, area, prr]
}

/// The part of a perfect ranking's gain over a random one: the random one's area is the error rate,
/// since each share of rejection leaves that risk on average.
pub(super) fn rejection_ratio(error_rate: f64, area: f64, best: f64) -> f64 {
    (error_rate - area) / (error_rate - best)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::selective_of;
    use super::*;
    use crate::Stream;

    fn apart(rows: usize) -> Vec<[u8; 32]> {
        let name = |row: usize| {
            let mut name = [0; 32];
            name[..8].copy_from_slice(&row.to_le_bytes());
            name
        };
        (0..rows).map(name).collect()
    }

    proptest! {
        #[test]
        fn values_are_those_of_the_rows_drawn(
            rows in prop::collection::vec((0_u8..9, any::<bool>(), 0_u8..4), 1..50),
        ) {
            let all: Vec<(f64, bool)> = rows.iter().map(|row| (f64::from(row.0), row.1)).collect();
            let repeated = all.iter().zip(&rows);
            let repeated: Vec<_> = repeated
                .flat_map(|(answer, row)| vec![*answer; usize::from(row.2)])
                .collect();
            prop_assume!(!repeated.is_empty());
            let mut scored: Vec<Scored> = (0..).zip(&all).map(scored).collect();
            scored.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
            let weights: Vec<u8> = scored.iter().map(|row| rows[row.place as usize].2).collect();
            let sorted = Sorted::of(&scored, 1);
            let found = values(&sorted, &scored, &weights, &mut Harmonic::default());
            let expected = selective_of(repeated).unwrap();
            prop_assert!((found[1] - expected.aurc).abs() < 1e-12);
            match expected.auroc {
                Some(auroc) => prop_assert!((found[0] - auroc).abs() < 1e-12),
                None => prop_assert!(found[0].is_nan()),
            }
            match expected.prr() {
                Some(prr) => prop_assert!((found[2] - prr).abs() < 1e-9, "{} {prr}", found[2]),
                None => prop_assert!(found[2].is_nan()),
            }
        }
    }

    /// How confidence looks.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Dress {
        /// As frequencies among ten answers, so that many questions tie.
        Frequencies,
        /// Most wrong answers doubted, and some of them not at all.
        Probabilities,
        /// One value but for one right answer in a hundred and one wrong one in five.
        NearlyAlwaysSure,
    }

    /// Over samples of laws, each interval holds the mean figure about as often as it says, or more: also
    /// where few answers are wrong, or few right.
    #[test]
    fn intervals_hold_the_figures_of_the_law() {
        const SAMPLES: usize = 300;
        let mut stream = Stream::new("simulation of selective answering", 5, 0);
        for (rows, wrong, dress) in [
            (100, 0.35, Dress::Frequencies),
            (300, 0.08, Dress::Frequencies),
            (300, 0.08, Dress::Probabilities),
            (300, 0.92, Dress::Probabilities),
            (400, 0.2, Dress::NearlyAlwaysSure),
            (1000, 0.04, Dress::NearlyAlwaysSure),
        ] {
            let clusters = apart(rows);
            let mut sample = || -> Vec<(f64, bool)> {
                let answer = |_| {
                    let right = stream.unit() >= wrong;
                    let noise = stream.unit();
                    let sureness = match (dress, right) {
                        (Dress::Frequencies, true) => (noise.powf(0.3) * 10.0).ceil(),
                        (Dress::Frequencies, false) => (noise * 10.0).ceil(),
                        (Dress::Probabilities, true) => noise,
                        (Dress::Probabilities, false) if stream.unit() < 0.3 => 0.9 + 0.1 * noise,
                        (Dress::Probabilities, false) => 0.15 * noise,
                        (Dress::NearlyAlwaysSure, true) => f64::from(u8::from(noise > 0.01)),
                        (Dress::NearlyAlwaysSure, false) => f64::from(u8::from(noise > 0.2)),
                    };
                    (sureness, right)
                };
                (0..rows).map(answer).collect()
            };
            let mut means = [0.0; 3];
            for _ in 0..1000 {
                let found = selective_of(sample()).unwrap();
                let figures = [found.auroc.unwrap(), found.aurc, found.prr().unwrap()];
                for (mean, figure) in means.iter_mut().zip(figures) {
                    *mean += figure / 1000.0;
                }
            }
            let (mut held, mut shown) = ([0_usize; 3], 0_usize);
            for _ in 0..SAMPLES {
                let found = selective_intervals(&sample(), &clusters, 0.95);
                let Some(intervals) = [found.auroc, found.aurc, found.prr]
                    .into_iter()
                    .collect::<Option<Vec<Interval>>>()
                else {
                    continue;
                };
                shown += 1;
                for (held, (interval, mean)) in held.iter_mut().zip(intervals.iter().zip(means)) {
                    *held += usize::from((interval.low..=interval.high).contains(&mean));
                }
            }
            let least = if dress == Dress::NearlyAlwaysSure {
                5
            } else {
                9
            };
            assert!(shown > SAMPLES * least / 10, "{shown}");
            for held in held {
                let share = held as f64 / shown as f64;
                assert!(share >= 0.915, "{wrong} of {rows} wrong: {held} of {shown}");
            }
        }
    }

    #[test]
    fn few_answers_of_a_kind_have_no_intervals() {
        let sample = |wrong: usize| -> Vec<(f64, bool)> {
            (0..300)
                .map(|row| ((row * 7 % 300) as f64, row >= wrong))
                .collect()
        };
        let found = |wrong: usize| selective_intervals(&sample(wrong), &apart(300), 0.95);
        for wrong in [0, 9, 291, 300] {
            assert_eq!(found(wrong), SelectiveIntervals::default(), "{wrong}");
        }
        assert!(found(10).auroc.is_some() && found(10).aurc.is_some() && found(10).prr.is_some());
    }
}
