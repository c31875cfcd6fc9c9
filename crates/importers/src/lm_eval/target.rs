//! Readings of `target`: an index in some tasks, the text of an option in others.

use serde_json::Value;
use sureness_questions::letter_index;

use super::sample::Sample;
use crate::error::{Fault, Problem, printable};

/// Readings of one line's `target`. The task, not the line, decides which applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// As an index from 0, or as a letter.
    pub(super) index: Option<usize>,
    /// As the text of an option.
    pub(super) text: Option<usize>,
    /// As written.
    pub(super) written: String,
}

/// How all targets of a file are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Index,
    Text,
}

impl Target {
    /// The readings that are possible for one of `options`, whose texts are `continuations`.
    pub(super) fn read(
        target: &Value,
        continuations: &[String],
        options: usize,
    ) -> Result<Self, Fault> {
        let written = match target {
            Value::Null => return Err(Problem::NoAnswer.field("target")),
            Value::String(text) => text.trim().to_owned(),
            Value::Array(list) => match list.as_slice() {
                [Value::String(only)] => only.clone(),
                [only] => only.to_string(),
                _ => return Err(several(&target.to_string())),
            },
            other => other.to_string(),
        };
        let single = match written
            .strip_prefix('[')
            .and_then(|it| it.strip_suffix(']'))
        {
            Some(list) if list.contains(',') => return Err(several(&written)),
            Some(only) => only.trim().trim_matches('\'').to_owned(),
            None => written,
        };
        let text = continuations.iter().position(|text| *text == single);
        // (A), A. and A) are letters where no option has this text.
        let letter = || {
            let bare = single.trim_matches(['(', ')', '.']);
            text.is_none().then(|| letter_index(bare)).flatten()
        };
        let index = number(&single).or_else(letter);
        let index = index.filter(|index| *index < options);
        if index.is_none() && text.is_none() {
            if single.is_empty() || single == "-1" || single == "None" {
                return Err(Problem::NoAnswer.field("target"));
            }
            let answer = printable(&single);
            return Err(Problem::Answer { answer, options }.field("target"));
        }
        Ok(Self {
            index,
            text,
            written: single,
        })
    }

    /// The right option.
    pub(super) fn answer(&self, reading: Reading, options: usize) -> Result<usize, Fault> {
        let answer = match reading {
            Reading::Index => self.index,
            Reading::Text => self.text,
        };
        answer.ok_or_else(|| {
            let answer = printable(&self.written);
            Problem::Answer { answer, options }.field("target")
        })
    }
}

/// The reading that contradicts the harness less often. `None` if both do alike and yet differ.
pub(super) fn reading(samples: &[&Sample]) -> Option<Reading> {
    let contradictions = |reading: fn(&Target) -> Option<usize>| {
        let wrong =
            samples
                .iter()
                .filter(|sample| match (reading(&sample.target), sample.correct()) {
                    (Some(answer), Some(correct)) => (answer == sample.judged_top()) != correct,
                    (None, _) => true,
                    _ => false,
                });
        wrong.count()
    };
    let by_index = contradictions(|target| target.index);
    let by_text = contradictions(|target| target.text);
    let differ = |sample: &&&Sample| sample.target.index != sample.target.text;
    match by_text.cmp(&by_index) {
        std::cmp::Ordering::Less => Some(Reading::Text),
        std::cmp::Ordering::Greater => Some(Reading::Index),
        std::cmp::Ordering::Equal => {
            let same = samples.iter().find(differ).is_none();
            same.then_some(Reading::Index)
        }
    }
}

/// A whole number, also where a table library made it a fraction.
fn number(written: &str) -> Option<usize> {
    let whole = written.strip_suffix(".0").unwrap_or(written);
    whole.parse().ok()
}

fn several(written: &str) -> Fault {
    Problem::SeveralAnswers(printable(written)).field("target")
}
