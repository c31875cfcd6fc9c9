//! Random numbers for resampling.
//!
//! Each replicate draws from a stream of its own, a function of purpose, seed and replicate. So
//! results do not depend on threads or on earlier draws. The generator is written out here, so that
//! no update of a library changes a published interval.

/// xoshiro256++ (Blackman & Vigna 2021).
#[derive(Debug, Clone)]
pub struct Stream([u64; 4]);

impl Stream {
    /// The stream of one replicate. `purpose` separates uses with the same seed.
    pub fn new(purpose: &str, seed: u64, replicate: usize) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("sureness resampling");
        hasher.update(&seed.to_le_bytes());
        hasher.update(&(replicate as u64).to_le_bytes());
        hasher.update(purpose.as_bytes());
        let mut state = [0; 4];
        for (word, bytes) in state
            .iter_mut()
            .zip(hasher.finalize().as_bytes().chunks_exact(8))
        {
            *word = bytes
                .iter()
                .rev()
                .fold(0, |word, &byte| word << 8 | u64::from(byte));
        }
        Self(state)
    }

    /// 64 random bits.
    pub(crate) fn next(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Uniform in `[0, 1)`, 53 bits.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in `0..n`, for `n ≥ 1`. Biased by less than `n / 2⁶⁴`.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_xoshiro() {
        // The reference implementation's first numbers for the state 1, 2, 3, 4.
        let mut stream = Stream([1, 2, 3, 4]);
        let numbers: Vec<u64> = (0..5).map(|_| stream.next()).collect();
        assert_eq!(
            numbers,
            [
                41_943_041,
                58_720_359,
                3_588_806_011_781_223,
                3_591_011_842_654_386,
                9_228_616_714_210_784_205,
            ]
        );
    }

    #[test]
    fn streams_depend_on_all_that_names_them() {
        let first = |purpose, seed, replicate| Stream::new(purpose, seed, replicate).next();
        let reference = first("a", 1, 2);
        assert_eq!(reference, first("a", 1, 2));
        assert_ne!(reference, first("b", 1, 2));
        assert_ne!(reference, first("a", 2, 2));
        assert_ne!(reference, first("a", 1, 3));
        assert_ne!(first("a", 1, 2), first("a", 2, 1));
    }

    /// Pearson's statistic of 40,000 draws against exact probabilities, over cells that expect at
    /// least five, must stay within five standard deviations of its mean. The seed is fixed.
    fn agrees(mass: &[f64], mut draw: impl FnMut(&mut Stream) -> usize) {
        let draws = 40_000;
        let mut stream = Stream::new("test", 5, 0);
        let mut counts = vec![0_usize; mass.len()];
        for _ in 0..draws {
            counts[draw(&mut stream)] += 1;
        }
        let (mut statistic, mut cells, mut rest, mut expected_rest) = (0.0, 0.0, 0.0, 0.0);
        for (&count, &p) in counts.iter().zip(mass) {
            let expected = p * f64::from(draws);
            if expected < 5.0 {
                rest += count as f64;
                expected_rest += expected;
            } else {
                statistic += (count as f64 - expected).powi(2) / expected;
                cells += 1.0;
            }
        }
        if expected_rest > 1.0 {
            statistic += (rest - expected_rest).powi(2) / expected_rest;
            cells += 1.0;
        }
        let degrees: f64 = cells - 1.0;
        assert!(degrees >= 1.0, "the draws must be able to differ");
        assert!(
            (statistic - degrees).abs() < 5.0 * (2.0 * degrees).sqrt(),
            "chi-square {statistic} with {degrees} degrees of freedom"
        );
    }

    #[test]
    fn indices_are_uniform() {
        agrees(&[1.0 / 7.0; 7], |stream| stream.below(7));
    }
}
