//! Rows of probabilities: checked, ordered, scored.

use pyo3::Borrowed;
use pyo3::prelude::*;
use sureness_conformal::{
    Arithmetic, Covers, Order, Protocol, Ranked, Real, RightOptions, Score, Threshold, TieRule,
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
        let (score, protocol, seed): (String, String, u64) = from.extract()?;
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
///
/// `N` is the number of options where the compiler is to know it, which unrolls what is done to each
/// row: three times as fast. 0 is for any number.
pub(crate) struct Reader<'a, F, const N: usize = 0> {
    rows: Rows<'a>,
    /// All rows, where they need no conversion.
    native: Option<&'a [F]>,
    converted: Vec<F>,
    rule: Rule,
    order: Order,
}

impl<'a, F: Native, const N: usize> Reader<'a, F, N> {
    pub(crate) fn new(rows: Rows<'a>, rule: Rule) -> Self {
        Self {
            rows,
            native: F::of(&rows.values),
            converted: Vec::with_capacity(rows.options),
            rule,
            order: Order::default(),
        }
    }

    /// Reads and checks a row.
    #[inline]
    fn load(&mut self, row: usize) -> Result<(), Bad> {
        if self.native.is_none() {
            self.rows.row(row).copy_to(&mut self.converted);
        }
        // Without a branch per option, which would be most of the work.
        let (mut sum, mut inside) = (0.0, true);
        for p in self.of(row) {
            let p = p.to_f64();
            inside &= is_probability(p);
            sum += p;
        }
        if inside && (sum - 1.0).abs() <= SUM {
            Ok(())
        } else {
            Err(self.what_is_wrong(row, sum))
        }
    }

    /// The row that was loaded last.
    #[inline]
    fn of(&self, row: usize) -> &[F] {
        let options = if N == 0 { self.rows.options } else { N };
        match self.native {
            Some(all) => &all[row * options..][..options],
            None => &self.converted[..options],
        }
    }

    #[cold]
    fn what_is_wrong(&self, row: usize, sum: f64) -> Bad {
        let mut probabilities = self.of(row).iter().map(|p| p.to_f64());
        let what = match probabilities.find(|&p| !is_probability(p)) {
            Some(p) => format!("{p} is not a probability"),
            None => format!("the probabilities sum to {sum:.3}"),
        };
        Bad { row, what }
    }

    /// Orders the row; options of equal probability by the protocol's rule, at random by the row's
    /// number and the seed under the standard one.
    fn sort(&mut self, row: usize) {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&(row as u64).to_le_bytes());
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
    #[inline]
    pub(crate) fn score(
        &mut self,
        row: usize,
        right: RightOptions,
        covers: Covers,
    ) -> Result<F, Bad> {
        self.load(row)?;
        // Neither the only right option nor its LAC score depends on the order.
        if let (Score::Lac, Some(option)) = (self.rule.score, right.only()) {
            return Ok(F::ONE - self.of(row)[option]);
        }
        if let (Some(ranked), Some(option)) = (self.ranked(row), right.only()) {
            return Ok(ranked.score(self.of(row)[option]));
        }
        self.sort(row);
        let option = covers.deciding(right, &self.order);
        let (score, arithmetic) = (self.rule.score, self.rule.arithmetic());
        Ok(score.of(self.of(row), &self.order, option, arithmetic))
    }

    /// Writes the prediction set of a row.
    #[inline]
    pub(crate) fn set(
        &mut self,
        row: usize,
        threshold: Threshold<F>,
        fill: bool,
        into: &mut [bool],
    ) -> Result<(), Bad> {
        self.load(row)?;
        if let (Score::Lac, Threshold::Finite(threshold)) = (self.rule.score, threshold) {
            self.lac(row, threshold, into);
        } else if let Some(ranked) = self.ranked(row) {
            let least = ranked.least(threshold);
            for (&p, into) in self.of(row).iter().zip(into.iter_mut()) {
                *into = least.is_some_and(|least| p >= least);
            }
        } else {
            self.sort(row);
            let (score, arithmetic) = (self.rule.score, self.rule.arithmetic());
            let set = score.set(self.of(row), &self.order, threshold, arithmetic);
            for (option, into) in into.iter_mut().enumerate() {
                *into = set.contains(option);
            }
        }
        if fill && !into.contains(&true) {
            self.sort(row);
            into[self.order.top()] = true;
        }
        Ok(())
    }

    /// The APS scores of a row of `N` options without ties.
    #[inline]
    fn ranked(&self, row: usize) -> Option<Ranked<F, N>> {
        let aps = N > 0 && self.rule.score == Score::Aps;
        let row = self.of(row).try_into().ok().filter(|_| aps)?;
        Ranked::aps(row, self.rule.arithmetic())
    }

    /// The set of [`Score::set`], written without a branch per option.
    #[inline]
    fn lac(&self, row: usize, threshold: F, into: &mut [bool]) {
        let options = self.of(row).iter().zip(into);
        match self.rule.arithmetic() {
            Arithmetic::Script => {
                let least = F::ONE - threshold;
                options.for_each(|(&p, into)| *into = p >= least);
            }
            Arithmetic::Definition => {
                options.for_each(|(&p, into)| *into = F::ONE - p <= threshold);
            }
        }
    }
}

fn is_probability(p: f64) -> bool {
    (0.0..=1.0 + SUM).contains(&p)
}
