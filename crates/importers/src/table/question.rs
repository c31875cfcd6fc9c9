//! A row of a table as a question with its scores.

use std::path::Path;

use sureness_questions::{RightOptions, letter_index, paper};
use sureness_record::QuestionRecord;

use super::key::Key;
use super::record::{Record, Scores};
use crate::content;
use crate::error::printable;
use crate::imported::{ImportedRow, Options, RowScores};
use crate::{ImportError, Problem};

/// The answer in a row itself.
pub(super) fn own_key(path: &Path, record: &Record, width: usize) -> Result<Key, ImportError> {
    let at = |problem: Problem| problem.field("answer").at(path, record.place.clone());
    let Some(written) = &record.beside.answer else {
        return Err(at(Problem::NoAnswer));
    };
    let right = right_of(written).filter(|right| right.last() < width);
    let right = right.ok_or_else(|| {
        let answer = printable(written);
        at(Problem::Answer {
            answer,
            options: width,
        })
    })?;
    Ok(Key::of(right))
}

/// The index of the option that an answer in a table means: by its letter, in either case, or by its
/// number from 0, which a table library may have made a fraction.
fn answer_of(written: &str) -> Option<usize> {
    let number = || {
        let number: f64 = written.parse().ok().filter(|_| is_number(written))?;
        (number.fract() == 0.0 && number < 26.0).then_some(number as usize)
    };
    letter_index(&written.to_ascii_uppercase()).or_else(number)
}

/// The options that an answer in a table means, which may be several with commas between them.
pub fn right_of(written: &str) -> Option<RightOptions> {
    let parts: Option<Vec<usize>> = written
        .split(',')
        .map(|part| answer_of(part.trim()))
        .collect();
    let parts = parts?;
    let right = RightOptions::of(parts.iter().copied())?;
    (right.count() == parts.len()).then_some(right)
}

/// Whether an answer is written as a number.
pub(super) fn is_number(written: &str) -> bool {
    written.starts_with(|first: char| first.is_ascii_digit())
}

/// Refuses a row that does not fit its question.
pub(super) fn check(
    path: &Path,
    options: &Options,
    record: &Record,
    width: usize,
    key: &Key,
) -> Result<(), ImportError> {
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
    if key.right.last() >= width {
        let answer = format!("{} for id {id}", key.right);
        return Err(Problem::Answer {
            answer,
            options: width,
        }
        .of(path));
    }
    Ok(())
}

/// Where a right answer lies in a place that the paper's tables have for abstentions, these are options like
/// the others. Returns a note of it.
pub(super) fn abstentions_that_are_right(rows: &mut [ImportedRow]) -> Option<String> {
    let is_right = |row: &ImportedRow| {
        let QuestionRecord {
            right,
            dont_know,
            none_of_the_above,
            ..
        } = &row.question;
        let mut places = [dont_know, none_of_the_above].into_iter().flatten();
        places.any(|place| right.contains(*place))
    };
    if !rows.iter().any(is_right) {
        return None;
    }
    for row in rows {
        row.question.dont_know = None;
        row.question.none_of_the_above = None;
    }
    Some(
        "E or F are right answers, and so are no \"I don't know\" and \"None of the above\""
            .to_owned(),
    )
}

pub(super) fn row(task: &str, record: Record, scores: Scores, key: &Key) -> ImportedRow {
    let Scores { kind, values } = scores;
    let width = values.len();
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
            cluster: known.cluster.or(record.cluster),
            id: record.id,
            category: key.category.clone().or(record.category),
            options: width,
            right: key.right,
            dont_know,
            none_of_the_above,
        },
        scores: Ok(RowScores {
            observed: record.beside.observed(&values),
            mass: record.beside.mass_of(kind, &values),
            logprobs: values,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_letters_or_numbers_from_0() {
        for (written, answer) in [
            ("B", Some(1)),
            ("b", Some(1)),
            ("1", Some(1)),
            ("1.0", Some(1)),
            ("1.5", None),
            ("-1", None),
            ("26", None),
            ("blue", None),
            ("", None),
        ] {
            assert_eq!(answer_of(written), answer, "{written:?}");
        }
    }
}
