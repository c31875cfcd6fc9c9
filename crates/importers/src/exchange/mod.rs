//! Requests to a model and its answers in text, as batches, servers and test runners keep them: a
//! prompt that shows options with letters, and the answer's tokens with the most probable ones.
//!
//! The question is that of `--questions` which the prompt shows, or else the prompt itself. The
//! letters of the prompt decide which option each is, whatever their order in `--questions`.

mod answer;
mod key;
pub(crate) mod prompt;
mod question;
pub(crate) mod tokens;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use sureness_questions::NumberedAnswers;
use sureness_record::QuestionRecord;
use sureness_scorers::ScoreError;

use crate::choice::{Choice, left_out};
use crate::content;
use crate::error::printable;
use crate::imported::{AccuracyCheck, Imported, ImportedRow};
use crate::letter::{self, Answer, Token};
use crate::{ImportError, Place, Problem};
pub(crate) use key::Keys;
use question::Asked;

/// A request and the answer to it.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) id: String,
    /// The text that shows the question.
    pub(crate) prompt: Option<String>,
    pub(crate) category: Option<String>,
    /// The right answer beside the request: a letter, an option's text, or a number from 0.
    pub(crate) answer: Option<Value>,
    /// The answer's text; `None` if the file does not have it.
    pub(crate) said: Option<String>,
    /// The answer's tokens, or why there are none.
    pub(crate) tokens: Result<Vec<Token>, ScoreError>,
    /// Whether the file counts the answer as right.
    pub(crate) correct: Option<bool>,
}

/// The exchanges of one model, task and strategy, as they are read.
pub(crate) struct Reading<'a> {
    choice: &'a Choice<'a>,
    keys: Option<&'a Keys>,
    import: Imported,
    /// Where each question was first seen.
    seen: HashMap<String, String>,
    /// The ids of all exchanges.
    ids: HashSet<String>,
    /// Whether the file counts each row as right.
    correct: Vec<Option<bool>>,
    numbered: NumberedAnswers,
    dropped: usize,
    /// Rows whose letter comes after the first token.
    later: usize,
    /// Rows whose prompts show the options in another order than `--questions` has them.
    reordered: usize,
    /// Rows without a prompt, so that the order of the options is taken on trust.
    trusted: usize,
}

impl<'a> Reading<'a> {
    /// Begins with an import without rows.
    pub(crate) fn new(import: Imported, choice: &'a Choice<'a>, keys: Option<&'a Keys>) -> Self {
        Self {
            choice,
            keys,
            import,
            seen: HashMap::new(),
            ids: HashSet::new(),
            correct: Vec::new(),
            numbered: NumberedAnswers::default(),
            dropped: 0,
            later: 0,
            reordered: 0,
            trusted: 0,
        }
    }

    /// The import so far.
    pub(crate) fn import(&mut self) -> &mut Imported {
        &mut self.import
    }

    /// Whether an exchange has this id.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// Rows so far, with those that are left out.
    pub(crate) fn count(&self) -> usize {
        self.import.rows.len() + self.dropped
    }

