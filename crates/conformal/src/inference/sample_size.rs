//! Sample sizes for a comparison of two models.

use super::figure::{MIN_CLUSTERS, MIN_CLUSTERS_BEYOND};
use super::panel::Panel;
use super::power::quantiles;
use super::variance::Variance;
use crate::Protocol;
use crate::split::calibration_size;

/// A difference of two models to be detected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effect {
    /// Its size in the figure's own unit, of either sign.
    pub difference: f64,
    /// Its variance, by halves.
    pub variance: Variance,
}

/// Minimum numbers of questions for intervals, over all tasks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Least {
    /// Calibration questions.
    pub calibration: f64,
    /// Test questions.
    pub test: f64,
}

/// Numbers of questions to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleSize {
    /// Calibration questions.
    pub calibration: usize,
    /// Test questions.
    pub test: usize,
    /// Whether this is the minimum for intervals: the effect alone needs fewer.
    pub least: bool,
}

/// One number of questions per effect, with the same share of them to calibrate.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleSizes {
    /// The share to calibrate, in whole percent.
    pub share: f64,
    /// One entry per effect, in their order.
    pub sizes: Vec<SampleSize>,
}

impl Least {
    /// The minimum for a panel's tasks and clusters, in its proportions of questions between tasks.
    pub fn of(panel: &Panel) -> Self {
        let mut least = Self {
            calibration: 0.0,
            test: 0.0,
        };
        let all = (panel.calibration_questions() + panel.questions()) as f64;
        for stratum in &panel.strata {
            let clusters = &stratum.clusters;
            let questions = (clusters.calibration.len() + clusters.test.len()) as f64;
            let mean_size = (questions / clusters.count.max(1) as f64).max(1.0);
            // The paper's rank is one above the exact one.
            let more = f64::from(u8::from(panel.view.protocol == Protocol::Paper));
            let beyond = (MIN_CLUSTERS_BEYOND as f64 * mean_size).ceil() + more;
            let in_half = MIN_CLUSTERS as f64 * mean_size;
            let calibration = in_half.max((beyond / panel.alpha - 1.0 - 1e-9).ceil());
            least.calibration = least.calibration.max(calibration * all / questions);
            least.test = least.test.max(in_half * all / questions);
        }
        least
    }
}

impl Effect {
    /// A difference in a figure that moves in steps of `step` on each question, such as 1 for accuracy in one
    /// prompt strategy. Models that differ by `d` do so on at least a share `d / step` of the questions,
    /// however alike the models are that the variance was measured on: it is `d (step − d)` or more.
    #[must_use]
    pub fn in_steps(difference: f64, variance: Variance, step: f64) -> Self {
        let size = difference.abs();
        let least = size * (step - size);
        let variance = Variance {
            test: variance.test.max(least),
            ..variance
        };
        Self {
            difference,
            variance,
        }
    }

    /// Number of questions to detect the effect if `share` of them calibrate.
    ///
    /// The standard error of the difference includes both halves. Under the null hypothesis signs
    /// are random, which adds the squared difference to a test question's variance, as in Connor's
    /// (1987) formula for accuracy.
    fn questions(&self, share: f64, (level, found): (f64, f64)) -> f64 {
        let Variance { calibration, test } = self.variance;
        let squared = self.difference.powi(2);
        let error = |test: f64| (calibration / share + test / (1.0 - share)).sqrt();
        (level * error(test + squared) + found * error(test)).powi(2) / squared
    }
}

/// The numbers of questions to detect each effect with probability `power` in a two-sided test at
/// confidence `level`, such as 0.8 and 0.95.
///
/// The share to calibrate minimises the largest of the numbers. No half has fewer questions than
/// `least`. `None` without effects, for an effect that is not above 0 and
/// finite, or for a power or a level outside its range.
pub fn sample_sizes(
    effects: &[Effect],
    least: Least,
    power: f64,
    level: f64,
) -> Option<SampleSizes> {
    let bounds = quantiles(1.0 - level, power)?;
    let usable = |effect: &Effect| {
        let Variance { calibration, test } = effect.variance;
        let finite = calibration.is_finite() && test.is_finite();
        let difference = effect.difference.abs();
        finite && calibration >= 0.0 && test >= 0.0 && difference > 0.0 && difference.is_finite()
    };
    if effects.is_empty() || !effects.iter().all(usable) {
        return None;
    }
    let floor = |share: f64| (least.calibration / share).max(least.test / (1.0 - share));
    let needed = |effect: &Effect, share: f64| effect.questions(share, bounds);
    let largest = |share: f64| {
        let each = effects.iter().map(|effect| needed(effect, share));
        each.fold(floor(share), f64::max)
    };
    let share = (1..100)
        .map(|percent| f64::from(percent) / 100.0)
        .min_by(|&a, &b| largest(a).total_cmp(&largest(b)))?;
    let sizes = effects.iter().map(|effect| {
        let (needed, floor) = (needed(effect, share), floor(share));
        let (calibration, test) = halves(needed.max(floor), share, least);
        SampleSize {
            calibration,
            test,
            least: floor >= needed,
        }
    });
    Some(SampleSizes {
        share,
        sizes: sizes.collect(),
    })
}

