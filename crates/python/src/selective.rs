//! Answers where the model is sure enough.

use std::collections::HashMap;

use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;
use sureness_conformal::{
    AnswerRule, Protocol, RightOptions, Score, SureAnswer, at_most_wrong,
    at_most_wrong_of_answered, confidence_grid,
};

use crate::arrays::{Matrix, Rows, labels};
use crate::reader::{Bad, Reader, Rule};
use crate::refusal::refusal;
use crate::threads;

/// Options of equal probability come in the order of rows and of this seed.
const RULE: Rule = Rule {
    score: Score::Lac,
    protocol: Protocol::Standard,
    seed: 42,
};

/// The probability that an answer must exceed, minus infinity for all, infinity for none; and the number
/// of options. `largest` is the size that no cluster exceeds, where it is known; the promise is its
/// share of wrong answers, how often it may be broken, and what it is of.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over a list")]
pub(crate) fn answer_threshold(
    probs: &Bound<'_, PyAny>,
    right: &Bound<'_, PyAny>,
    clusters: Option<Vec<Vec<u8>>>,
    largest: Option<usize>,
    promise: (f64, f64, String),
) -> PyResult<(f64, usize)> {
    let (wrong, delta, of) = promise;
    let matrix = Matrix::read(probs, "probs")?;
    let rows = matrix.rows()?;
    let right = labels(right, rows)?;
    check_clusters(clusters.as_deref(), rows)?;
    let of_all = match of.as_str() {
        "all" => true,
        "answered" => false,
        _ => {
            return Err(refusal(
                format_args!("of {of:?} is unknown"),
                "choose among answered, all",
            ));
        }
    };
    let (rule, seen) = threads::detached(probs.py(), || {
        let answers = sure_answers(rows, &right, clusters.as_deref())?;
        let seen = largest_cluster(&answers);
        let most = largest.unwrap_or(seen).max(seen);
        let rule = if of_all {
            at_most_wrong(&answers, wrong, most)
        } else {
            at_most_wrong_of_answered(&answers, wrong, delta, &confidence_grid(), most)
        };
        Ok::<_, Bad>((rule, seen))
    })?;
    if let Some(largest) = largest.filter(|largest| *largest < seen) {
        return Err(refusal(
            format_args!("largest_cluster is {largest}, but a cluster has {seen} questions"),
            "give the number of questions that no cluster exceeds",
        ));
    }
    let threshold = match rule {
        AnswerRule::Everything => f64::NEG_INFINITY,
        AnswerRule::SurerThan(threshold) => threshold,
        AnswerRule::Nothing => f64::INFINITY,
    };
    Ok((threshold, rows.options))
}

/// The most probable option of each row where it exceeds the threshold, else −1; of rows with so many
/// options, after `before` rows that this classifier has seen.
#[pyfunction]
pub(crate) fn answers<'py>(
    py: Python<'py>,
    probs: &Bound<'py, PyAny>,
    threshold: f64,
    options: usize,
    before: u64,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let matrix = Matrix::read(probs, "probs")?;
    let rows = matrix.rows()?;
    if rows.options != options {
        return Err(refusal(
            format_args!(
                "probs has {} columns, but the calibration questions had {options}",
                rows.options
            ),
            "give one column per option, as for calibrate",
        ));
    }
    let out = PyArray1::<i64>::zeros(py, rows.len(), false);
    {
        let mut writable = out.try_readwrite()?;
        let into = writable.as_slice_mut()?;
        threads::detached(py, || {
            let mut reader = Reader::<f64>::new(rows, RULE, before);
            for (row, into) in into.iter_mut().enumerate() {
                let (top, probability) = reader.top(row)?;
                *into = if probability > threshold {
                    i64::from(top as u8)
                } else {
                    -1
                };
            }
            Ok::<_, Bad>(())
        })?;
    }
    Ok(out)
}

fn sure_answers(
    rows: Rows<'_>,
    right: &[RightOptions],
    clusters: Option<&[Vec<u8>]>,
) -> Result<Vec<SureAnswer>, Bad> {
    let mut reader = Reader::<f64>::new(rows, RULE, 0);
    let answer = |(row, right): (usize, &RightOptions)| {
        let (top, sureness) = reader.top(row)?;
        let cluster = match clusters {
            Some(names) => *blake3::hash(&names[row]).as_bytes(),
            None => *blake3::hash(&row.to_le_bytes()).as_bytes(),
        };
        Ok(SureAnswer {
            sureness,
            wrong: !right.contains(top),
            cluster,
        })
    };
    right.iter().enumerate().map(answer).collect()
}

fn largest_cluster(answers: &[SureAnswer]) -> usize {
    let mut sizes: HashMap<[u8; 32], usize> = HashMap::new();
    for answer in answers {
        *sizes.entry(answer.cluster).or_default() += 1;
    }
    sizes.into_values().max().unwrap_or(1)
}

fn check_clusters(clusters: Option<&[Vec<u8>]>, rows: Rows<'_>) -> PyResult<()> {
    match clusters.map(<[_]>::len) {
        Some(length) if length != rows.len() => Err(refusal(
            format_args!(
                "clusters has {length} entries, but there are {} questions",
                rows.len()
            ),
            "give one per row",
        )),
        _ => Ok(()),
    }
}
