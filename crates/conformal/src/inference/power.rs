//! Minimum detectable differences.

use super::normal;

/// The smallest difference in accuracy of two models on the same `n` questions that McNemar's test
/// at level `alpha` detects with probability `power`, if one model alone is right on a share
/// `discordant` of the questions.
///
/// Connor (1987) gives the number of questions for a difference `d`,
///
/// `n = (z₁ √ψ + z₂ √(ψ − d²))² / d²`, with `ψ = discordant`, `z₁ = z(1 − alpha/2)`,
/// `z₂ = z(power)`,
///
/// which is solved for `d`:
///
/// `d = √ψ (z₁ √n + z₂ √(n + z₂² − z₁²)) / (n + z₂²)`.
///
/// `None` if no difference is detected with that power, since `d` would exceed `ψ`, its maximum; or
/// if an argument is out of range.
pub fn detectable_accuracy_difference(
    n: usize,
    discordant: f64,
    alpha: f64,
    power: f64,
) -> Option<f64> {
    let (level, found) = quantiles(alpha, power)?;
    if !(discordant > 0.0 && discordant <= 1.0) {
        return None;
    }
    let rows = n as f64;
    let root = (rows + found * found - level * level).sqrt();
    let difference =
        discordant.sqrt() * (level * rows.sqrt() + found * root) / (rows + found * found);
    // Also false for the NaN of a negative root.
    (difference <= discordant).then_some(difference)
}

/// The smallest difference in means over the same `n` questions, such as that of set sizes, that a
/// two-sided test at level `alpha` detects with probability `power`:
/// `(z(1 − alpha/2) + z(power)) · sd / √n`, where `sd_of_difference` is the standard deviation of
/// the questions' differences. `None` for no questions or an argument out of range.
pub fn detectable_mean_difference(
    n: usize,
    sd_of_difference: f64,
    alpha: f64,
    power: f64,
) -> Option<f64> {
    let (level, found) = quantiles(alpha, power)?;
    let usable = n > 0 && sd_of_difference >= 0.0 && sd_of_difference.is_finite();
    usable.then(|| (level + found) * sd_of_difference / (n as f64).sqrt())
}

/// The least difference that `n` questions detect, however alike the models are, in a figure that moves in
/// steps of `step` on each question, such as 1 for accuracy in one prompt strategy. Models that differ by
/// `d` do so on at least a share `d / step` of the questions: Connor's formula is solved for `ψ = d step`,
/// the least second moment of a question's difference. A standard error from models that hardly ever
/// differ promises less.
///
/// `None` if no difference below `step` is detected, or an argument is out of range.
pub fn least_difference(n: usize, step: f64, alpha: f64, power: f64) -> Option<f64> {
    let (level, found) = quantiles(alpha, power)?;
    let needed = |d: f64| (level + found * (1.0 - d / step).sqrt()).powi(2) * step / d;
    let (mut low, mut high) = (0.0, step);
    if !(step > 0.0 && needed(high) <= n as f64) {
        return None;
    }
    // Half an interval sixty times: as exact as a number is.
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if needed(middle) > n as f64 {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(high)
}

/// `z(1 − alpha/2)` and `z(power)`; `power` must be at least one half.
pub(super) fn quantiles(alpha: f64, power: f64) -> Option<(f64, f64)> {
    let usable = alpha > 0.0 && alpha < 1.0 && (0.5..1.0).contains(&power);
    usable.then(|| (normal::two_sided(1.0 - alpha), normal::quantile(power)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Connor's formula as published.
    fn questions(difference: f64, discordant: f64, alpha: f64, power: f64) -> f64 {
        let (level, found) = quantiles(alpha, power).unwrap();
        let root = level * discordant.sqrt() + found * (discordant - difference.powi(2)).sqrt();
        (root / difference).powi(2)
    }

    #[test]
    fn known_sizes() {
        // ψ = 0.4, d = 0.2, two-sided 5 %, 80 %: (1.96 √0.4 + 0.8416 √0.36)² / 0.04 = 76.1.
        assert!((questions(0.2, 0.4, 0.05, 0.8) - 76.1).abs() < 0.05);
        let difference = detectable_accuracy_difference(76, 0.4, 0.05, 0.8).unwrap();
        assert!((difference - 0.2).abs() < 0.001);
        let difference = detectable_mean_difference(400, 2.0, 0.05, 0.8).unwrap();
        assert!((difference - 0.280_158_5).abs() < 1e-6);
    }

    #[test]
    fn defined_at_the_edges() {
        for n in [0, 1, 5] {
            assert_eq!(detectable_accuracy_difference(n, 0.3, 0.05, 0.8), None);
        }
        for (discordant, alpha, power) in [
            (0.0, 0.05, 0.8),
            (1.5, 0.05, 0.8),
            (0.3, 0.0, 0.8),
            (0.3, 0.05, 1.0),
            (f64::NAN, 0.05, 0.8),
            (0.3, f64::NAN, 0.8),
        ] {
            assert_eq!(
                detectable_accuracy_difference(500, discordant, alpha, power),
                None
            );
        }
        assert_eq!(detectable_mean_difference(0, 1.0, 0.05, 0.8), None);
        assert_eq!(detectable_mean_difference(9, f64::NAN, 0.05, 0.8), None);
    }

    #[test]
    fn models_that_hardly_differ_hide_large_differences() {
        // 0.0753 · 100 = (1.96 + 0.8416 √0.9247)². A sign test of differences in one direction takes six
        // of them, and of 100 questions that many differ in 77 % of samples.
        let least = least_difference(100, 1.0, 0.05, 0.8).unwrap();
        assert!((least - 0.0767).abs() < 2e-4, "{least}");
        let connors = questions(least, least, 0.05, 0.8);
        assert!((connors - 100.0).abs() < 1e-6);
        assert_eq!(least_difference(3, 1.0, 0.05, 0.8), None);
        assert_eq!(least_difference(100, 0.0, 0.05, 0.8), None);
        // Three strategies move a mean in thirds.
        let third = least_difference(300, 1.0 / 3.0, 0.05, 0.8).unwrap();
        assert!(third < least && third > least / 9.0, "{third}");
    }

    proptest! {
        #[test]
        fn inverts_connors_formula(
            n in 30_usize..20_000, discordant in 0.01..1.0_f64, alpha in 0.001..0.2_f64, power in 0.5..0.99_f64,
        ) {
            if let Some(d) = detectable_accuracy_difference(n, discordant, alpha, power) {
                prop_assert!(d > 0.0 && d <= discordant);
                let needed = questions(d, discordant, alpha, power);
                prop_assert!((needed / n as f64 - 1.0).abs() < 1e-9, "{}", needed);
            }
        }
    }
}