/// Calibration and test questions of the smallest set of at least `all` that
/// [`ordered_split`](crate::ordered_split) divides so that no half has fewer than `least`.
fn halves(all: f64, share: f64, least: Least) -> (usize, usize) {
    let split = |all: usize| {
        let calibration = calibration_size(all, share);
        (calibration, all - calibration)
    };
    let mut size = (all - 1e-9).ceil() as usize;
    loop {
        let (calibration, test) = split(size);
        let enough = |half: usize, least: f64| half as f64 >= least - 1e-9;
        if enough(calibration, least.calibration) && enough(test, least.test) {
            return (calibration, test);
        }
        size += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NONE: Least = Least {
        calibration: 0.0,
        test: 0.0,
    };

    fn effect(difference: f64, calibration: f64, test: f64) -> Effect {
        Effect {
            difference,
            variance: Variance { calibration, test },
        }
    }

    #[test]
    fn accuracy_takes_connors_number() {
        // ψ = 0.4, d = 0.2: the variance of a question's difference is ψ − d² = 0.36; 76.1
        // questions are tested, and next to none calibrate.
        let sizes = sample_sizes(&[effect(0.2, 0.0, 0.36)], NONE, 0.8, 0.95).unwrap();
        assert!((sizes.share - 0.01).abs() < 1e-12);
        assert_eq!(sizes.sizes[0].test, 77);
    }

    #[test]
    fn models_that_hardly_differ_do_not_make_differences_cheap() {
        // One question in 200 differs: of 394 with a share of 2 % the sign test finds its six in 80 %.
        let measured = Variance {
            calibration: 0.0,
            test: 0.005,
        };
        let effect = Effect::in_steps(0.02, measured, 1.0);
        let sizes = sample_sizes(&[effect], NONE, 0.8, 0.95).unwrap();
        assert!((385..400).contains(&sizes.sizes[0].test), "{sizes:?}");
        let usual = Variance {
            calibration: 0.0,
            test: 0.36,
        };
        assert_eq!(Effect::in_steps(-0.2, usual, 1.0).variance, usual);
    }

    #[test]
    fn the_share_follows_the_variances() {
        // √4 to √1: two thirds calibrate, and (2 + 1)² (1.96 + 0.84)² / 0.1² = 7,064 questions.
        let sizes = sample_sizes(&[effect(0.1, 4.0, 1.0)], NONE, 0.8, 0.95).unwrap();
        assert!((sizes.share - 0.67).abs() < 1e-12);
        let all = sizes.sizes[0].calibration + sizes.sizes[0].test;
        assert!((7064..7110).contains(&all), "{all}");
    }

    #[test]
    fn a_large_effect_leaves_the_least_number() {
        let least = Least {
            calibration: 39.0,
            test: 20.0,
        };
        let sizes = sample_sizes(&[effect(3.0, 0.2, 0.2)], least, 0.8, 0.95).unwrap();
        let SampleSize {
            calibration,
            test,
            least,
        } = sizes.sizes[0];
        assert!(least && calibration >= 39 && test >= 20 && calibration + test <= 60);
    }

    #[test]
    fn halves_are_those_that_the_split_makes() {
        let least = Least {
            calibration: 44.0,
            test: 20.0,
        };
        for (difference, calibration, test) in
            [(0.02, 1e-6, 0.36), (0.1, 4.0, 1.0), (3.0, 0.2, 0.2)]
        {
            let sizes =
                sample_sizes(&[effect(difference, calibration, test)], least, 0.8, 0.95).unwrap();
            let size = sizes.sizes[0];
            let keys: Vec<String> = (0..size.calibration + size.test)
                .map(|key| key.to_string())
                .collect();
            let split = crate::ordered_split(&keys, sizes.share, 42);
            assert_eq!(
                (split.calibration.len(), split.test.len()),
                (size.calibration, size.test)
            );
            assert!(size.calibration >= 44 && size.test >= 20, "{size:?}");
        }
    }

    #[test]
    fn what_is_out_of_range_has_no_number() {
        let good = effect(0.1, 1.0, 1.0);
        assert_eq!(sample_sizes(&[], NONE, 0.8, 0.95), None);
        for (effects, power, level) in [
            ([effect(0.0, 1.0, 1.0)], 0.8, 0.95),
            ([effect(f64::NAN, 1.0, 1.0)], 0.8, 0.95),
            ([effect(0.1, f64::INFINITY, 1.0)], 0.8, 0.95),
            ([good], 1.0, 0.95),
            ([good], 0.3, 0.95),
            ([good], 0.8, 1.0),
        ] {
            assert_eq!(sample_sizes(&effects, NONE, power, level), None);
        }
    }

    proptest! {
        #[test]
        fn smaller_effects_take_more_and_no_share_takes_fewer(
            difference in 0.01..1.0_f64, calibration in 0.01..5.0_f64, test in 0.01..5.0_f64, other in 1_u8..100,
        ) {
            let effects = [effect(difference, calibration, test), effect(difference / 2.0, calibration, test)];
            let sizes = sample_sizes(&effects, NONE, 0.8, 0.95).unwrap();
            let all: Vec<usize> = sizes.sizes.iter().map(|s| s.calibration + s.test).collect();
            prop_assert!(all[1] >= all[0]);
            let bounds = quantiles(0.05, 0.8).unwrap();
            let elsewhere = effects[1].questions(f64::from(other) / 100.0, bounds);
            prop_assert!(all[1] as f64 <= elsewhere + 2.0);
        }
    }
}
