//! Intervals of selective answering by any sign of a right answer.

use serde::{Deserialize, Serialize};

use super::RowDraws;
use super::weighted::{FIGURES, Harmonic, Scored, Sorted};
use crate::inference::{BootstrapInterval, Interval, acceleration};

/// Intervals of the figures of [`super::Selective`] and of [`super::Selective::prr`], by BCa (Efron
/// 1987), all from the same replicates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SelectiveIntervals {
    /// Area under the ROC curve; `None` where all answers are right or all wrong.
    pub auroc: Option<Interval>,
    /// Area under the risk-coverage curve.
    pub aurc: Option<Interval>,
    /// Prediction rejection ratio; `None` as for `auroc`.
    pub prr: Option<Interval>,
}

/// AUROC, AURC and PRR; NaN where one is undefined.
type Values = [f64; 3];

/// Intervals over (confidence, whether the answer is right) of each question, in the order of `draws`.
///
/// Sorts the questions once; a replicate is then one pass over their weights.
///
/// # Panics
/// If `draws` has fewer rows.
pub fn selective_intervals(answers: &[(f64, bool)], draws: &RowDraws) -> SelectiveIntervals {
    let mut scored: Vec<Scored> = (0..).zip(answers).map(scored).collect();
    scored.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let sorted = Sorted::of(&scored, 1);
    let mut harmonic = Harmonic::default();
    let mut of = |of_clusters: Option<&Vec<u8>>| {
        let weight = |row: &Scored| match of_clusters {
            Some(weights) => weights[draws.cluster_of(row.place as usize) as usize],
            None => 1,
        };
        let weights: Vec<u8> = scored.iter().map(weight).collect();
        values(&sorted, &scored, &weights, &mut harmonic)
    };
    let figures = of(None);
    let jackknife: Vec<Values> = draws.left_out().iter().map(|left| of(Some(left))).collect();
    let replicates: Vec<Values> = draws.drawn().iter().map(|drawn| of(Some(drawn))).collect();
    let interval = |figure: usize| {
        let left_out: Vec<_> = jackknife.iter().map(|it| (it[figure], 1)).collect();
        let values = replicates.iter().map(|it| it[figure]).collect();
        let bent = acceleration(&left_out);
        let found = BootstrapInterval::of(figures[figure], values, bent, draws.tail())?;
        let (low, high) = found.bca;
        let se = found.se;
        Some(Interval { low, high, se })
    };
    SelectiveIntervals {
        auroc: interval(0),
        aurc: interval(1),
        prr: interval(2),
    }
}

fn scored((place, &(confidence, correct)): (u32, &(f64, bool))) -> Scored {
    Scored {
        place,
        confidence,
        correct,
        brier: 0.0,
        log_loss: 0.0,
        bin: 0,
    }
}

fn values(sorted: &Sorted, scored: &[Scored], weights: &[u8], harmonic: &mut Harmonic) -> Values {
    let ([.., area, auroc], _): ([f64; FIGURES], _) = sorted.figures(weights, harmonic);
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
    use crate::{Resampling, Stream};

    fn draws(rows: usize, replicates: usize) -> RowDraws {
        let name = |row: usize| {
            let mut name = [0; 32];
            name[..8].copy_from_slice(&row.to_le_bytes());
            name
        };
        let apart: Vec<[u8; 32]> = (0..rows).map(name).collect();
        let resampling = Resampling {
            replicates,
            ..Resampling::default()
        };
        RowDraws::new(&apart, &resampling)
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

    /// Over samples of a law, each interval holds the law's own figure about as often as it says.
    #[test]
    fn intervals_hold_the_figures_of_the_law() {
        const SAMPLES: usize = 300;
        const ROWS: usize = 100;
        let mut stream = Stream::new("simulation of selective answering", 5, 0);
        // As of frequencies among ten answers, so that many questions tie.
        let mut sample = |rows: usize| -> Vec<(f64, bool)> {
            let answer = |_| {
                let sureness = (stream.unit() * 10.0).ceil() / 10.0;
                (sureness, stream.unit() < 0.2 + 0.7 * sureness)
            };
            (0..rows).map(answer).collect()
        };
        let law = selective_of(sample(200_000)).unwrap();
        let draws = draws(ROWS, 400);
        let mut held = [0_usize; 3];
        for _ in 0..SAMPLES {
            let found = selective_intervals(&sample(ROWS), &draws);
            let of_law = [law.auroc.unwrap(), law.aurc, law.prr().unwrap()];
            for (held, (interval, value)) in held
                .iter_mut()
                .zip([found.auroc, found.aurc, found.prr].into_iter().zip(of_law))
            {
                let interval = interval.unwrap();
                *held += usize::from((interval.low..=interval.high).contains(&value));
            }
        }
        for held in held {
            let share = held as f64 / SAMPLES as f64;
            assert!((0.915..=0.985).contains(&share), "{share}");
        }
    }

    #[test]
    fn one_kind_of_answer_has_no_ranking() {
        let right = [(0.5, true), (0.7, true)];
        let found = selective_intervals(&right, &draws(2, 50));
        assert_eq!((found.auroc, found.prr), (None, None));
        assert!(found.aurc.is_some_and(|interval| interval.se < 1e-15));
    }
}