    /// Adds an exchange; `field` names its id.
    pub(crate) fn add(
        &mut self,
        file: &Path,
        place: &Place,
        field: &str,
        exchange: Exchange,
    ) -> Result<(), ImportError> {
        self.ids.insert(exchange.id.clone());
        if self.choice.drops(&[&exchange.id]) {
            self.dropped += 1;
            return Ok(());
        }
        let asked = question::of(&exchange, self.keys, field)
            .map_err(|fault| fault.at(file, place.clone()))?;
        let Asked {
            question,
            order,
            numbered,
        } = asked;
        let here = format!("{place} of {}", name_of(file));
        if let Some(first) = self.seen.insert(question.id.clone(), here) {
            let id = printable(&question.id);
            let problem = Problem::RepeatedId { id, first }.field(field);
            return Err(problem.at(file, place.clone()));
        }
        if numbered {
            // The lowest of several shows whether 0 occurs.
            self.numbered
                .add(question.right.first(), question.options.len());
        }
        self.trusted += usize::from(exchange.prompt.is_none());
        self.reordered += usize::from(!order.is_sorted());
        let shown: Vec<&str> = order
            .iter()
            .filter_map(|option| question.options.get(*option).map(String::as_str))
            .collect();
        // A template may open the model's thoughts, so that the answer has no mark for them.
        let opens_thought = exchange
            .prompt
            .as_deref()
            .is_some_and(|prompt| prompt.trim_end().ends_with("<think>"));
        let said = match exchange.said {
            Some(said) if opens_thought => Some(format!("<think>{said}")),
            said => said,
        };
        let scored = exchange
            .tokens
            .and_then(|tokens| letter::scores(&tokens, &shown, said.as_deref(), &Answer::Unknown));
        self.later += usize::from(scored.as_ref().is_ok_and(|scored| scored.place > 0));
        let known = content::of_question(
            question.context.as_deref(),
            &question.stem,
            &question.options,
            question.right,
        );
        self.import.rows.push(ImportedRow {
            question: QuestionRecord {
                content: known.content,
                cluster: known.cluster,
                options: question.options.len(),
                right: question.right,
                dont_know: question.dont_know(),
                none_of_the_above: question.none_of_the_above(),
                category: question.category.or(exchange.category),
                id: question.id,
            },
            scores: scored.map(|scored| scored.scores.in_order(&order)),
        });
        self.correct.push(exchange.correct);
        Ok(())
    }

    /// The import; `file` is named where nothing in it can be used.
    pub(crate) fn finish(mut self, file: &Path) -> Result<Imported, ImportError> {
        let count = self.import.rows.len();
        let without = |row: &ImportedRow| matches!(row.scores, Err(ScoreError::NoLogprobs));
        if count > 0 && self.import.rows.iter().all(without) {
            return Err(Problem::NoLogprobs.of(file));
        }
        self.import.check = self.check();
        let notes = &mut self.import.notes;
        notes.extend(left_out(self.dropped));
        if self.later > 0 {
            notes.push(format!(
                "in {} of {count} answers the letter follows other text, which its probabilities depend on",
                self.later
            ));
        }
        if self.reordered > 0 {
            notes.push(format!(
                "{} of {count} prompts show the options in another order than --questions; the letters \
                 of the prompts decide",
                self.reordered
            ));
        }
        if self.correct.iter().all(Option::is_none) {
            notes.push("the file states no accuracy to compare with".to_owned());
        }
        let warnings = &mut self.import.warnings;
        if self.trusted > 0 {
            warnings.push(format!(
                "{} of {count} questions come without their prompts: that these show the options in the \
                 order of --questions is not checked",
                self.trusted
            ));
        }
        if let Some(from_one) = self.numbered.from_one() {
            warnings.push(from_one.to_string());
        }
        Ok(self.import)
    }

    /// The accuracy of the answered rows beside the file's own, where it judges all of them.
    fn check(&self) -> Option<AccuracyCheck> {
        let ours = self.import.accuracy()?;
        let mut right = 0_u32;
        let mut first_difference = None;
        for (row, correct) in self.import.rows.iter().zip(&self.correct) {
            let Ok(scores) = &row.scores else {
                continue;
            };
            let correct = (*correct)?;
            right += u32::from(correct);
            if row.question.right.contains(scores.top()) != correct && first_difference.is_none() {
                first_difference = Some(row.question.id.clone());
            }
        }
        Some(AccuracyCheck {
            ours,
            theirs: f64::from(right) / self.import.answered() as f64,
            metric: "acc".to_owned(),
            first_difference,
        })
    }
}

/// A file's name, without the folder.
pub(crate) fn name_of(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// The task's name: the given one, or that of the file of questions.
pub(crate) fn task(
    given: Option<&String>,
    questions: Option<&PathBuf>,
    file: &Path,
) -> Result<String, ImportError> {
    let of_questions = || {
        let name = questions?.file_stem()?.to_string_lossy();
        let name = name.split('.').next().unwrap_or_default();
        (!name.is_empty()).then(|| name.to_owned())
    };
    let task = given.cloned().or_else(of_questions);
    task.ok_or_else(|| Problem::NoTask.of(file))
}
