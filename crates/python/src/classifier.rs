//! Split conformal prediction for probabilities.

use numpy::{PyArray2, PyArrayMethods};
use pyo3::Borrowed;
use pyo3::prelude::*;
use rayon::prelude::*;
use sureness_conformal::{
    Arithmetic, Covers, Order, Protocol, Real, RightOptions, Score, Threshold, TieRule,
    conformal_threshold, numpy_higher_threshold,
};

use crate::arrays::{Matrix, Rows, labels};
use crate::refusal::refusal;
use crate::settings;

/// Rows that a thread takes at a time.
const CHUNK: usize = 1024;

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
    fn arithmetic(self) -> Arithmetic {
        match self.protocol {
            Protocol::Paper => Arithmetic::Script,
            Protocol::Standard => Arithmetic::Definition,
        }
    }
}

/// What is wrong with a row of probabilities.
pub(crate) struct Bad {
    row: usize,
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

/// One row of probabilities after the other, with their order.
pub(crate) struct Reader<'a, F> {
    rows: Rows<'a>,
    rule: Rule,
    probabilities: Vec<F>,
    order: Order,
}

impl<'a, F: Real> Reader<'a, F> {
    pub(crate) fn new(rows: Rows<'a>, rule: Rule) -> Self {
        Self {
            rows,
            rule,
            probabilities: Vec::with_capacity(rows.options),
            order: Order::default(),
        }
    }

    /// Reads and checks a row.
    fn load(&mut self, row: usize) -> Result<(), Bad> {
        self.rows.row(row).copy_to(&mut self.probabilities);
        let mut sum = 0.0;
        for p in self.probabilities.iter().map(|p| p.to_f64()) {
            if !(0.0..=1.0 + SUM).contains(&p) {
                let what = format!("{p} is not a probability");
                return Err(Bad { row, what });
            }
            sum += p;
        }
        if (sum - 1.0).abs() > SUM {
            let what = format!("the probabilities sum to {sum:.3}");
            return Err(Bad { row, what });
        }
        Ok(())
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
        self.order.sort(&self.probabilities, ties);
    }

    /// The most probable option of a row, and its probability.
    pub(crate) fn top(&mut self, row: usize) -> Result<(usize, F), Bad> {
        self.load(row)?;
        self.sort(row);
        let top = self.order.top();
        Ok((top, self.probabilities[top]))
    }

    /// The nonconformity score of the right option.
    fn score(&mut self, row: usize, right: RightOptions, covers: Covers) -> Result<F, Bad> {
        self.load(row)?;
        // Neither the only right option nor its LAC score depends on the order.
        if self.rule.score == Score::Aps || right.only().is_none() {
            self.sort(row);
        }
        let option = covers.deciding(right, &self.order);
        let (rule, order) = (self.rule, &self.order);
        Ok(rule
            .score
            .of(&self.probabilities, order, option, rule.arithmetic()))
    }

    /// Writes the prediction set of a row.
    fn set(
        &mut self,
        row: usize,
        threshold: Threshold<F>,
        fill: bool,
        into: &mut [bool],
    ) -> Result<(), Bad> {
        self.load(row)?;
        let rule = self.rule;
        if rule.score == Score::Aps {
            self.sort(row);
        }
        let mut set = rule.score.set(
            &self.probabilities,
            &self.order,
            threshold,
            rule.arithmetic(),
        );
        if fill && set.is_empty() {
            self.sort(row);
            set.insert(self.order.top());
        }
        for (option, into) in into.iter_mut().enumerate() {
            *into = set.contains(option);
        }
        Ok(())
    }
}

/// The threshold that labelled rows set at the error rate `alpha`, on the scale of comparison, and as
/// a score for people; `None` where it is infinite.
#[pyfunction]
pub(crate) fn threshold(
    py: Python<'_>,
    probs: &Bound<'_, PyAny>,
    right: &Bound<'_, PyAny>,
    rule: Rule,
    alpha: f64,
    covers: &str,
) -> PyResult<Option<(f64, f64)>> {
    let covers = settings::named(covers, "covers", &["any", "all"])?;
    let matrix = Matrix::read(probs, "probs")?;
    let rows = matrix.rows()?;
    let right = labels(right, rows)?;
    let found = py.detach(|| match rule.protocol {
        Protocol::Paper => threshold_as::<f32>(rows, &right, rule, alpha, covers),
        Protocol::Standard => threshold_as::<f64>(rows, &right, rule, alpha, covers),
    });
    Ok(found?)
}

fn threshold_as<F: Real>(
    rows: Rows<'_>,
    right: &[RightOptions],
    rule: Rule,
    alpha: f64,
    covers: Covers,
) -> Result<Option<(f64, f64)>, Bad> {
    let chunks = right.par_chunks(CHUNK).enumerate();
    let chunks = chunks.map(|(chunk, right)| {
        let mut reader = Reader::<F>::new(rows, rule);
        let scores = right.iter().zip(chunk * CHUNK..);
        let scores = scores.map(|(&right, row)| reader.score(row, right, covers));
        scores.collect::<Result<Vec<F>, Bad>>()
    });
    // In the order of rows, so that the first bad one is named.
    let chunks: Vec<Result<Vec<F>, Bad>> = chunks.collect();
    let chunks = chunks.into_iter().collect::<Result<Vec<Vec<F>>, Bad>>()?;
    let mut scores = chunks.concat();
    let threshold = match rule.protocol {
        Protocol::Paper => numpy_higher_threshold(&mut scores, alpha),
        Protocol::Standard => conformal_threshold(&mut scores, alpha),
    };
    let Threshold::Finite(compared) = threshold else {
        return Ok(None);
    };
    let value = rule.score.value(compared, rule.arithmetic());
    Ok(Some((compared.to_f64(), value.to_f64())))
}

/// Prediction sets, one row of booleans per question. `compared` is the threshold on the scale of
/// comparison. With `fill`, an empty set becomes the most probable option.
#[pyfunction]
pub(crate) fn sets<'py>(
    py: Python<'py>,
    probs: &Bound<'py, PyAny>,
    rule: Rule,
    compared: Option<f64>,
    fill: bool,
) -> PyResult<Bound<'py, PyArray2<bool>>> {
    let matrix = Matrix::read(probs, "probs")?;
    let rows = matrix.rows()?;
    let out = PyArray2::<bool>::zeros(py, [rows.len(), rows.options], false);
    {
        let mut writable = out.try_readwrite()?;
        let into = writable.as_slice_mut()?;
        py.detach(|| match rule.protocol {
            Protocol::Paper => sets_as::<f32>(rows, rule, compared, fill, into),
            Protocol::Standard => sets_as::<f64>(rows, rule, compared, fill, into),
        })?;
    }
    Ok(out)
}

fn sets_as<F: Real>(
    rows: Rows<'_>,
    rule: Rule,
    compared: Option<f64>,
    fill: bool,
    into: &mut [bool],
) -> Result<(), Bad> {
    let threshold = compared.map_or(Threshold::Infinite, |it| Threshold::Finite(F::from_f64(it)));
    let chunks = into.par_chunks_mut(CHUNK * rows.options).enumerate();
    let bad = chunks.filter_map(|(chunk, into)| {
        let mut reader = Reader::<F>::new(rows, rule);
        let sets = into.chunks_exact_mut(rows.options).enumerate();
        let read = |(row, into)| reader.set(chunk * CHUNK + row, threshold, fill, into);
        sets.map(read).find_map(Result::err)
    });
    match bad.min_by_key(|bad| bad.row) {
        Some(bad) => Err(bad),
        None => Ok(()),
    }
}
