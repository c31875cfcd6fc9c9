//! Split conformal prediction for probabilities.

use numpy::{PyArray2, PyArrayMethods};
use pyo3::prelude::*;
use rayon::prelude::*;
use sureness_conformal::{
    Covers, Protocol, RightOptions, Threshold, conformal_threshold, numpy_higher_threshold,
};

use crate::arrays::{Matrix, Rows, labels};
use crate::block;
use crate::reader::{Bad, Native, Reader, Rule};
use crate::settings;
use crate::threads;

/// Rows that a thread takes at a time. Up to so many, none is woken: that takes longer than they do.
const CHUNK: usize = 8192;

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
    let found = threads::detached(py, || match rule.protocol {
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
    let scores_of = |(chunk, right): (usize, &[RightOptions])| {
        let first = chunk * CHUNK;
        let (mut scores, left) = block::scores(rows, first, right, rule);
        let mut reader = Reader::<F>::new(rows, rule, 0);
        for index in left {
            scores[index] = reader.score(first + index, right[index], covers)?;
        }
        Ok(scores)
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
/// comparison. With `fill`, an empty set becomes the most probable option. `before` is the number of rows
/// that this classifier has seen.
#[pyfunction]
pub(crate) fn sets<'py>(
    py: Python<'py>,
    probs: &Bound<'py, PyAny>,
    rule: Rule,
    compared: Option<f64>,
    fill: bool,
    before: u64,
) -> PyResult<Bound<'py, PyArray2<bool>>> {
    let matrix = Matrix::read(probs, "probs")?;
    let rows = matrix.rows()?;
    let out = PyArray2::<bool>::zeros(py, [rows.len(), rows.options], false);
    {
        let mut writable = out.try_readwrite()?;
        let into = writable.as_slice_mut()?;
        threads::detached(py, || match rule.protocol {
            Protocol::Paper => sets_as::<f32>(rows, (rule, before), compared, fill, into),
            Protocol::Standard => sets_as::<f64>(rows, (rule, before), compared, fill, into),
        })?;
    }
    Ok(out)
}

fn sets_as<F: Native>(
    rows: Rows<'_>,
    (rule, before): (Rule, u64),
    compared: Option<f64>,
    fill: bool,
    into: &mut [bool],
) -> Result<(), Bad> {
    let threshold = compared.map_or(Threshold::Infinite, |it| Threshold::Finite(F::from_f64(it)));
    let write = |(chunk, into): (usize, &mut [bool])| {
        let first = chunk * CHUNK;
        let left = block::sets(rows, first, rule, threshold, fill, into);
        let mut reader = Reader::<F>::new(rows, rule, before);
        let mut set = |index: usize| {
            let into = &mut into[index * rows.options..][..rows.options];
            reader.set(first + index, threshold, fill, into)
        };
        left.into_iter().find_map(|index| set(index).err())
    };
    let bad = if rows.len() <= CHUNK {
        write((0, into))
    } else {
        let chunks = into.par_chunks_mut(CHUNK * rows.options).enumerate();
        chunks.filter_map(write).min_by_key(|bad| bad.row)
    };
    bad.map_or(Ok(()), Err)
}
