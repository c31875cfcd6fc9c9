//! What `--questions` gives: questions in any layout, or right answers alone, by id.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use sureness_questions::{LoadOptions, Question, Task, load};

use super::prompt::plain;
use crate::{ImportError, Problem, json, lines};

/// The names of a column with ids, in a file of right answers alone.
const IDS: [&str; 2] = ["id", "custom_id"];

/// Questions, or right answers, by id.
#[derive(Debug)]
pub(crate) struct Keys {
    /// The file.
    pub(super) file: PathBuf,
    questions: Vec<Known>,
    by_id: HashMap<String, usize>,
    /// Questions with these options, in any order.
    by_options: HashMap<String, Vec<usize>>,
    /// Right answers of a file without questions, as they are written.
    answers: HashMap<String, Value>,
}

/// A question, with what a prompt may show of it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) question: Question,
    /// Its text, whose white space does not count.
    stem: String,
    /// Its background, likewise.
    context: Option<String>,
}

impl Known {
    /// Where a prompt's text ends to show the question, and how much of it is the question's own text.
    pub(super) fn shown_in(&self, text: &str) -> Option<(usize, usize)> {
        let at = text.rfind(&self.stem)?;
        Some((at + self.stem.len(), self.stem.len()))
    }

    /// Where a prompt's text ends to show the background. Layouts without a question, such as that of
    /// HellaSwag, get one of ours, which no other prompt has.
    pub(super) fn background_in(&self, text: &str) -> Option<usize> {
        let context = self.context.as_deref()?;
        Some(text.rfind(context)? + context.len())
    }
}

impl Keys {
    /// Reads a file.
    pub(crate) fn read(file: &Path) -> Result<Self, ImportError> {
        let mut keys = Self {
            file: file.to_owned(),
            questions: Vec::new(),
            by_id: HashMap::new(),
            by_options: HashMap::new(),
            answers: HashMap::new(),
        };
        let options = LoadOptions {
            abstention: false,
            ..LoadOptions::new(Task::custom("import"))
        };
        let data = match load(file, &options) {
            Ok(data) => data,
            Err(error) => {
                keys.answers = answers(file).ok_or_else(|| Problem::Data(error).of(file))?;
                return Ok(keys);
            }
        };
        let unreadable = |error| Problem::Io(error).of(file);
        for question in data.questions.iter() {
            keys.add(question.map_err(unreadable)?);
        }
        for question in data.examples {
            keys.add(question);
        }
        Ok(keys)
    }

    fn add(&mut self, question: Question) {
        let index = self.questions.len();
        self.by_id.insert(question.id.clone(), index);
        let options = question.options.iter().map(String::as_str);
        let same = self.by_options.entry(of_options(options)).or_default();
        same.push(index);
        let context = question.context.as_deref().map(plain);
        self.questions.push(Known {
            stem: plain(&question.stem),
            context: context.filter(|text| !text.is_empty()),
            question,
        });
    }

    /// Whether the file has questions, not only answers.
    pub(super) fn has_questions(&self) -> bool {
        !self.questions.is_empty()
    }

    /// The right answer of a file without questions.
    pub(super) fn answer(&self, id: &str) -> Option<&Value> {
        self.answers.get(id)
    }

    /// The question with an id.
    pub(super) fn question(&self, id: &str) -> Option<&Known> {
        self.questions.get(*self.by_id.get(id)?)
    }

    /// The questions with these options, in any order.
    pub(super) fn with_options(&self, options: &[&str]) -> Vec<&Known> {
        let found = self.by_options.get(&of_options(options.iter().copied()));
        let found = found.map(Vec::as_slice).unwrap_or_default();
        found
            .iter()
            .filter_map(|index| self.questions.get(*index))
            .collect()
    }
}

/// Options as a key, whatever their order.
fn of_options<'a>(options: impl Iterator<Item = &'a str>) -> String {
    let mut texts: Vec<String> = options.map(plain).collect();
    texts.sort();
    texts.join("\n")
}

/// Right answers by id; `None` where a file is not a list of them.
fn answers(file: &Path) -> Option<HashMap<String, Value>> {
    let mut answers = HashMap::new();
    let mut add = |row: Map<String, Value>| {
        let id = IDS.iter().find_map(|name| row.get(*name))?;
        let id = json::id(id, "id").ok()?;
        let answer = row.get("answer")?;
        let is_new = !row.contains_key("question") && answers.insert(id, answer.clone()).is_none();
        is_new.then_some(())
    };
    let bytes = std::fs::read(file).ok()?;
    if bytes.trim_ascii_start().starts_with(b"[") || bytes.trim_ascii_start().starts_with(b"{") {
        let each = |_, row| add(row).ok_or_else(|| Problem::Missing.of(file));
        lines::lines(file, File::open(file).ok()?, each).ok()?;
    } else {
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(&*bytes);
        let header = reader.headers().ok()?.clone();
        for row in reader.records() {
            let row = row.ok()?;
            let cells = header.iter().zip(&row);
            let cells = cells.map(|(name, cell)| {
                (
                    name.trim_start_matches('\u{feff}').to_lowercase(),
                    cell.into(),
                )
            });
            add(cells.collect())?;
        }
    }
    (!answers.is_empty()).then_some(answers)
}
