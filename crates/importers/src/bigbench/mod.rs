//! Results of BIG-bench with their queries, and tasks in its layout with log-probabilities.
//!
//! The fields are those of `bigbench` 1.0.0 (`api/results.py`, `api/json_task.py`,
//! `api/task_metrics.py`): `queries`, each with the `samples` of one task and number of shots. A list of
//! `examples` with `target_scores` and log-probabilities, as `JsonTask` keeps them, is read too.

mod sample;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::asked::{self, Asked, Group, Metrics, Ties};
use crate::choice::Choice;
use crate::error::Fault;
use crate::imported::{Imported, Model, Options, SourceFile, Values};
use crate::likelihood::{Normalise, Rule};
use crate::{Format, ImportError, Place, Problem, Refusal, content, json};

/// The grade of the option with the greatest score. BIG-bench breaks ties by chance.
const METRICS: Metrics = &[("multiple_choice_grade", Rule::Sum)];

/// The fields that are read.
#[derive(Debug, Deserialize)]
struct Results {
    #[serde(default)]
    task: Value,
    #[serde(default)]
    model: Value,
    name: Option<String>,
    #[serde(default)]
    queries: Vec<Query>,
    #[serde(default)]
    examples: Vec<Value>,
}

#[derive(Debug, Deserialize)]
struct Query {
    function: Option<String>,
    shots: Option<i64>,
    task: Option<String>,
    #[serde(default)]
    samples: Vec<Value>,
}

/// Imports a file: one group per task and number of shots that is chosen.
pub(crate) fn import(
    path: &Path,
    bytes: &[u8],
    choice: &Choice<'_>,
    options: &Options,
) -> Result<Vec<Imported>, ImportError> {
    let results: Results = json::parse(bytes).map_err(|problem| problem.of(path))?;
    // The task itself, without the answers of a model.
    if results.queries.is_empty() && !results.examples.iter().any(sample::has_scores) {
        return Err(Problem::Refused(Refusal::NoScores).of(path));
    }
    let name = options.model.clone();
    let name = name.or_else(|| json::text(&results.model, "/model_name").map(str::to_owned));
    let model = Model {
        name: name.ok_or_else(|| Problem::NoModel.of(path))?,
        details: BTreeMap::new(),
    };
    let whole = json::text(&results.task, "/task_name").map(str::to_owned);
    let whole = whole.or(results.name).or_else(|| options.task.clone());
    let source = SourceFile::new(path, &blake3::hash(bytes));
    let mut queries = results.queries;
    if !results.examples.is_empty() {
        queries.push(Query {
            function: None,
            shots: None,
            task: None,
            samples: results.examples,
        });
    }
    let mut imports = Vec::new();
    let mut others = 0;
    for query in &queries {
        let is_choice = query.samples.iter().any(sample::is_choice);
        if !is_choice
            || query
                .function
                .as_deref()
                .is_some_and(|it| it != "cond_log_prob")
        {
            others += 1;
            continue;
        }
        // Programmatic tasks have no name of their own here.
        let own = query.task.as_deref().filter(|task| *task != "programmatic");
        let task = own.map(str::to_owned).or_else(|| whole.clone());
        let task = task.ok_or_else(|| Problem::NoTask.of(path))?;
        let names: Vec<&str> = [Some(task.as_str()), whole.as_deref()]
            .into_iter()
            .flatten()
            .collect();
        if !choice.wants(&names) {
            continue;
        }
        let strategy = match query.shots {
            Some(shots) if shots >= 0 => format!("{shots}-shot"),
            _ => "bigbench".to_owned(),
        };
        let import = Imported {
            files: vec![source.clone()],
            values: Values::Continuations,
            ..Imported::empty(model.clone(), task, strategy, Format::BigBench)
        };
        imports.push(read(path, import, query, choice, options.normalise)?);
    }
    if imports.is_empty() && others > 0 {
        return Err(Problem::Refused(Refusal::NoTargets).of(path));
    }
    Ok(imports)
}

fn read(
    path: &Path,
    import: Imported,
    query: &Query,
    choice: &Choice<'_>,
    normalise: Normalise,
) -> Result<Imported, ImportError> {
    let mut group = Group::new(import, METRICS, Ties::First);
    for (value, number) in query.samples.iter().zip(1..) {
        let place = Place::Row(number);
        let at = |fault: Fault| fault.at(path, place.clone());
        // Samples have no ids; they are in the order of the task.
        let id = (number - 1).to_string();
        if !group.admits(&id, "samples", &place, choice).map_err(at)? {
            continue;
        }
        let read = sample::read(value).map_err(at)?;
        if !read.absolute {
            group.import.values = Values::Logits;
        }
        group.add(Asked {
            id,
            category: None,
            question: content::of_question(None, read.question, &read.options, read.right),
            right: read.right,
            observed: vec![true; read.options.len()],
            likelihoods: read.likelihoods,
            verdicts: read
                .grade
                .map(|grade| ("multiple_choice_grade".to_owned(), grade))
                .into_iter()
                .collect(),
        });
    }
    let mut import = group.finish(path, normalise)?;
    let note = if import.values == Values::Logits {
        let note =
            "scores are shares among the options: the file has no absolute log-probabilities";
        Some(note.to_owned())
    } else {
        asked::note_of(
            import.values,
            normalise,
            "multiple_choice_grade compares them as they are",
        )
    };
    import.notes.extend(note);
    Ok(import)
}
