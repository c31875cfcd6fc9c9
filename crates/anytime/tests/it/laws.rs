//! Random numbers, and models by laws.

use sureness_conformal::{Nonconformity, Row, Scores, Table, View};

/// `SplitMix64`, written out here so that no update of a library changes a sample.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn of_repetition(seed: u64, repetition: u64) -> Self {
        let mut rng = Self(seed.rotate_left(32) ^ repetition);
        rng.0 = rng.next();
        rng
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub(crate) fn unit(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }
}

pub(crate) fn shuffled<T: Clone>(values: &[T], rng: &mut Rng) -> Vec<T> {
    let mut values = values.to_vec();
    for last in (1..values.len()).rev() {
        values.swap(last, rng.below(last + 1));
    }
    values
}

const OPTIONS: usize = 5;

/// Logits of each question; the right option is the first.
pub(crate) type Model = Vec<[f64; OPTIONS]>;

/// A model whose right options stand out by `skill`, which differs between questions, at
/// this `sharpness`.
pub(crate) fn model(of: usize, skill: f64, sharpness: f64, rng: &mut Rng) -> Model {
    let question = |_| {
        let easy = skill + 0.8 * rng.normal();
        std::array::from_fn(|option| {
            sharpness * (rng.normal() + if option == 0 { easy } else { 0.0 })
        })
    };
    (0..of).map(question).collect()
}

/// Its LAC scores.
pub(crate) fn scores(model: &Model) -> Scores {
    let mut table = Table::new(OPTIONS);
    for (index, logits) in model.iter().enumerate() {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&index.to_le_bytes());
        let row = Row {
            key: &key,
            cluster: None,
            logits: logits.as_slice().into(),
            right: 0.into(),
            dont_know: None,
            none_of_the_above: None,
        };
        table.push(key, &row, None).unwrap();
    }
    Scores::of(&table, Nonconformity::Lac, &View::default())
}
