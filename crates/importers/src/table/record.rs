//! Rows of a table with what their columns say.

use std::path::Path;

use sureness_scorers::replay::{
    self, Cell, Kind, LISTS, Problem as Replay, ScoreColumns, score_columns,
};

use crate::error::printable;
use crate::{ImportError, Place, Problem};

/// Columns that are read beside the scores.
const COLUMNS: [&str; 10] = [
    "id", "answer", "category", "model", "task", "strategy", "options", "mass", "bounded", "key",
];
/// Log-probabilities above zero by less than this are rounding errors.
const SLACK: f64 = 1e-4;

/// A row.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) place: Place,
    pub(super) id: String,
    pub(super) answer: Option<String>,
    /// Whether the table has a column for answers.
    pub(super) has_answers: bool,
    pub(super) category: Option<String>,
    /// Model, task and strategy.
    pub(super) names: [Option<String>; 3],
    pub(super) kind: Kind,
    /// One per option, not judged yet.
    pub(super) scores: Vec<f64>,
    pub(super) mass: Mass,
    /// Whether some scores are only upper bounds.
    pub(super) bounded: bool,
    /// The digest of the question's content.
    pub(super) key: Option<[u8; 32]>,
}

/// Total probability of the options.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Mass {
    /// The sum of the scores' probabilities; the table has no column for it.
    Sum,
    /// As the table has it.
    Known(f64),
    /// The table says that it is unknown.
    Unknown,
}

/// The names of a table's columns, once, and where its scores are.
pub(super) struct Header {
    names: Vec<String>,
    scores: Vec<ScoreColumns>,
}

impl Header {
    pub(super) fn new(names: Vec<String>) -> Result<Self, Replay> {
        let refs: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut ids = names.iter().filter(|name| *name == "id");
        match (ids.next(), ids.next()) {
            (Some(_), None) => {}
            (Some(id), Some(_)) => return Err(ambiguous(id, id)),
            (None, _) => {
                return Err(Replay::MissingColumn {
                    column: "id".to_owned(),
                    present: printable(&refs.join(", ")),
                });
            }
        }
        let mut lists = LISTS
            .iter()
            .filter(|(list, _)| refs.contains(list))
            .map(|(list, _)| *list);
        let scores = match (lists.next(), lists.next()) {
            (Some(first), Some(second)) => return Err(ambiguous(first, second)),
            (Some(_), None) => Vec::new(),
            (None, _) => score_columns(&refs)?,
        };
        Ok(Self { names, scores })
    }

    /// Whether a column is needed.
    pub(super) fn needs(name: &str) -> bool {
        COLUMNS.contains(&name) || LISTS.iter().any(|(list, _)| *list == name) || is_score(name)
    }

    /// Whether these are the columns of the table.
    pub(super) fn is(&self, names: &[String]) -> bool {
        self.names == names
    }

    /// A row from its cells.
    pub(super) fn record(
        &self,
        path: &Path,
        place: &Place,
        cells: &[Cell],
    ) -> Result<Record, ImportError> {
        let fault = |problem: Problem, field: &str| problem.field(field).at(path, place.clone());
        let get = |name: &str| {
            let at = self.names.iter().position(|column| column == name)?;
            cells.get(at).filter(|cell| **cell != Cell::Empty)
        };
        let text = |name: &str| match get(name) {
            None => Ok(None),
            Some(Cell::Text(text)) if text.trim().is_empty() => Ok(None),
            Some(Cell::Text(text)) => Ok(Some(text.trim().to_owned())),
            Some(Cell::Whole(number)) => Ok(Some(number.to_string())),
            Some(Cell::Number(number)) => Ok(Some(number.to_string())),
            Some(other) => {
                let (expected, found) = ("a text", describe(other));
                Err(fault(Problem::Type { expected, found }, name))
            }
        };
        let replay = |problem: Replay| Problem::of_replay(problem, path, place);
        let id = text("id")?.ok_or_else(|| fault(Problem::Missing, "id"))?;
        let options = match get("options") {
            Some(Cell::Whole(options)) => usize::try_from(*options).ok(),
            Some(Cell::Text(options)) => options.trim().parse().ok(),
            _ => None,
        };
        let (kind, scores) = self.scores(cells, options).map_err(replay)?;
        let has = |name: &str| self.names.iter().any(|column| column == name);
        let mass = match get("mass") {
            Some(cell) => Mass::Known(number("mass", cell).map_err(replay)?),
            None if has("mass") => Mass::Unknown,
            None => Mass::Sum,
        };
        let bounded = match get("bounded") {
            Some(Cell::Bool(bounded)) => *bounded,
            Some(Cell::Text(text)) => text.trim().eq_ignore_ascii_case("true"),
            _ => false,
        };
        Ok(Record {
            id,
            answer: text("answer")?,
            has_answers: has("answer"),
            category: text("category")?,
            names: [text("model")?, text("task")?, text("strategy")?],
            kind,
            scores,
            mass,
            bounded,
            key: text("key")?.as_deref().and_then(digest),
            place: place.clone(),
        })
    }

