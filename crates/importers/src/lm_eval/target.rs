//! Readings of `target`: an index in some tasks, the text of an option in others.

use serde_json::Value;
use sureness_questions::{RightOptions, letter_index};

use super::sample::Sample;
use crate::error::{Fault, Problem, printable};

/// Readings of one line's `target`. The task, not the line, decides which applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// As an index from 0, or as a letter.
    pub(super) index: Option<RightOptions>,
    /// As the text of an option.
    pub(super) text: Option<RightOptions>,
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
            Value::Array(list) => match list.as_slice() {
                [only] => one(only),
                _ => return Self::indices(&target.to_string(), options),
            },
            other => one(other),
        };
        let single = match written
            .strip_prefix('[')
            .and_then(|it| it.strip_suffix(']'))
        {
            Some(list) if list.contains(',') => return Self::indices(&written, options),
            Some(only) => only.trim().trim_matches('\'').to_owned(),
            None => written,
        };
        let text = continuations.iter().position(|text| *text == single);
        // (A), A. and A) are letters where no option has this text.
        let letter = || {
            let bare = single.trim_matches(['(', ')', '.']);
            text.is_none().then(|| letter_index(bare)).flatten()
        };
        let index = number(&single).or_else(|| truth(&single)).or_else(letter);
        let index = index.filter(|index| *index < options);
        if index.is_none() && text.is_none() {
            if single.is_empty() || single == "-1" || single == "None" {
                return Err(Problem::NoAnswer.field("target"));
            }
            let answer = printable(&single);
            return Err(Problem::Answer { answer, options }.field("target"));
        }
        Ok(Self {
            index: index.map(RightOptions::one),
            text: text.map(RightOptions::one),
            written: single,
        })
    }

    /// Several right options as a list of their indices, each of which the harness counts as right.
    fn indices(written: &str, options: usize) -> Result<Self, Fault> {
        let list = written.trim_matches(['[', ']']).split(',');
        let places: Option<Vec<usize>> = list.map(|place| number(place.trim())).collect();
        let right = places.filter(|places| places.iter().all(|place| *place < options));
        let right = right.and_then(RightOptions::of);
        let right = right.ok_or_else(|| several(written))?;
        Ok(Self::known(right))
    }

    /// Right options that do not depend on the reading.
    pub(super) fn known(right: RightOptions) -> Self {
        Self {
            index: Some(right),
            text: Some(right),
            written: String::new(),
        }
    }

    /// The right options.
    pub(super) fn right(&self, reading: Reading, options: usize) -> Result<RightOptions, Fault> {
        let right = match reading {
            Reading::Index => self.index,
            Reading::Text => self.text,
        };
        right.ok_or_else(|| {
            let answer = printable(&self.written);
            Problem::Answer { answer, options }.field("target")
        })
    }
}

/// The reading that contradicts the harness less often. `None` if both do alike and yet differ.
pub(super) fn reading(samples: &[&Sample]) -> Option<Reading> {
    let contradictions = |reading: fn(&Target) -> Option<RightOptions>| {
        let wrong =
            samples
                .iter()
                .filter(|sample| match (reading(&sample.target), sample.correct()) {
                    (Some(right), Some(correct)) => right.contains(sample.judged_top()) != correct,
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

/// A target as the text that Python makes of it.
fn one(target: &Value) -> String {
    match target {
        Value::String(text) => text.trim().to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        other => other.to_string(),
    }
}

/// The index that a truth value is to the harness, since it is a whole number in Python.
fn truth(written: &str) -> Option<usize> {
    ["False", "True"].iter().position(|truth| *truth == written)
}

/// A whole number, also where a table library made it a fraction.
fn number(written: &str) -> Option<usize> {
    let whole = written.strip_suffix(".0").unwrap_or(written);
    whole.parse().ok()
}

fn several(written: &str) -> Fault {
    Problem::SeveralAnswers(printable(written)).field("target")
}
