//! Evaluates tables that have their answers, ids, models and tasks in columns of their own.

use std::collections::HashSet;
use std::path::Path;

use sureness_analysis::scored::ScoredFile;
use sureness_conformal::{Config, Guessing, Protocol, Row, Table};
use sureness_importers::{ImportError, Imported, Options, Problem, Values, import_bytes};
use sureness_prompts::Strategy;
use sureness_questions::letter;

use super::Drop;
use super::logits::{Scored, short_name};
use crate::error::Failure;

/// Evaluates each model, task and strategy of a table. Right answers come from `questions`, with
/// whether these decide where the table's own answers contradict them, or else from the table's column
/// `answer`.
///
/// # Errors
///
/// All problems of the file.
pub fn score_table(
    path: &Path,
    questions: Option<(&Path, bool)>,
    drop: &Drop,
    config: &Config,
) -> Result<Vec<Scored>, Failure> {
    let imports = read(path, questions, drop)?;
    let several = imports.len() > 1;
    let scored = imports.iter().map(|import| {
        let file = path.display().to_string();
        let file = if several {
            format!(
                "{file} ({}, {}, {})",
                import.model.name, import.task, import.strategy
            )
        } else {
            file
        };
        let table = table(import, drop, config).map_err(|error| error.in_file(&file))?;
        let evaluation = table.evaluate(config).map_err(|error| {
            Failure::new(format_args!("{file}: {error}")).hint("score more questions")
        })?;
        let guessing = Guessing::of(table.rows());
        let file = ScoredFile {
            file,
            model: import.model.name.clone(),
            dataset: Some(import.task.clone()),
            strategy: Strategy::by_name(&import.strategy).map(short_name),
            icl: None,
            mean_mass: import
                .mean_mass()
                .filter(|_| import.values == Values::Labels),
            evaluation,
        };
        Ok(Scored {
            file,
            guessing,
            warnings: import.warnings.clone(),
            // The import refuses ids that name nothing.
            dropped: drop.ids.clone(),
        })
    });
    scored.collect()
}

/// The parts of a table.
fn read(
    path: &Path,
    questions: Option<(&Path, bool)>,
    drop: &Drop,
) -> Result<Vec<Imported>, Failure> {
    let bytes = std::fs::read(path).map_err(|error| {
        Failure::new(format_args!("{}: cannot be read: {error}", path.display()))
            .hint("check the path and the permissions")
    })?;
    // By default the paper's few-shot examples are left out, which other tables do not have.
    let given = !drop.is_default();
    let ids = || -> HashSet<String> {
        let numbers = drop.ids.iter().map(i64::to_string);
        numbers.chain(drop.text_ids.iter().cloned()).collect()
    };
    let mut options = Options {
        questions: questions.map(|(path, _)| path.to_owned()),
        any_questions: questions.is_some_and(|(_, any)| any),
        drop_ids: given.then(ids),
        ..Options::default()
    };
    let mut imports = import_bytes(path, bytes.clone(), &options);
    let nameless = |error: &ImportError| matches!(*error.problem, Problem::NoTask);
    if imports
        .as_ref()
        .is_err_and(|errors| errors.iter().all(nameless))
    {
        options.task = Some("unnamed".to_owned());
        imports = import_bytes(path, bytes, &options);
    }
    imports.map_err(|errors| {
        Failure::all(errors.into_iter().map(Failure::from))
            .unwrap_or_else(|| Failure::new(format_args!("{}: nothing to score", path.display())))
    })
}

/// The rows of one part, with the options that are kept.
fn table(import: &Imported, drop: &Drop, config: &Config) -> Result<Table, Refusal> {
    let stride = import.rows.iter().map(|row| row.question.options).max();
    let stride = stride.unwrap_or(2);
    if let Some(&absent) = drop.options.iter().find(|&&option| option >= stride) {
        return Err(Refusal {
            message: format!(
                "the table has the options A to {}, so that --drop-options cannot leave out {}",
                letter(stride - 1),
                letter(absent)
            ),
            hint: "name options that the table has",
        });
    }
    let mut table = Table::new(stride);
    for row in &import.rows {
        let question = &row.question;
        let Ok(scores) = &row.scores else {
            continue;
        };
        let mut kept: Vec<usize> = (0..question.options).collect();
        kept.retain(|option| !drop.options.contains(option));
        let place = |option: usize| kept.iter().position(|it| *it == option);
        let right = question.right.moved(place).ok_or_else(|| Refusal {
            message: format!(
                "id {} has the answer {}, which --drop-options leaves out",
                question.id, question.right
            ),
            hint: "leave out only options that are never right",
        })?;
        let logits = kept
            .iter()
            .filter_map(|at| scores.logprobs.get(*at).copied());
        // The paper's script reads 32-bit values, whatever the file holds.
        let logits: Vec<f64> = match config.protocol {
            Protocol::Paper => logits.map(|value| f64::from(value as f32)).collect(),
            Protocol::Standard => logits.collect(),
        };
        let of = Row {
            key: &question.content,
            cluster: question.cluster.as_ref().map(<[u8; 32]>::as_slice),
            logits: logits.as_slice().into(),
            right,
            dont_know: question.dont_know.and_then(place),
            none_of_the_above: question.none_of_the_above.and_then(place),
        };
        table
            .push(question.content, &of, None)
            .map_err(|error| Refusal {
                message: format!("id {}: {error}", question.id),
                hint: "keep at least two options",
            })?;
    }
    Ok(table)
}

/// Why the rows of a part cannot be scored.
struct Refusal {
    message: String,
    hint: &'static str,
}

impl Refusal {
    fn in_file(self, file: &str) -> Failure {
        Failure::new(format_args!("{file}: {}", self.message)).hint(self.hint)
    }
}
