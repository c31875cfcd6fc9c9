//! Saved logits: the paper's pickles, and CSV, JSON lines or Parquet.
//!
//! `sureness_scorers::replay` reads the scores and documents the column names.
//! The right answers come from a file of questions in the paper's layout or from a column `answer` (a
//! letter, or a number counted from 0); where both contradict each other, the file is refused. A table
//! may name `category`, `model`, `task` and `strategy` in columns as well; then it may hold several
//! models and tasks. The Parquet file of an analysis has all of them.

mod key;
mod naming;
mod object;
mod question;
mod record;
mod rows;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use sureness_questions::{NumberedAnswers, RightOptions, paper};
use sureness_scorers::replay::{Kind, Mass, Problem as Replay, Shares};

use crate::choice::{self, Choice};
use crate::error::printable;
use crate::imported::{Imported, Options, SourceFile, Values};
use crate::{Format, ImportError, Place, Problem};
pub(crate) use key::Keys;
use naming::name_of;
pub use naming::task_of;
pub use question::right_of;
use record::{Record, Scores};

/// Imports a file of scores.
pub(crate) fn import(
    path: &Path,
    bytes: Vec<u8>,
    format: Format,
    choice: &Choice<'_>,
    options: &Options,
) -> Result<Vec<Imported>, ImportError> {
    let source = SourceFile::new(path, &blake3::hash(&bytes));
    let keys = options.questions.as_deref().map(Keys::read).transpose()?;
    let mut table = Table {
        path,
        format,
        source,
        keys: keys.as_ref(),
        choice,
        options,
        examples: examples(format, options),
        parts: Vec::new(),
        has_answers: None,
        unknown: Vec::new(),
        contradictions: Vec::new(),
    };
    rows::visit(path, bytes, format, &mut |record, scores| {
        table.add(record, scores)
    })?;
    table.finish()
}

/// A table that is being read.
struct Table<'a> {
    path: &'a Path,
    format: Format,
    source: SourceFile,
    keys: Option<&'a Keys>,
    choice: &'a Choice<'a>,
    options: &'a Options,
    /// The paper's few-shot examples, where they are left out by default.
    examples: HashSet<String>,
    parts: Vec<Part>,
    /// Whether the first row has a column for answers, which all others must have then.
    has_answers: Option<bool>,
    /// Ids that are not among the questions.
    unknown: Vec<String>,
    /// Rows whose own answer is another one than that of the questions.
    contradictions: Vec<Contradiction>,
}

/// Two answers to one question.
struct Contradiction {
    place: Place,
    id: String,
    /// As the table has it.
    own: String,
    /// By the questions.
    theirs: RightOptions,
}

/// The rows of one (model, task, strategy).
struct Part {
    names: [Option<String>; 3],
    /// The import, if its task is chosen.
    import: Option<Imported>,
    /// The kind of its scores, once a row is not left out.
    kind: Option<Kind>,
    seen: HashMap<String, Place>,
    /// Whether its logits are probabilities.
    shares: Shares,
    numbered: NumberedAnswers,
    /// Rows left out by `--drop-ids`, and few-shot examples.
    dropped: usize,
    examples: usize,
}

