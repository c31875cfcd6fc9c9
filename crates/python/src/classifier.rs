//! Split conformal prediction for probabilities.

use numpy::{PyArray2, PyArrayMethods};
use pyo3::prelude::*;
use rayon::prelude::*;
use sureness_conformal::{
    Covers, Protocol, RightOptions, Threshold, conformal_threshold, numpy_higher_threshold,
};

use crate::arrays::{Matrix, Rows, labels};
use crate::reader::{Bad, Native, Reader, Rule};
use crate::settings;

/// Rows that a thread takes at a time. Up to so many, none is woken: that takes longer than they do.
const CHUNK: usize = 8192;

/// Calls `$work::<PRECISION, N>(…)`: the precision by the protocol, and the usual numbers of options as
/// constants.
macro_rules! of_width {
    ($rows:expr, $rule:expr, $work:ident $arguments:tt) => {
        match $rule.protocol {
            Protocol::Paper => of_width!(@ f32, $rows, $work $arguments),
            Protocol::Standard => of_width!(@ f64, $rows, $work $arguments),
        }
    };
    (@ $precision:ty, $rows:expr, $work:ident $arguments:tt) => {
        match $rows.options {
            4 => $work::<$precision, 4> $arguments,
            5 => $work::<$precision, 5> $arguments,
            6 => $work::<$precision, 6> $arguments,
            _ => $work::<$precision, 0> $arguments,
        }
    };
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
    let found =
        py.detach(|| of_width!(rows, rule, threshold_as(rows, &right, rule, alpha, covers)));
    Ok((found?, rows.len(), rows.options))
}

fn threshold_as<F: Native, const N: usize>(
    rows: Rows<'_>,
    right: &[RightOptions],
    rule: Rule,
    alpha: f64,
    covers: Covers,
) -> Result<Option<(f64, f64)>, Bad> {
    let scores_of = |(chunk, right): (usize, &[RightOptions])| {
        let mut reader = Reader::<F, N>::new(rows, rule);
        let scores = right.iter().zip(chunk * CHUNK..);
        let scores = scores.map(|(&right, row)| reader.score(row, right, covers));
        scores.collect::<Result<Vec<F>, Bad>>()
    };
    let mut scores = if right.len() <= CHUNK {
        scores_of((0, right))?
    } else {
        let chunks = right.par_chunks(CHUNK).enumerate().map(scores_of);
        // In the order of rows, so that the first bad one is named.
        let chunks: Vec<Result<Vec<F>, Bad>> = chunks.collect();
        let chunks: Result<Vec<Vec<F>>, Bad> = chunks.into_iter().collect();
        chunks?.concat()
    };
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
        py.detach(|| of_width!(rows, rule, sets_as(rows, rule, compared, fill, into)))?;
    }
    Ok(out)
}

fn sets_as<F: Native, const N: usize>(
    rows: Rows<'_>,
    rule: Rule,
    compared: Option<f64>,
    fill: bool,
    into: &mut [bool],
) -> Result<(), Bad> {
    let threshold = compared.map_or(Threshold::Infinite, |it| Threshold::Finite(F::from_f64(it)));
    let write = |(chunk, into): (usize, &mut [bool])| {
        let mut reader = Reader::<F, N>::new(rows, rule);
        let sets = into.chunks_exact_mut(rows.options).enumerate();
        let write = |(row, into)| reader.set(chunk * CHUNK + row, threshold, fill, into);
        sets.map(write).find_map(Result::err)
    };
    let bad = if rows.len() <= CHUNK {
        write((0, into))
    } else {
        let chunks = into.par_chunks_mut(CHUNK * rows.options).enumerate();
        chunks.filter_map(write).min_by_key(|bad| bad.row)
    };
    bad.map_or(Ok(()), Err)
}
