//! Random numbers for resampling.
//!
//! Each replicate draws from a stream of its own, which (purpose, seed, replicate) alone decide.
//! A result therefore does not depend on threads or on what was drawn before. The generator and
//! the binomial are written out here, so that no update of a library can change a published
//! interval.

/// xoshiro256++ (Blackman & Vigna 2021).
#[derive(Debug, Clone)]
pub(crate) struct Stream([u64; 4]);

impl Stream {
    /// The stream of one replicate. `purpose` keeps uses with the same seed apart.
    pub(crate) fn new(purpose: &str, seed: u64, replicate: usize) -> Self {
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
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in `0..n`, for `n ≥ 1`. Biased by less than `n / 2⁶⁴`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }

    /// Heads among `n` tosses of a fair coin: one bit each.
    pub(crate) fn heads(&mut self, n: usize) -> usize {
        let words = (0..n / 64).map(|_| self.next().count_ones()).sum::<u32>();
        let rest = n % 64;
        let rest = if rest == 0 {
            0
        } else {
            (self.next() >> (64 - rest)).count_ones()
        };
        (words + rest) as usize
    }

    /// Successes among `n` trials of probability `p`. `factorials` must reach `n`.
    pub(crate) fn binomial(&mut self, n: usize, p: f64, factorials: &LnFactorials) -> usize {
        if n == 0 || p <= 0.0 {
            0
        } else if p >= 1.0 {
            n
        } else if p > 0.5 {
            n - self.rare(n, 1.0 - p, factorials)
        } else {
            self.rare(n, p, factorials)
        }
    }

    /// For `0 < p ≤ ½`.
    fn rare(&mut self, n: usize, p: f64, factorials: &LnFactorials) -> usize {
        if n as f64 * p < 10.0 {
            self.by_inversion(n, p)
        } else {
            self.by_rejection(n, p, factorials)
        }
    }

    /// Adds up probabilities until they exceed a uniform number: quick where few are needed.
    fn by_inversion(&mut self, n: usize, p: f64) -> usize {
        let odds = p / (1.0 - p);
        let mut mass = (n as f64 * (-p).ln_1p()).exp();
        let mut left = self.unit();
        let mut k = 0;
        while left >= mass && k < n {
            left -= mass;
            mass *= odds * (n - k) as f64 / (k + 1) as f64;
            k += 1;
        }
        k
    }

    /// Transformed rejection with squeeze, BTRS (Hörmann 1993); needs `n · p ≥ 10`.
    fn by_rejection(&mut self, n: usize, p: f64, factorials: &LnFactorials) -> usize {
        let trials = n as f64;
        let spread = (trials * p * (1.0 - p)).sqrt();
        // The hat's parameters, a and b in the paper; us there is `edge` here.
        let wide = 1.15 + 2.53 * spread;
        let steep = -0.0873 + 0.0248 * wide + 0.01 * p;
        let centre = trials * p + 0.5;
        let surely = 0.92 - 4.2 / wide;
        let mode = (((trials + 1.0) * p) as usize).min(n);
        let mut of_mode = None;
        loop {
            let across = self.unit() - 0.5;
            let height = self.unit();
            let edge = 0.5 - across.abs();
            let k = ((2.0 * steep / edge + wide) * across + centre).floor();
            if edge >= 0.07 && height <= surely {
                return (k as usize).min(n);
            }
            if !(0.0..=trials).contains(&k) {
                continue;
            }
            let k = k as usize;
            let log_mass = |k: usize| {
                k as f64 * (p / (1.0 - p)).ln() - factorials.get(k) - factorials.get(n - k)
            };
            let of_mode = *of_mode.get_or_insert_with(|| log_mass(mode));
            let scale = (2.83 + 5.1 / wide) * spread;
            if (height * scale / (steep / (edge * edge) + wide)).ln() <= log_mass(k) - of_mode {
                return k;
            }
        }
    }
}

/// `ln k!` for each `k` up to a largest.
#[derive(Debug, Clone)]
pub(crate) struct LnFactorials(Vec<f64>);

impl LnFactorials {
    pub(crate) fn up_to(n: usize) -> Self {
        let mut total = 0.0;
        Self(
            (0..=n)
                .map(|k| {
                    total += (k.max(1) as f64).ln();
                    total
                })
                .collect(),
        )
    }

    fn get(&self, k: usize) -> f64 {
        self.0.get(k).copied().unwrap_or(f64::INFINITY)
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

    fn binomial_mass(n: usize, p: f64) -> Vec<f64> {
        let f = LnFactorials::up_to(n);
        (0..=n)
            .map(|k| {
                let ways = f.get(n) - f.get(k) - f.get(n - k);
                (ways + k as f64 * p.ln() + (n - k) as f64 * (1.0 - p).ln()).exp()
            })
            .collect()
    }

    #[test]
    fn binomials_follow_their_law() {
        // Both methods, both sides of one half, and the border between the methods.
        for (n, p) in [
            (1, 0.3),
            (20, 0.1),
            (20, 0.5),
            (21, 0.5),
            (60, 0.2),
            (500, 0.9),
            (500, 0.02),
            (5000, 0.4),
            (5000, 0.999),
        ] {
            let factorials = LnFactorials::up_to(n);
            agrees(&binomial_mass(n, p), |stream| {
                stream.binomial(n, p, &factorials)
            });
        }
    }

    #[test]
    fn coins_follow_their_law() {
        for n in [1, 7, 64, 100, 1000] {
            agrees(&binomial_mass(n, 0.5), |stream| stream.heads(n));
        }
    }

    #[test]
    fn certain_draws() {
        let mut stream = Stream::new("test", 0, 0);
        let factorials = LnFactorials::up_to(10);
        assert_eq!(stream.binomial(0, 0.5, &factorials), 0);
        assert_eq!(stream.binomial(10, 0.0, &factorials), 0);
        assert_eq!(stream.binomial(10, 1.0, &factorials), 10);
        assert_eq!(stream.heads(0), 0);
        assert!((0..1000).all(|_| stream.below(1) == 0));
    }

    #[test]
    fn indices_are_uniform() {
        agrees(&[1.0 / 7.0; 7], |stream| stream.below(7));
    }
}
