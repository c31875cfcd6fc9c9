//! Evidence from arrays.

use std::collections::HashMap;

use pyo3::prelude::*;
use sureness_analysis::{GroupId, GroupRows, ModelEvidence, Source};
use sureness_conformal::{Config, RightOptions, Row, Table};
use sureness_importers::Shares;

use super::Evidence;
use crate::arrays::{Matrix, Rows, labels};
use crate::refusal::refusal;
use crate::threads;

/// Task and strategy of arrays, which have no names.
const TASK: &str = "array";
const STRATEGY: &str = "given";

/// What is known of the questions, one entry each; absent where unknown.
pub(super) struct Questions {
    /// Names, or digests of 32 bytes.
    pub(super) ids: Option<Vec<Vec<u8>>>,
    /// Names of clusters of questions that are not independent.
    pub(super) clusters: Option<Vec<Vec<u8>>>,
    /// Categories; a question may have none.
    pub(super) groups: Option<Vec<Option<String>>>,
    /// Index of "I don't know".
    pub(super) dont_know: Option<usize>,
    /// Index of "None of the above".
    pub(super) none_of_the_above: Option<usize>,
}

/// Reads the scores of every model.
pub(super) fn read(
    models: &[(String, Bound<'_, PyAny>)],
    right: &Bound<'_, PyAny>,
    questions: &Questions,
) -> PyResult<Evidence> {
    let mut evidence = sureness_analysis::Evidence::default();
    let mut shape = None;
    for (name, scores) in models {
        let matrix = Matrix::read(scores, name)?;
        let rows = matrix.rows()?;
        let of_first = *shape.get_or_insert((rows.len(), rows.options));
        if of_first != (rows.len(), rows.options) {
            return Err(refusal(
                format_args!(
                    "{name} has the shape {} × {}, but the first model {} × {}",
                    rows.len(),
                    rows.options,
                    of_first.0,
                    of_first.1
                ),
                "give the same questions for all models, in the same order",
            ));
        }
        let right = labels(right, rows)?;
        questions.check(rows)?;
        let found = threads::detached(scores.py(), || group(name, rows, &right, questions));
        let mut group = found?;
        evidence.share(&mut group);
        evidence.models.push(ModelEvidence {
            name: name.clone(),
            source: Source::default(),
            groups: vec![group],
            orders: Vec::new(),
        });
    }
    Ok(Evidence {
        rows: evidence,
        config: Config::default(),
        warnings: Vec::new(),
        notes: Vec::new(),
    })
}

impl Questions {
    /// Refuses lists of another length and options that are not there.
    fn check(&self, rows: Rows<'_>) -> PyResult<()> {
        let lengths = [
            ("ids", self.ids.as_ref().map(Vec::len)),
            ("clusters", self.clusters.as_ref().map(Vec::len)),
            ("groups", self.groups.as_ref().map(Vec::len)),
        ];
        for (name, length) in lengths {
            if let Some(length) = length.filter(|&length| length != rows.len()) {
                return Err(refusal(
                    format_args!(
                        "{name} has {length} entries, but there are {} questions",
                        rows.len()
                    ),
                    "give one per row",
                ));
            }
        }
        let options = [
            ("dont_know", self.dont_know),
            ("none_of_the_above", self.none_of_the_above),
        ];
        for (name, option) in options {
            if let Some(option) = option.filter(|&option| option >= rows.options) {
                return Err(refusal(
                    format_args!(
                        "{name} is {option}, but there are {} options, counted from 0",
                        rows.options
                    ),
                    "give the column of that option",
                ));
            }
        }
        if self.dont_know.is_some() && self.dont_know == self.none_of_the_above {
            return Err(refusal(
                "dont_know and none_of_the_above are the same option",
                "give the column of each, or of the one that there is",
            ));
        }
        Ok(())
    }

    fn key(&self, row: usize) -> [u8; 32] {
        match &self.ids {
            Some(ids) => digest(&ids[row]),
            None => digest(&(row as u64).to_le_bytes()),
        }
    }

    /// The number of each row's category, and the names.
    fn categories(&self) -> (Vec<Option<u32>>, Vec<String>) {
        let (mut numbers, mut names) = (HashMap::new(), Vec::new());
        let of = |name: &Option<String>| {
            let name = name.as_ref()?;
            Some(*numbers.entry(name.clone()).or_insert_with(|| {
                names.push(name.clone());
                names.len() as u32 - 1
            }))
        };
        let of_rows = self.groups.iter().flatten().map(of).collect();
        (of_rows, names)
    }
}

/// A digest as it stands; the digest of any other name.
fn digest(name: &[u8]) -> [u8; 32] {
    <[u8; 32]>::try_from(name)
        .unwrap_or_else(|_| blake3::derive_key("sureness question name", name))
}

fn group(
    name: &str,
    rows: Rows<'_>,
    right: &[RightOptions],
    questions: &Questions,
) -> PyResult<GroupRows> {
    let (of_rows, categories) = questions.categories();
    let mut table = Table::new(rows.options);
    for (index, &right) in right.iter().enumerate() {
        let row = Row {
            key: &[],
            cluster: questions.clusters.as_ref().map(|names| &*names[index]),
            logits: rows.row(index),
            right,
            dont_know: questions.dont_know,
            none_of_the_above: questions.none_of_the_above,
        };
        let pushed = table.push(
            questions.key(index),
            &row,
            of_rows.get(index).copied().flatten(),
        );
        pushed.map_err(|error| {
            refusal(
                format_args!("{name}, {error}"),
                "leave out questions without an answer; give finite logits or log-probabilities",
            )
        })?;
    }
    check_scores(name, rows)?;
    Ok(GroupRows {
        id: GroupId {
            task: TASK.to_owned(),
            strategy: STRATEGY.to_owned(),
        },
        title: TASK.to_owned(),
        ids: (0..rows.len()).map(|row| row.to_string()).collect(),
        table,
        categories,
        mass: Vec::new(),
        bounded: Vec::new(),
        drawn: Vec::new(),
        clustered: questions.clusters.is_some(),
        planned: rows.len(),
    })
}

/// Refuses probabilities: their softmax would be a figure of another model.
fn check_scores(name: &str, rows: Rows<'_>) -> PyResult<()> {
    let mut shares = Shares::default();
    for row in 0..rows.len() {
        let values: Vec<f64> = rows.row(row).iter().collect();
        shares.note(&values);
    }
    if !shares.are_most() {
        return Ok(());
    }
    Err(refusal(
        format_args!("{name} holds probabilities: its rows sum to 1, or to 100 %"),
        "give logits or log-probabilities, such as numpy.log(probs)",
    ))
}