impl Table<'_> {
    fn add(&mut self, record: Record, scores: Result<Scores, Replay>) -> Result<(), ImportError> {
        let index = match self
            .parts
            .iter()
            .position(|part| part.names == record.names)
        {
            Some(index) => index,
            None => self.begin(&record)?,
        };
        let Some(part) = self.parts.get_mut(index) else {
            return Ok(());
        };
        let Some(import) = &mut part.import else {
            return Ok(());
        };
        if let Some(first) = part.seen.insert(record.id.clone(), record.place.clone()) {
            let (id, first) = (printable(&record.id), first.to_string());
            let problem = Problem::RepeatedId { id, first }.field("id");
            return Err(problem.at(self.path, record.place.clone()));
        }
        if self.choice.drops(&[&record.id]) {
            part.dropped += 1;
            return Ok(());
        }
        if self.examples.contains(&record.id) {
            part.examples += 1;
            return Ok(());
        }
        let refuse = |problem| Problem::of_replay(problem, self.path, &record.place);
        let scores = scores.map_err(refuse)?;
        let judged = record.beside.judge(scores.kind, &scores.values);
        judged.map_err(refuse)?;
        match part.kind {
            None => {
                part.kind = Some(scores.kind);
                import.values = values_of(&record, scores.kind);
            }
            Some(kind) if kind != scores.kind => return Err(refuse(Replay::MixedKinds)),
            Some(_) => {}
        }
        if scores.kind == Kind::Logits {
            part.shares.note(&scores.values);
        }
        let width = scores.values.len();
        let key = match self.keys {
            Some(keys) => {
                let Some(key) = record.id.parse().ok().and_then(|id| keys.get(id)) else {
                    self.unknown.push(record.id.clone());
                    return Ok(());
                };
                let own = record.beside.answer.as_deref();
                let own = own.filter(|own| right_of(own).is_some_and(|own| own != key.right));
                self.contradictions.extend(own.map(|own| Contradiction {
                    place: record.place.clone(),
                    id: printable(&record.id),
                    own: printable(own),
                    theirs: key.right,
                }));
                key.clone()
            }
            None if *self.has_answers.get_or_insert(record.has_answers) => {
                let key = question::own_key(self.path, &record, width)?;
                if record
                    .beside
                    .answer
                    .as_deref()
                    .is_some_and(question::is_number)
                {
                    // Several are numbers of one kind as well; the lowest shows whether 0 occurs.
                    part.numbered.add(key.right.first(), width);
                }
                key
            }
            None => return Err(Problem::NoAnswers.of(self.path)),
        };
        question::check(self.path, self.options, &record, width, &key)?;
        let row = question::row(&import.task, record, scores, &key);
        import.rows.push(row);
        Ok(())
    }

    /// Begins the part of a row; returns its index.
    fn begin(&mut self, record: &Record) -> Result<usize, ImportError> {
        let mut import = name_of(self.path, &record.names, self.options)?;
        let chosen = self.choice.wants(&[&import.task]);
        import.format = self.format;
        import.files = vec![self.source.clone()];
        self.parts.push(Part {
            names: record.names.clone(),
            import: chosen.then_some(import),
            kind: None,
            seen: HashMap::new(),
            shares: Shares::default(),
            numbered: NumberedAnswers::default(),
            dropped: 0,
            examples: 0,
        });
        Ok(self.parts.len() - 1)
    }

    fn finish(self) -> Result<Vec<Imported>, ImportError> {
        if let (Some(first), Some(questions)) = (self.unknown.first(), &self.options.questions) {
            let problem = Problem::UnknownId {
                id: printable(first),
                others: others(self.unknown.len()),
                questions: questions.clone(),
            };
            return Err(problem.of(self.path));
        }
        if let (Some(first), Some(questions)) =
            (self.contradictions.first(), &self.options.questions)
            && !self.options.any_questions
        {
            let problem = Problem::Contradicted {
                id: first.id.clone(),
                own: first.own.clone(),
                theirs: first.theirs,
                questions: questions.clone(),
                others: so_have(self.contradictions.len() - 1),
            };
            return Err(problem.at(self.path, first.place.clone()));
        }
        if self.parts.is_empty() {
            return Err(Problem::of_replay(Replay::Empty, self.path, &Place::File));
        }
        if self.parts.iter().any(|part| part.shares.are_most()) {
            let kind = Kind::Logits;
            let problem = Replay::Probabilities { kind };
            return Err(Problem::of_replay(problem, self.path, &Place::File));
        }
        let left_out = self.options.drop_ids.as_ref().unwrap_or(&self.examples);
        let mut imports = Vec::with_capacity(self.parts.len());
        for part in self.parts {
            let Some(mut import) = part.import else {
                continue;
            };
            if part.examples > 0 {
                import.notes.push(format!(
                    "skipped {} few-shot examples (--drop-ids none keeps them)",
                    part.examples
                ));
            }
            import.notes.extend(choice::left_out(part.dropped));
            import
                .notes
                .extend(question::abstentions_that_are_right(&mut import.rows));
            let from_one = part.numbered.from_one();
            import.warnings.extend(from_one.map(|it| it.to_string()));
            if let Some(keys) = self.keys {
                let planned = import.rows.len();
                let asked = keys.len() - keys.count(left_out);
                if asked > planned {
                    let note = format!("{planned} of the {asked} questions have scores");
                    import.notes.push(note);
                }
            }
            imports.push(import);
        }
        Ok(imports)
    }
}

/// The kind of an import's scores, by a row of it.
fn values_of(record: &Record, kind: Kind) -> Values {
    match kind {
        Kind::Logits => Values::Logits,
        // Whole texts have no mass.
        Kind::LogProbs if record.beside.mass == Mass::Unknown => Values::Continuations,
        Kind::LogProbs => Values::Labels,
    }
}

/// The few-shot examples among the questions of the paper's pickles.
fn examples(format: Format, options: &Options) -> HashSet<String> {
    if options.drop_ids.is_none() && format == Format::Paper {
        paper::EXAMPLE_IDS.map(|id| id.to_string()).into()
    } else {
        HashSet::new()
    }
}

/// ` is`, or ` and 3 others are`.
fn others(count: usize) -> String {
    match count {
        0 | 1 => " is".to_owned(),
        2 => " and 1 other are".to_owned(),
        _ => format!(" and {} others are", count - 1),
    }
}

/// `; so have 3 others`, or nothing.
fn so_have(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => "; so has 1 other".to_owned(),
        _ => format!("; so have {others} others"),
    }
}
