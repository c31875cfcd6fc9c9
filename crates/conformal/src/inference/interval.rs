//! An interval for a share.

use super::normal;

/// Wilson's score interval for a share of `successes` in `n`, without continuity correction, at
/// a confidence `level` such as 0.95 (Wilson 1927). `(0, 1)` for `n = 0`: nothing is known.
///
/// Unlike the textbook interval it stays within 0..1, is not empty for a share of 0 or 1, and
/// keeps its level for small `n` (Brown, Cai & `DasGupta` 2001).
pub fn wilson(successes: usize, n: usize, level: f64) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let share = successes.min(n) as f64 / n as f64;
    wilson_share(share, n as f64, level)
}

/// The same of a share of as many rows as `rows` says, which need not be a whole number: that of
/// independent rows which would tell as much as those in clusters do.
pub fn wilson_share(share: f64, rows: f64, level: f64) -> (f64, f64) {
    let z = normal::two_sided(level);
    if !z.is_finite() || rows <= 0.0 {
        return (0.0, 1.0);
    }
    let shrink = 1.0 + z * z / rows;
    let centre = (share + z * z / (2.0 * rows)) / shrink;
    let half = z / shrink * (share * (1.0 - share) / rows + z * z / (4.0 * rows * rows)).sqrt();
    // At the ends the formula gives 0 or 1, but for rounding.
    let low = if share <= 0.0 { 0.0 } else { centre - half };
    let high = if share >= 1.0 { 1.0 } else { centre + half };
    (low.max(0.0), high.min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn agrees_with_published_examples() {
        // Newcombe 1998, table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
        for (k, n, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let (l, h) = wilson(k, n, 0.95);
            assert!(
                (l - low).abs() < 5e-5 && (h - high).abs() < 5e-5,
                "{k}/{n}: {l} {h}"
            );
        }
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "the ends are exact")]
    fn defined_at_the_edges() {
        assert_eq!(wilson(0, 0, 0.95), (0.0, 1.0));
        assert_eq!(wilson(0, 1, 0.95).0, 0.0);
        assert_eq!(wilson(1, 1, 0.95).1, 1.0);
        assert_eq!(wilson(5, 9, 1.0), (0.0, 1.0));
        let (low, high) = wilson(5, 10, 0.0);
        assert_eq!((low, high), (0.5, 0.5));
    }

    proptest! {
        #[test]
        fn holds_the_share_and_mirrors(n in 1_usize..5000, part in 0.0..=1.0_f64, level in 0.01..0.999_f64) {
            let k = (n as f64 * part) as usize;
            let (low, high) = wilson(k, n, level);
            let share = k as f64 / n as f64;
            prop_assert!(0.0 <= low && low <= share && share <= high && high <= 1.0);
            let (mirrored_low, mirrored_high) = wilson(n - k, n, level);
            prop_assert!((mirrored_low - (1.0 - high)).abs() < 1e-12);
            prop_assert!((mirrored_high - (1.0 - low)).abs() < 1e-12);
        }
    }
}