    /// The scores of a row. `options` is their number, where the table says so: the columns of further
    /// options are empty then.
    fn scores(&self, cells: &[Cell], options: Option<usize>) -> Result<(Kind, Vec<f64>), Replay> {
        for (name, kind) in LISTS {
            let Some(at) = self.names.iter().position(|column| column == name) else {
                continue;
            };
            return match cells.get(at) {
                Some(Cell::List(values)) => {
                    let values = values.iter().map(|value| number(name, value));
                    Ok((kind, values.collect::<Result<_, _>>()?))
                }
                Some(Cell::Empty) | None => Err(field(name, "is missing")),
                Some(other) => {
                    let message = format!("is {}, not a list of numbers", describe(other));
                    Err(field(name, &message))
                }
            };
        }
        let is_there = |column: &usize| cells.get(*column).is_some_and(|it| *it != Cell::Empty);
        let name = |columns: &ScoreColumns| {
            let first = columns.options.first();
            let first = first.and_then(|at| self.names.get(*at));
            first.map(String::as_str).unwrap_or_default()
        };
        let mut filled = self
            .scores
            .iter()
            .filter(|columns| columns.options.iter().any(is_there));
        let columns = match (filled.next(), filled.next()) {
            (Some(first), Some(second)) => return Err(ambiguous(name(first), name(second))),
            (Some(columns), None) => columns,
            (None, _) => match self.scores.first() {
                Some(columns) => columns,
                None => return Err(Replay::Empty),
            },
        };
        let count = options.unwrap_or(columns.options.len());
        let mut scores = Vec::with_capacity(count);
        for (option, at) in columns.options.iter().enumerate() {
            let cell = cells.get(*at).unwrap_or(&Cell::Empty);
            let name = self.names.get(*at).map_or("", String::as_str);
            match cell {
                Cell::Empty if option >= count => {}
                cell => scores.push(number(name, cell)?),
            }
        }
        Ok((columns.kind, scores))
    }
}

impl Record {
    /// Refuses scores that cannot be those of a question.
    pub(super) fn judge(&self) -> Result<(), Replay> {
        let found = self.scores.len();
        if !(2..=26).contains(&found) {
            return Err(Replay::OptionCount { found });
        }
        for (&value, position) in self.scores.iter().zip(1..) {
            if !(value as f32).is_finite() {
                return Err(Replay::NotFinite { position, value });
            }
            if self.kind == Kind::LogProbs && value > SLACK {
                if replay::are_shares(&self.scores) {
                    let kind = self.kind;
                    return Err(Replay::Probabilities { kind });
                }
                return Err(Replay::PositiveLogProb { position, value });
            }
        }
        Ok(())
    }

    /// Which scores were observed. A table says only whether some are bounds; the bound is the least.
    pub(super) fn observed(&self) -> Vec<bool> {
        let least = self.scores.iter().copied().fold(f64::INFINITY, f64::min);
        let is_bound = |value: &f64| self.bounded && *value <= least;
        self.scores.iter().map(|value| !is_bound(value)).collect()
    }
}

/// Whether a column may hold the scores of an option.
fn is_score(name: &str) -> bool {
    let prefixes = ["logit_", "logits_", "logprob_", "logprobs_"];
    sureness_questions::letter_index(name).is_some()
        || prefixes.iter().any(|prefix| name.starts_with(prefix))
}

fn number(name: &str, cell: &Cell) -> Result<f64, Replay> {
    match cell {
        Cell::Number(value) => Ok(*value),
        Cell::Whole(value) => Ok(*value as f64),
        Cell::Text(text) => text.trim().parse().map_err(|_| {
            let message = format!("is `{}`, not a number", printable(text));
            field(name, &message)
        }),
        Cell::Empty => Err(field(name, "is empty, not a number")),
        other => Err(field(
            name,
            &format!("is {}, not a number", describe(other)),
        )),
    }
}

fn describe(cell: &Cell) -> String {
    match cell {
        Cell::Empty => "nothing".to_owned(),
        Cell::Bool(_) => "a truth value".to_owned(),
        Cell::Whole(number) => format!("the number {number}"),
        Cell::Number(number) => format!("the number {number}"),
        Cell::Text(text) => format!("the text {:?}", printable(text)),
        Cell::List(list) => format!("a list of {}", list.len()),
        Cell::Other => "a value of another kind".to_owned(),
    }
}

fn field(name: &str, message: &str) -> Replay {
    Replay::Field {
        field: printable(name),
        message: message.to_owned(),
    }
}

fn ambiguous(first: &str, second: &str) -> Replay {
    Replay::AmbiguousColumns {
        first: printable(first),
        second: printable(second),
    }
}

/// A digest in hexadecimal.
fn digest(text: &str) -> Option<[u8; 32]> {
    Some(*blake3::Hash::from_hex(text).ok()?.as_bytes())
}
