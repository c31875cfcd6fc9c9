//! The parts of NumPy and scikit-learn that the published figures depend on, bit for bit.

use rand_mt::Mt;

/// NumPy's vectorised float32 `exp` (AVX2 and AVX-512 builds): Cody-Waite range reduction, then
/// a rational approximation of degree (5, 2). At most 2.52 ulp from the true value.
///
/// Structure and coefficients: NumPy, `numpy/_core/src/umath/loops_exponent_log.dispatch.c.src`
/// and `npy_simd_data.h`.
#[must_use]
pub fn exp_f32(x: f32) -> f32 {
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    // Adding and subtracting 1.5 * 2^23 rounds to the nearest integer, ties to even.
    const ROUND: f32 = 12_582_912.0;
    const LN2_HIGH: f32 = -6.931_457_5e-1;
    const LN2_LOW: f32 = -1.428_606_8e-6;
    #[expect(clippy::excessive_precision, reason = "the source's digits")]
    const P: [f32; 6] = [
        9.999_999_999_808_709e-1,
        7.257_664_613_233_124e-1,
        2.473_615_434_895_521e-1,
        5.114_512_081_637_298e-2,
        6.757_896_990_527_505e-3,
        5.082_762_527_590_694e-4,
    ];
    #[expect(clippy::excessive_precision, reason = "the source's digits")]
    const Q: [f32; 3] = [1.0, -2.742_335_390_411_667_5e-1, 2.159_509_375_685_83e-2];
    // Beyond these the result is infinite or zero.
    const X_MAX: f32 = 88.722_84;
    const X_MIN: f32 = -103.972_08;

    if x.is_nan() {
        return x;
    }
    if x > X_MAX {
        return f32::INFINITY;
    }
    if x < X_MIN {
        return 0.0;
    }
    let quadrant = (x * LOG2_E + ROUND) - ROUND;
    let r = quadrant.mul_add(LN2_HIGH, x);
    let r = quadrant.mul_add(LN2_LOW, r);
    let mut numerator = P[5];
    for coefficient in P[..5].iter().rev() {
        numerator = numerator.mul_add(r, *coefficient);
    }
    let denominator = Q[2].mul_add(r, Q[1]).mul_add(r, Q[0]);
    scale(numerator / denominator, quadrant as i32)
}

/// `value * 2^exponent`, rounded once. `value` is near 1, `exponent` in -150..=128.
fn scale(value: f32, exponent: i32) -> f32 {
    // In f64 the product is exact, so that the conversion is the only rounding.
    let factor = f64::from_bits(((1023 + i64::from(exponent)) as u64) << 52);
    (f64::from(value) * factor) as f32
}

/// `numpy.random.RandomState(seed).permutation(n)`: MT19937 and masked rejection.
#[must_use]
pub fn permutation(n: usize, seed: u32) -> Vec<usize> {
    let mut rng = Mt::new(seed);
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        let limit = i as u32;
        let mask = u32::MAX >> limit.leading_zeros();
        let j = loop {
            let draw = rng.next_u32() & mask;
            if draw <= limit {
                break draw as usize;
            }
        };
        order.swap(i, j);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_agrees_with_numpy_to_the_last_bit() {
        // numpy.exp of float32, 2.x on AVX-512: (input bits, output bits). The last inputs are
        // ones where the correctly rounded value differs.
        let rows: Vec<(u32, u32)> = include_str!("../tests/data/numpy_exp_f32.csv")
            .lines()
            .skip(1)
            .map(|line| {
                let (x, y) = line.split_once(',').unwrap();
                (x.parse().unwrap(), y.parse().unwrap())
            })
            .collect();
        assert!(rows.len() > 1000);
        let mut unlike_std = 0;
        for (x, y) in rows {
            let x = f32::from_bits(x);
            assert_eq!(exp_f32(x).to_bits(), y, "exp({x})");
            unlike_std += usize::from(x.exp().to_bits() != y);
        }
        assert!(
            unlike_std > 10,
            "the table must hold values that tell the two apart"
        );
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "these values are exact")]
    fn exp_at_the_edges() {
        assert!(exp_f32(f32::NAN).is_nan());
        assert_eq!(exp_f32(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp_f32(f32::INFINITY), f32::INFINITY);
        assert_eq!(exp_f32(0.0), 1.0);
        assert_eq!(exp_f32(-104.0), 0.0);
    }

    #[test]
    fn permutation_agrees_with_numpy() {
        // numpy.random.RandomState(42).permutation(10)
        assert_eq!(permutation(10, 42), [8, 1, 5, 0, 7, 2, 9, 4, 3, 6]);
        assert!(permutation(0, 42).is_empty());
        assert_eq!(permutation(1, 42), [0]);
    }
}
