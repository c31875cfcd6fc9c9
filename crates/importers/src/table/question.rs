//! A row of a table as a question with its scores.

use std::path::Path;

use sureness_questions::{letter, letter_index, paper};
use sureness_record::QuestionRecord;
use sureness_scorers::replay::Kind;

use super::key::Key;
use super::record::{Mass, Record};
use crate::content;
use crate::error::printable;
use crate::imported::{ImportedRow, Options, RowScores};
use crate::{ImportError, Problem};

/// The answer in a row itself.
pub(super) fn own_key(path: &Path, record: &Record) -> Result<Key, ImportError> {
    let at = |problem: Problem| problem.field("answer").at(path, record.place.clone());
    let Some(written) = &record.answer else {
        return Err(at(Problem::NoAnswer));
    };
    let width = record.scores.len();
    let answer = option(written).filter(|answer| *answer < width);
    let answer = answer.ok_or_else(|| {
        let answer = printable(written);
        at(Problem::Answer {
            answer,
            options: width,
        })
    })?;
    Ok(Key::of(answer))
}

/// The index of an option by its letter, or by its number from 0.
fn option(written: &str) -> Option<usize> {
    let number = || {
        let is_number = written.starts_with(|first: char| first.is_ascii_digit());
        is_number.then(|| written.parse().ok()).flatten()
    };
    letter_index(written).or_else(number)
}

/// Refuses a row that does not fit its question.
pub(super) fn check(
    path: &Path,
    options: &Options,
    record: &Record,
    key: &Key,
) -> Result<(), ImportError> {
    let width = record.scores.len();
    let id = printable(&record.id);
    if let (Some(questions), Some(count)) = (options.questions.as_deref(), key.options)
        && count != width
    {
        let problem = Problem::OtherWidth {
            id,
            scores: width,
            options: count,
            questions: questions.to_owned(),
        };
        return Err(problem.of(path));
    }
    if key.answer >= width {
        let answer = format!("{} for id {id}", letter(key.answer));
        return Err(Problem::Answer {
            answer,
            options: width,
        }
        .of(path));
    }
    Ok(())
}

pub(super) fn row(task: &str, record: &Record, key: &Key) -> ImportedRow {
    let width = record.scores.len();
    let mass = match record.mass {
        Mass::Known(mass) => Some(mass.clamp(0.0, 1.0)),
        Mass::Sum if record.kind == Kind::LogProbs => {
            let probabilities = record.scores.iter().map(|value| value.exp());
            Some(probabilities.sum::<f64>().min(1.0))
        }
        Mass::Sum | Mass::Unknown => None,
    };
    // Abstention options are known by their texts, or by the paper's fixed positions.
    let (dont_know, none_of_the_above) = match key.options {
        Some(_) => (key.dont_know, key.none_of_the_above),
        None => paper::abstention(width),
    };
    let named = || content::of_name([task, &record.id]);
    let known = key.known.unwrap_or_else(named);
    ImportedRow {
        question: QuestionRecord {
            content: record.key.unwrap_or(known.content),
            cluster: known.cluster,
            id: record.id.clone(),
            category: key.category.clone().or_else(|| record.category.clone()),
            options: width,
            answer: key.answer,
            dont_know,
            none_of_the_above,
        },
        scores: Ok(RowScores {
            observed: record.observed(),
            logprobs: record.scores.clone(),
            mass,
        }),
    }
}
