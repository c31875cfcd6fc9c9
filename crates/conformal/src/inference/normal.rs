//! The normal distribution, and the one chi-square tail that follows from it.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// `P(Z ≤ z)`.
pub(crate) fn cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * FRAC_1_SQRT_2)
}

/// The `z` with `P(Z ≤ z) = p`; infinite for a `p` that is not inside 0..1.
pub(crate) fn quantile(p: f64) -> f64 {
    // The lower tail keeps its relative precision; the subtraction is exact for p ≥ ½.
    if p > 0.5 {
        -lower_quantile(1.0 - p)
    } else {
        lower_quantile(p)
    }
}

/// A start that is good to 4.5e-4 (Abramowitz & Stegun 1964, 26.2.23), then Halley's method,
/// each step of which triples the digits.
fn lower_quantile(p: f64) -> f64 {
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    // Below this the density's inverse overflows. No caller comes close.
    let p = p.max(1e-300);
    let t = (-2.0 * p.ln()).sqrt();
    let numerator = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let denominator = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let mut z = numerator / denominator - t;
    for _ in 0..3 {
        let step = (cdf(z) - p) * TAU.sqrt() * (0.5 * z * z).exp();
        z -= step / (1.0 + 0.5 * z * step);
    }
    z
}

/// How many standard errors a two-sided interval of this `level` reaches to each side.
pub(crate) fn two_sided(level: f64) -> f64 {
    -quantile(0.5 * (1.0 - level.clamp(0.0, 1.0)))
}

/// `P(X ≥ x)` for chi-square with one degree of freedom, the square of a normal variable.
pub(crate) fn chi_square_tail(x: f64) -> f64 {
    libm::erfc((0.5 * x.max(0.0)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_tables() {
        // Standard values to 16 digits, as in any statistical library.
        for (p, z) in [
            (0.5, 0.0),
            (0.025, -1.959_963_984_540_054),
            (0.975, 1.959_963_984_540_054),
            (0.995, 2.575_829_303_548_901),
            (0.8, 0.841_621_233_572_914_3),
            (0.001, -3.090_232_306_167_813_6),
            (1e-10, -6.361_340_902_404_056),
        ] {
            assert!((quantile(p) - z).abs() < 1e-13, "{p}: {}", quantile(p));
            assert!((cdf(z) / p - 1.0).abs() < 1e-13, "{z}: {}", cdf(z));
        }
        assert!((two_sided(0.95) - 1.959_963_984_540_054).abs() < 1e-13);
        assert!((chi_square_tail(3.841_458_820_694_124) - 0.05).abs() < 1e-15);
        assert!((chi_square_tail(0.0) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn quantile_and_cdf_are_inverse() {
        for i in 1..2000 {
            let p = f64::from(i) / 2000.0;
            assert!((cdf(quantile(p)) - p).abs() < 1e-15, "{p}");
        }
        assert_eq!(quantile(0.0).to_bits(), f64::NEG_INFINITY.to_bits());
        assert_eq!(quantile(1.0).to_bits(), f64::INFINITY.to_bits());
    }
}
