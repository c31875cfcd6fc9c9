//! Student's t distribution.

/// Probability of a t at least this far from zero, on either side.
///
/// It is the regularised incomplete beta function `I(f / (f + t²); f/2, 1/2)`.
pub(super) fn two_sided_tail(t: f64, freedom: f64) -> f64 {
    incomplete_beta(freedom / (freedom + t * t), freedom / 2.0, 0.5)
}

/// The t that is exceeded on either side with probability `1 − level`.
pub(crate) fn two_sided_quantile(level: f64, freedom: f64) -> f64 {
    let tail = 1.0 - level.clamp(0.0, 1.0);
    if tail <= 0.0 {
        return f64::INFINITY;
    }
    let (mut low, mut high) = (0.0, 1.0);
    while two_sided_tail(high, freedom) > tail && high < 1e12 {
        high *= 2.0;
    }
    // The tail is monotonic, so bisection converges to the last bit.
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if two_sided_tail(middle, freedom) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// The regularised incomplete beta function, by its continued fraction (Abramowitz & Stegun
/// 26.5.8), evaluated after Lentz.
pub(super) fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction converges quickly on this side only.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(1.0 - x, b, a);
    }
    let gammas = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b);
    let front = (gammas + a * x.ln() + b * (-x).ln_1p()).exp() / a;
    front * fraction(x, a, b)
}

/// Lentz's evaluation of the continued fraction.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let away = |value: f64| {
        if value.abs() < 1e-300 { 1e-300 } else { value }
    };
    let mut upper = 1.0;
    let mut lower = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = lower;
    for step in 1..500 {
        let step = f64::from(step);
        let twice = 2.0 * step;
        let even = step * (b - step) * x / ((a + twice - 1.0) * (a + twice));
        let odd = -(a + step) * (a + b + step) * x / ((a + twice) * (a + twice + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            lower = 1.0 / away(1.0 + term * lower);
            upper = away(1.0 + term / upper);
            change = upper * lower;
            fraction *= change;
        }
        if (change - 1.0).abs() < 1e-15 {
            break;
        }
    }
    fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.stats.t.ppf(0.975, f)` and `2 * scipy.stats.t.sf(t, f)`.
    #[test]
    fn agrees_with_tables() {
        for (freedom, t) in [
            (1.0, 12.706_204_736_174_694),
            (2.0, 4.302_652_729_749_462),
            (9.0, 2.262_157_162_798_205),
            (100.0, 1.983_971_518_523_551_8),
        ] {
            assert!(
                (two_sided_quantile(0.95, freedom) - t).abs() < 1e-8,
                "{freedom}"
            );
            assert!((two_sided_tail(t, freedom) - 0.05).abs() < 1e-12);
        }
        assert!((two_sided_tail(0.0, 5.0) - 1.0).abs() < 1e-15);
        assert!(two_sided_tail(f64::INFINITY, 5.0).abs() < 1e-300);
    }
}
