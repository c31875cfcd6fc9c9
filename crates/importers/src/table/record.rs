//! Rows of a table with what their columns say.

use std::path::Path;

use sureness_scorers::replay::{
    Beside, Cell, Kind, LISTS, Mass, Problem as Replay, ScoreColumns, score_columns,
};

use crate::error::printable;
use crate::{ImportError, Place, Problem};

/// Columns that are read beside the scores.
const COLUMNS: [&str; 11] = [
    "id", "answer", "category", "model", "task", "strategy", "options", "mass", "bounded", "key",
    "cluster",
];

/// A row without its scores.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) place: Place,
    pub(super) id: String,
    /// Whether the table has a column for answers.
    pub(super) has_answers: bool,
    pub(super) category: Option<String>,
    /// Model, task and strategy.
    pub(super) names: [Option<String>; 3],
    pub(super) beside: Beside,
    /// The digest of the question's content.
    pub(super) key: Option<[u8; 32]>,
    /// The digest of its cluster.
    pub(super) cluster: Option<[u8; 32]>,
}

/// The scores of a row, not judged yet.
#[derive(Debug)]
pub(super) struct Scores {
    pub(super) kind: Kind,
    /// One per option.
    pub(super) values: Vec<f64>,
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

    /// A row from its cells. Its scores may be faulty, since rows that are left out need not be whole.
    pub(super) fn record(
        &self,
        path: &Path,
        place: &Place,
        cells: &[Cell],
    ) -> Result<(Record, Result<Scores, Replay>), ImportError> {
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
            Some(other) => Err(fault(kind("a text", other), name)),
        };
        // Several right options may be a list.
        let answer = match get("answer") {
            Some(Cell::List(each)) => {
                let each = each.iter().map(|cell| match cell {
                    Cell::Text(text) => Ok(text.trim().to_owned()),
                    Cell::Whole(number) => Ok(number.to_string()),
                    Cell::Number(number) => Ok(number.to_string()),
                    other => Err(fault(kind("a list of letters or numbers", other), "answer")),
                });
                Some(each.collect::<Result<Vec<_>, _>>()?.join(","))
            }
            _ => text("answer")?,
        };
        let replay = |problem: Replay| Problem::of_replay(problem, path, place);
        let id = text("id")?.ok_or_else(|| fault(Problem::Missing, "id"))?;
        let options = get("options").map(|cell| {
            count(cell).ok_or_else(|| fault(kind("a number of options", cell), "options"))
        });
        let options = options.transpose()?;
        let scores = if cells.len() == self.names.len() {
            self.scores(cells, options)
                .and_then(|scores| match options {
                    Some(options) if options != scores.values.len() => {
                        let found = scores.values.len();
                        let message = format!("is {options}, but there are {found} scores");
                        Err(field("options", &message))
                    }
                    _ => Ok(scores),
                })
        } else {
            Err(Replay::Cells {
                found: cells.len(),
                header: self.names.len(),
            })
        };
        let has = |name: &str| self.names.iter().any(|column| column == name);
        let mass = match get("mass") {
            Some(cell) => match number("mass", cell).map_err(replay)? {
                // Sums of rounded probabilities may be a little above 1.
                mass if (0.0..=1.01).contains(&mass) => Mass::Known(mass),
                mass => {
                    let message = format!("is {mass}, not a probability from 0 to 1");
                    return Err(replay(field("mass", &message)));
                }
            },
            None if has("mass") => Mass::Unknown,
            None => Mass::Sum,
        };
        let bounded = match get("bounded") {
            None => false,
            Some(cell) => {
                truth(cell).ok_or_else(|| fault(kind("true or false", cell), "bounded"))?
            }
        };
        let key = text("key")?.map(|key| {
            let expected = "a digest of 64 hexadecimal digits";
            digest(&key).ok_or_else(|| fault(kind(expected, &Cell::Text(key)), "key"))
        });
        let record = Record {
            id,
            has_answers: has("answer"),
            category: text("category")?,
            names: [text("model")?, text("task")?, text("strategy")?],
            beside: Beside {
                answer,
                mass,
                bounded,
            },
            key: key.transpose()?,
            cluster: text("cluster")?.as_deref().map(cluster),
            place: place.clone(),
        };
        Ok((record, scores))
    }

    /// The scores of a row. `options` is their number, where the table says so: the columns of further
    /// options are empty then.
    fn scores(&self, cells: &[Cell], options: Option<usize>) -> Result<Scores, Replay> {
        for (name, kind) in LISTS {
            let Some(at) = self.names.iter().position(|column| column == name) else {
                continue;
            };
            return match cells.get(at) {
                Some(Cell::List(values)) => {
                    let values = values.iter().map(|value| number(name, value));
                    let values = values.collect::<Result<_, _>>()?;
                    Ok(Scores { kind, values })
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
        let mut values = Vec::with_capacity(count);
        for (option, at) in columns.options.iter().enumerate() {
            let cell = cells.get(*at).unwrap_or(&Cell::Empty);
            let name = self.names.get(*at).map_or("", String::as_str);
            match cell {
                Cell::Empty if option >= count => {}
                cell => values.push(number(name, cell)?),
            }
        }
        let kind = columns.kind;
        Ok(Scores { kind, values })
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

/// The problem of a cell that is no `expected`.
fn kind(expected: &'static str, cell: &Cell) -> Problem {
    let found = describe(cell);
    Problem::Type { expected, found }
}

/// A number of options. pandas writes whole numbers beside gaps as 4.0.
fn count(cell: &Cell) -> Option<usize> {
    let count = number("options", cell).ok()?;
    ((0.0..=1e3).contains(&count) && count.fract() == 0.0).then_some(count as usize)
}

/// A truth value, as programs write it.
fn truth(cell: &Cell) -> Option<bool> {
    match cell {
        Cell::Bool(value) => Some(*value),
        Cell::Whole(0) => Some(false),
        Cell::Whole(1) => Some(true),
        Cell::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
            "" | "false" | "0" | "no" => Some(false),
            "true" | "1" | "yes" => Some(true),
            _ => None,
        },
        _ => None,
    }
}

/// A cluster by its digest, as our own tables have it, or by any other name.
fn cluster(name: &str) -> [u8; 32] {
    digest(name)
        .unwrap_or_else(|| blake3::derive_key("sureness cluster of a table", name.as_bytes()))
}

/// A digest in hexadecimal.
fn digest(text: &str) -> Option<[u8; 32]> {
    Some(*blake3::Hash::from_hex(text).ok()?.as_bytes())
}
