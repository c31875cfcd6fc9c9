//! Rows of probabilities: checked, ordered, scored.

use pyo3::Borrowed;
use pyo3::prelude::*;
use sureness_conformal::{
    Arithmetic, Covers, Order, Protocol, Real, RightOptions, Score, Threshold, TieRule,
};

use crate::arrays::{Rows, Values};
use crate::refusal::refusal;
use crate::settings;

/// How far the sum of a row may be from 1: probabilities are often written with three decimals.
const SUM: f64 = 5e-3;

/// How scores are computed and compared.
#[derive(Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) score: Score,
    pub(crate) protocol: Protocol,
    pub(crate) seed: u64,
}

impl<'py> FromPyObject<'_, 'py> for Rule {
    type Error = PyErr;

    /// From the names of score and protocol, and the seed.
    fn extract(from: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let (score, protocol, seed): (String, String, Bound<'py, PyAny>) = from.extract()?;
        let seed = seed.extract().map_err(|_| {
            refusal(
                format_args!("seed {}: not a whole number from 0 to {}", seed, u64::MAX),
                "choose another seed, such as 42",
            )
        })?;
        Ok(Self {
            score: settings::score(&score)?,
            protocol: settings::protocol(&protocol)?,
            seed,
        })
    }
}

impl Rule {
    pub(crate) fn arithmetic(self) -> Arithmetic {
        match self.protocol {
            Protocol::Paper => Arithmetic::Script,
            Protocol::Standard => Arithmetic::Definition,
        }
    }

    /// The LAC score of an option of this probability, on the scale of [`Score::of`].
    pub(crate) fn lac<F: Real>(self, p: F) -> F {
        match self.arithmetic() {
            Arithmetic::Script => F::ONE - p,
            Arithmetic::Definition => F::ZERO - p,
        }
    }
}

/// What is wrong with a row of probabilities.
pub(crate) struct Bad {
    pub(crate) row: usize,
    what: String,
}

impl From<Bad> for PyErr {
    fn from(bad: Bad) -> Self {
        refusal(
            format_args!("probs, row {} (counted from 0): {}", bad.row, bad.what),
            "give probabilities that sum to 1; sureness.softmax makes them of logits",
        )
    }
}

/// A precision whose arrays need no conversion.
pub(crate) trait Native: Real {
    /// The values, if they are in this precision.
    fn of<'a>(values: &Values<'a>) -> Option<&'a [Self]>;
}

impl Native for f32 {
    fn of<'a>(values: &Values<'a>) -> Option<&'a [Self]> {
        match values {
            Values::Single(values) => Some(values),
            Values::Double(_) => None,
        }
    }
}

impl Native for f64 {
    fn of<'a>(values: &Values<'a>) -> Option<&'a [Self]> {
        match values {
            Values::Double(values) => Some(values),
            Values::Single(_) => None,
        }
    }
}

/// One row of probabilities after the other, with their order.
pub(crate) struct Reader<'a, F> {
    rows: Rows<'a>,
    /// All rows, where they need no conversion.
    native: Option<&'a [F]>,
    converted: Vec<F>,
    rule: Rule,
    /// Rows that came before these: what is asked row by row has another order in each, too.
    before: u64,
    order: Order,
}

impl<'a, F: Native> Reader<'a, F> {
    pub(crate) fn new(rows: Rows<'a>, rule: Rule, before: u64) -> Self {
        Self {
            rows,
            native: F::of(&rows.values),
            converted: Vec::with_capacity(rows.options),
            rule,
            before,
            order: Order::default(),
        }
    }

    /// Reads and checks a row.
    fn load(&mut self, row: usize) -> Result<(), Bad> {
        if self.native.is_none() {
            self.rows.row(row).copy_to(&mut self.converted);
        }
        if is_distribution(self.of(row)) {
            Ok(())
        } else {
            Err(self.what_is_wrong(row))
        }
    }

    /// The row that was loaded last.
    fn of(&self, row: usize) -> &[F] {
        let options = self.rows.options;
        match self.native {
            Some(all) => &all[row * options..][..options],
            None => &self.converted,
        }
    }

    #[cold]
    fn what_is_wrong(&self, row: usize) -> Bad {
        let sum: f64 = self.of(row).iter().map(|p| p.to_f64()).sum();
        let mut probabilities = self.of(row).iter().map(|p| p.to_f64());
        let what = match probabilities.find(|&p| !is_probability(p)) {
            Some(p) => format!("{p} is not a probability"),
            None => format!("the probabilities sum to {sum:.3}"),
        };
        Bad { row, what }
    }

    /// Orders the row; options of equal probability by the protocol's rule, at random by the row's
    /// number, counted from the first one of calibration, and the seed under the standard one.
    fn sort(&mut self, row: usize) {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&(self.before + row as u64).to_le_bytes());
        key[8..].copy_from_slice(&self.rule.seed.to_le_bytes());
        let ties = match self.rule.protocol {
            Protocol::Paper => TieRule::Paper,
            Protocol::Standard => TieRule::Seeded(&key),
        };
        let mut order = std::mem::take(&mut self.order);
        order.sort(self.of(row), ties);
        self.order = order;
    }

    /// The most probable option of a row, and its probability.
    pub(crate) fn top(&mut self, row: usize) -> Result<(usize, F), Bad> {
        self.load(row)?;
        self.sort(row);
        let top = self.order.top();
        Ok((top, self.of(row)[top]))
    }

    /// The nonconformity score of the right option.
    pub(crate) fn score(
        &mut self,
        row: usize,
        right: RightOptions,
        covers: Covers,
    ) -> Result<F, Bad> {
        self.load(row)?;
        // Neither the only right option nor its LAC score depends on the order.
        if let (Score::Lac, Some(option)) = (self.rule.score, right.only()) {
            return Ok(self.rule.lac(self.of(row)[option]));
        }
        self.sort(row);
        let option = covers.deciding(right, &self.order);
        let (score, arithmetic) = (self.rule.score, self.rule.arithmetic());
        Ok(score.of(self.of(row), &self.order, option, arithmetic))
    }

    /// Writes the prediction set of a row.
    pub(crate) fn set(
        &mut self,
        row: usize,
        threshold: Threshold<F>,
        fill: bool,
        into: &mut [bool],
    ) -> Result<(), Bad> {
        self.load(row)?;
        // LAC needs no order.
        if self.rule.score == Score::Aps {
            self.sort(row);
        }
        let (score, arithmetic) = (self.rule.score, self.rule.arithmetic());
        let set = score.set(self.of(row), &self.order, threshold, arithmetic);
        for (option, into) in into.iter_mut().enumerate() {
            *into = set.contains(option);
        }
        if fill && set.is_empty() {
            self.sort(row);
            into[self.order.top()] = true;
        }
        Ok(())
    }
}

/// Whether these are probabilities that sum to 1.
#[inline]
pub(crate) fn is_distribution<F: Real>(row: &[F]) -> bool {
    // Without a branch per option, and in two sums, which need not wait for each other. No term of such
    // a sum exceeds it, and a NaN makes it NaN.
    let (mut sums, mut least) = ([0.0; 2], F::ZERO);
    for (option, &p) in row.iter().enumerate() {
        sums[option % 2] += p.to_f64();
        least = if p < least { p } else { least };
    }
    least >= F::ZERO && (sums[0] + sums[1] - 1.0).abs() <= SUM
}

fn is_probability(p: f64) -> bool {
    (0.0..=1.0 + SUM).contains(&p)
}
