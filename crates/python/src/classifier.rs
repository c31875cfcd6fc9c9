//! Split conformal prediction for probabilities.

use numpy::{PyArray2, PyArrayMethods};
use pyo3::Borrowed;
use pyo3::prelude::*;
use rayon::prelude::*;
use sureness_conformal::{
    Arithmetic, Covers, Order, Protocol, Real, RightOptions, Score, Threshold, TieRule,
    conformal_threshold, numpy_higher_threshold,
};

use crate::arrays::{Matrix, Rows, Values, labels};
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
    order: Order,
}

impl<'a, F: Native> Reader<'a, F> {
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
    fn of(&self, row: usize) -> &[F] {
        match self.native {
            Some(all) => &all[row * self.rows.options..][..self.rows.options],
            None => &self.converted,
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
    fn score(&mut self, row: usize, right: RightOptions, covers: Covers) -> Result<F, Bad> {
        self.load(row)?;
        // Neither the only right option nor its LAC score depends on the order.
        if let (Score::Lac, Some(option)) = (self.rule.score, right.only()) {
            return Ok(F::ONE - self.of(row)[option]);
        }
        self.sort(row);
        let option = covers.deciding(right, &self.order);
        let (score, arithmetic) = (self.rule.score, self.rule.arithmetic());
        Ok(score.of(self.of(row), &self.order, option, arithmetic))
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
        if let (Score::Lac, Threshold::Finite(threshold)) = (self.rule.score, threshold) {
            self.lac(row, threshold, into);
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

    /// The set of [`Score::set`], written without a branch per option.
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

/// A threshold on the scale of comparison and as a score for people, `None` where it is infinite; then
/// the numbers of rows and options.
type Calibrated = (Option<(f64, f64)>, usize, usize);

/// The threshold that labelled rows set at the error rate `alpha`.
#[pyfunction]
pub(crate) fn threshold(
    py: Python<'_>,
    probs: &Bound<'_, PyAny>,
    right: &Bound<'_, PyAny>,
    rule: Rule,
    alpha: f64,
    covers: &str,
) -> PyResult<Calibrated> {
    let covers = settings::named(covers, "covers", &["any", "all"])?;
    let matrix = Matrix::read(probs, "probs")?;
    let rows = matrix.rows()?;
    let right = labels(right, rows)?;
    let found = py.detach(|| match rule.protocol {
        Protocol::Paper => threshold_as::<f32>(rows, &right, rule, alpha, covers),
        Protocol::Standard => threshold_as::<f64>(rows, &right, rule, alpha, covers),
    });
    Ok((found?, rows.len(), rows.options))
}

fn threshold_as<F: Native>(
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

fn sets_as<F: Native>(
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
