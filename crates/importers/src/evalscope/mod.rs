//! Predictions of evalscope: `predictions/{model}/{benchmark}_{subset}.jsonl`, beside
//! `reviews/{model}/{benchmark}_{subset}.jsonl`.
//!
//! The fields are those of version 1.14.1 (`ModelResult` and `ReviewResult` in
//! `api/evaluator/cache.py`, `api/model/model_output.py`): a prediction has the prompt and the tokens of the
//! answer, in the layout that Inspect has too, a review the right answer and the verdict.

mod prompt;
mod review;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use sureness_record::QuestionRecord;
use sureness_scorers::ScoreError;

use crate::choice::{Choice, left_out};
use crate::error::{Fault, printable};
use crate::imported::{
    AccuracyCheck, Imported, ImportedRow, Model, Options, RowScores, SourceFile,
};
use crate::letter::{Answer, Token, scores};
use crate::lines::lines;
use crate::{Format, ImportError, Problem, Refusal, content, json};
use review::{Review, Reviews};

/// The fields of a prediction that are read.
#[derive(Debug, Deserialize)]
struct Prediction {
    #[serde(default)]
    index: Value,
    model: Option<String>,
    model_output: Option<Output>,
    #[serde(default)]
    messages: Vec<Value>,
}

#[derive(Debug, Deserialize)]
struct Output {
    #[serde(default)]
    choices: Vec<Completion>,
    error: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Completion {
    logprobs: Option<Logprobs>,
}

#[derive(Debug, Deserialize)]
struct Logprobs {
    #[serde(default)]
    content: Vec<Token>,
}

/// Imports a file; nothing if its task is not chosen.
pub(crate) fn import(
    path: &Path,
    bytes: &[u8],
    choice: &Choice<'_>,
    options: &Options,
) -> Result<Vec<Imported>, ImportError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(".gz").unwrap_or(&name);
    let stem = stem.strip_suffix(".jsonl").unwrap_or(stem);
    let task = options.task.clone().unwrap_or_else(|| stem.to_owned());
    if !choice.wants(&[&task]) {
        return Ok(Vec::new());
    }
    let reviews = Reviews::beside(path)?;
    let mut reading = Reading {
        choice,
        reviews,
        rows: Vec::new(),
        correct: Vec::new(),
        model: None,
        seen: HashSet::new(),
        dropped: 0,
        repeats: 0,
        later: 0,
    };
    let digest = lines(path, bytes, |place, row: Prediction| {
        reading.add(&row).map_err(|fault| fault.at(path, place))
    })?;
    let model = options.model.clone().or(reading.model.take());
    let model = Model {
        name: model.ok_or_else(|| Problem::NoModel.of(path))?,
        details: BTreeMap::new(),
    };
    let mut import = Imported {
        files: vec![SourceFile::new(path, &digest)],
        ..Imported::empty(model, task, "evalscope".to_owned(), Format::Evalscope)
    };
    reading.finish(path, &mut import)?;
    Ok(vec![import])
}

/// A file that is being read.
struct Reading<'a> {
    choice: &'a Choice<'a>,
    reviews: Reviews,
    rows: Vec<ImportedRow>,
    /// Whether evalscope counts each row as correct.
    correct: Vec<Option<bool>>,
    model: Option<String>,
    seen: HashSet<String>,
    dropped: usize,
    /// Rows of questions that were asked before.
    repeats: usize,
    /// Rows whose letter comes after other text.
    later: usize,
}

impl Reading<'_> {
    fn add(&mut self, row: &Prediction) -> Result<(), Fault> {
        let index = json::id(&row.index, "index")?;
        let review = self.reviews.of(&index)?;
        let id = review.group.clone().unwrap_or_else(|| index.clone());
        if self.choice.drops(&[&id]) {
            self.dropped += 1;
            return Ok(());
        }
        if !self.seen.insert(id.clone()) {
            self.repeats += 1;
            return Ok(());
        }
        let text = prompt::text(&row.messages).ok_or_else(|| Problem::Missing.field("messages"))?;
        let (question, choices) = prompt::split(&text)
            .ok_or_else(|| Problem::Refused(Refusal::NoListedOptions).field("messages"))?;
        let answer = review.answer(choices.len())?;
        let (row_scores, later) = scored(row, &choices, review);
        self.later += usize::from(later);
        let known = content::of_question(None, question, &choices, answer.into());
        self.model = self.model.take().or_else(|| row.model.clone());
        self.correct.push(review.correct);
        self.rows.push(ImportedRow {
            question: QuestionRecord {
                content: known.content,
                cluster: known.cluster,
                id,
                category: None,
                options: choices.len(),
                right: answer.into(),
                dont_know: None,
                none_of_the_above: None,
            },
            scores: row_scores,
        });
        Ok(())
    }

    fn finish(self, path: &Path, import: &mut Imported) -> Result<(), ImportError> {
        if self.rows.is_empty() {
            return Err(Problem::Empty.of(path));
        }
        let without = |row: &ImportedRow| matches!(row.scores, Err(ScoreError::NoLogprobs));
        if self.rows.iter().all(without) {
            return Err(Problem::NoLogprobs.of(path));
        }
        import.check = check(&self.rows, &self.correct);
        import.notes.extend(left_out(self.dropped));
        if self.repeats > 0 {
            let note = format!("skipped {} repeats of questions", self.repeats);
            import.notes.push(note);
        }
        if self.later > 0 {
            import.notes.push(format!(
                "in {} of {} samples the letter follows other text, which its probabilities depend on",
                self.later,
                self.rows.len()
            ));
        }
        import.rows = self.rows;
        Ok(())
    }
}

/// The scores of the letters where the answer has its letter, and whether text precedes it.
fn scored(
    row: &Prediction,
    choices: &[String],
    review: &Review,
) -> (Result<RowScores, ScoreError>, bool) {
    let seen: Vec<&str> = choices.iter().map(String::as_str).collect();
    let stated = review.stated(choices.len());
    match tokens(row).and_then(|tokens| scores(tokens, &seen, None, &stated)) {
        Ok(scored) => (
            Ok(scored.scores),
            scored.place > 0 && stated != Answer::Unknown,
        ),
        Err(error) => (Err(error), false),
    }
}

fn tokens(row: &Prediction) -> Result<&[Token], ScoreError> {
    let output = row.model_output.as_ref().ok_or(ScoreError::NoLogprobs)?;
    if let Some(error) = &output.error {
        let message = printable(error);
        return Err(ScoreError::Backend { message });
    }
    let completion = output.choices.first();
    let logprobs = completion.and_then(|it| it.logprobs.as_ref());
    logprobs
        .map(|it| it.content.as_slice())
        .ok_or(ScoreError::NoLogprobs)
}

/// Our accuracy of the answered rows beside evalscope's.
fn check(rows: &[ImportedRow], correct: &[Option<bool>]) -> Option<AccuracyCheck> {
    let (mut answered, mut ours, mut theirs) = (0_usize, 0_usize, 0_usize);
    let mut first_difference = None;
    for (row, correct) in rows.iter().zip(correct) {
        let Ok(scores) = &row.scores else {
            continue;
        };
        let (right, correct) = (row.question.right.contains(scores.top()), (*correct)?);
        answered += 1;
        ours += usize::from(right);
        theirs += usize::from(correct);
        if right != correct && first_difference.is_none() {
            first_difference = Some(row.question.id.clone());
        }
    }
    let share = |count: usize| count as f64 / answered as f64;
    (answered > 0).then(|| AccuracyCheck {
        ours: share(ours),
        theirs: share(theirs),
        metric: "accuracy".to_owned(),
        first_difference,
    })
}
