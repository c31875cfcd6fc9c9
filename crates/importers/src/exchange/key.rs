//! What `--questions` gives: questions in any layout, or right answers alone, by id.

use std::collections::{HashMap, HashSet};
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
    by_stem: HashMap<String, Vec<usize>>,
    /// Texts that other questions' texts end with.
    endings: HashSet<String>,
    /// The length of the shortest text of a question or its background.
    shortest: usize,
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

/// How a prompt's text shows a question. The greatest of several is the question that is asked: the last
/// one, since those before it are examples, and of the questions with this text the one whose background
/// is shown last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shown {
    /// Where its own text ends.
    pub(super) end: usize,
    background: Background,
    /// How long its own text is.
    length: usize,
}

/// Whether a prompt shows the background of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Background {
    LeftOut,
    /// The question has none.
    None,
    Shown {
        end: usize,
        length: usize,
    },
}

impl Shown {
    /// How much of `text` comes behind both its own text and its background.
    fn rest(&self, text: &str) -> usize {
        let end = match self.background {
            Background::Shown { end, .. } => end.max(self.end),
            _ => self.end,
        };
        text.len().saturating_sub(end)
    }

    /// How much text is between its background and its own text; `None` without a background.
    fn between(&self) -> Option<usize> {
        let Background::Shown { end, length } = self.background else {
            return None;
        };
        let start = self.end.saturating_sub(self.length);
        Some(start.saturating_sub(end) + end.saturating_sub(length).saturating_sub(self.end))
    }
}

impl Known {
    /// How a prompt's text shows the question; `None` if its own text is not there.
    pub(super) fn shown_in(&self, text: &str) -> Option<Shown> {
        let at = text.rfind(Some(&*self.stem).filter(|stem| !stem.is_empty())?)?;
        let background = match &self.context {
            None => Background::None,
            Some(context) => text.rfind(&**context).map_or(Background::LeftOut, |at| {
                let length = context.len();
                let end = at + length;
                Background::Shown { end, length }
            }),
        };
        Some(Shown {
            end: at + self.stem.len(),
            background,
            length: self.stem.len(),
        })
    }

    /// The same where only the background is there. Layouts without a question, such as that of
    /// HellaSwag, get one of ours, which no other prompt has.
    pub(super) fn background_in(&self, text: &str) -> Option<Shown> {
        let context = self.context.as_deref()?;
        let length = context.len();
        let end = text.rfind(context)? + length;
        Some(Shown {
            end,
            background: Background::Shown { end, length },
            length,
        })
    }

    /// Whether the prompt's text shows this question and leaves no room for another one of `keys`.
    pub(super) fn is_alone_in(&self, text: &str, keys: &Keys) -> bool {
        let Some(shown) = self.shown_in(text) else {
            return false;
        };
        let has_own_text = keys.by_stem.get(&self.stem).is_none_or(|all| all.len() < 2);
        let has_room = |length: usize| length >= keys.shortest;
        let is_joined = shown.between().is_some_and(|length| !has_room(length));
        !keys.endings.contains(&self.stem)
            && !has_room(shown.rest(text))
            && (has_own_text || is_joined)
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
            by_stem: HashMap::new(),
            endings: HashSet::new(),
            shortest: usize::MAX,
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
        keys.endings = endings(keys.by_stem.keys());
        Ok(keys)
    }

    fn add(&mut self, question: Question) {
        let index = self.questions.len();
        self.by_id.insert(question.id.clone(), index);
        let options = question.options.iter().map(String::as_str);
        let same = self.by_options.entry(of_options(options)).or_default();
        same.push(index);
        let stem = plain(&question.stem);
        let context = question.context.as_deref().map(plain);
        let context = context.filter(|text| !text.is_empty());
        let texts = [Some(&stem), context.as_ref()];
        let lengths = texts.into_iter().flatten().map(String::len);
        self.shortest = lengths.fold(self.shortest, usize::min);
        self.by_stem.entry(stem.clone()).or_default().push(index);
        self.questions.push(Known {
            question,
            stem,
            context,
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
        self.all(self.by_options.get(&of_options(options.iter().copied())))
    }

    /// The questions with the text of this one, itself among them.
    pub(super) fn with_stem_of(&self, known: &Known) -> Vec<&Known> {
        self.all(self.by_stem.get(&known.stem))
    }

    fn all(&self, found: Option<&Vec<usize>>) -> Vec<&Known> {
        let found = found.into_iter().flatten();
        found
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

/// The texts that others end with.
fn endings<'a>(texts: impl Iterator<Item = &'a String>) -> HashSet<String> {
    let reversed = texts.map(|text| text.chars().rev().collect());
    let mut reversed: Vec<String> = reversed.collect();
    // What begins with a text comes next to it.
    reversed.sort_unstable();
    let pairs = reversed.iter().zip(reversed.iter().skip(1));
    let endings = pairs.filter(|(text, next)| next.starts_with(*text));
    endings
        .map(|(text, _)| text.chars().rev().collect())
        .collect()
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
