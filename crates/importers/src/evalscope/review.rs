//! evalscope's reviews: the right answers and the verdicts.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use sureness_questions::{MAX_OPTIONS, letter_index};

use crate::error::{Fault, printable};
use crate::letter::Answer;
use crate::lines::lines;
use crate::{ImportError, Problem, Refusal, asked, json};

/// The fields that are read.
#[derive(Debug, Deserialize)]
struct Line {
    #[serde(default)]
    index: Value,
    #[serde(default)]
    target: Value,
    #[serde(default)]
    sample_score: Value,
}

/// The review of one prediction.
#[derive(Debug)]
pub(super) struct Review {
    /// The letter of the right option, as written.
    target: Vec<String>,
    /// What repeats of one question have in common.
    pub(super) group: Option<String>,
    /// The letters that evalscope found in the answer.
    extracted: Option<String>,
    pub(super) correct: Option<bool>,
}

/// The reviews of a file, by the index of the prediction.
pub(super) struct Reviews(HashMap<String, Review>);

impl Reviews {
    /// Those of a file of predictions.
    pub(super) fn beside(path: &Path) -> Result<Self, ImportError> {
        let reviews = beside(path).filter(|it| it.is_file());
        let reviews = reviews.ok_or_else(|| Problem::Refused(Refusal::NoReviews).of(path))?;
        let file = File::open(&reviews).map_err(|error| Problem::Io(error).of(&reviews))?;
        let mut found = HashMap::new();
        lines(&reviews, file, |place, line: Line| {
            let index = json::id(&line.index, "index").map_err(|it| it.at(&reviews, place))?;
            found.insert(index, Review::of(&line));
            Ok(())
        })?;
        Ok(Self(found))
    }

    pub(super) fn of(&self, index: &str) -> Result<&Review, Fault> {
        let review = self.0.get(index);
        review.ok_or_else(|| Problem::Refused(Refusal::NoReview(printable(index))).field("index"))
    }
}

/// `reviews/{model}/{name}` for `predictions/{model}/{name}`.
fn beside(path: &Path) -> Option<PathBuf> {
    let model = path.parent()?;
    let predictions = model.parent()?;
    (predictions.file_name()? == "predictions").then(|| {
        let reviews = predictions.with_file_name("reviews");
        let model = model.file_name().unwrap_or_default();
        reviews
            .join(model)
            .join(path.file_name().unwrap_or_default())
    })
}

impl Review {
    fn of(line: &Line) -> Self {
        let target = match &line.target {
            Value::String(text) => vec![text.trim().to_owned()],
            Value::Array(list) => {
                let texts = list.iter().filter_map(Value::as_str);
                texts.map(|text| text.trim().to_owned()).collect()
            }
            _ => Vec::new(),
        };
        let score = line.sample_score.get("score").unwrap_or(&Value::Null);
        let values = score.get("value").and_then(Value::as_object);
        let main = json::text(score, "/main_score_name");
        let value = values.and_then(|values| match main {
            Some(name) => values.get(name),
            None => ["acc", "accuracy"]
                .iter()
                .find_map(|name| values.get(*name)),
        });
        let verdict = value.and_then(asked::verdict);
        let group = line.sample_score.get("group_id");
        Self {
            target,
            group: group.and_then(|group| json::id(group, "group_id").ok()),
            extracted: score
                .get("extracted_prediction")
                .and_then(Value::as_str)
                .map(|text| text.trim().to_owned()),
            correct: verdict
                .filter(|verdict| verdict.fract() == 0.0)
                .map(|verdict| verdict > 0.5),
        }
    }

    /// The right option.
    pub(super) fn answer(&self, options: usize) -> Result<usize, Fault> {
        let fault = |problem: Problem| problem.field("target of the review");
        let written = match self.target.as_slice() {
            [] => return Err(fault(Problem::NoAnswer)),
            [one] if one.chars().count() > 1 && letters(one).is_some() => {
                return Err(fault(Problem::SeveralAnswers(printable(one))));
            }
            [one] => one,
            several => {
                return Err(fault(Problem::SeveralAnswers(printable(
                    &several.join(", "),
                ))));
            }
        };
        let index = letter_index(written).filter(|index| *index < options);
        index.ok_or_else(|| {
            let answer = printable(written);
            fault(Problem::Answer { answer, options })
        })
    }

    /// The answer that evalscope found.
    pub(super) fn stated(&self, options: usize) -> Answer {
        let Some(extracted) = &self.extracted else {
            return Answer::Unknown;
        };
        if extracted.is_empty() {
            return Answer::None;
        }
        let option = letter_index(extracted).filter(|option| *option < options);
        match option {
            Some(option) => Answer::Option(option),
            None if letters(extracted).is_some_and(|letters| letters.len() > 1) => {
                Answer::Several(extracted.clone())
            }
            None => Answer::Unknown,
        }
    }
}

/// The options of letters in a row, such as `ABD`.
fn letters(text: &str) -> Option<Vec<usize>> {
    let mut bytes = [0; 4];
    let options = text
        .chars()
        .map(|it| letter_index(it.encode_utf8(&mut bytes)));
    let options: Option<Vec<usize>> = options.collect();
    options.filter(|options| options.len() <= MAX_OPTIONS)
}
