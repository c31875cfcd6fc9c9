//! Details of lighteval: one Parquet file per task, with the columns `doc`, `metric` and
//! `model_response` (since version 0.11).

mod dates;
mod sample;
mod value;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use sureness_parquet::{Bytes, ChunkReader, Share, Table};

use crate::asked::{self, Asked, Group, Metrics, Ties};
use crate::choice::Choice;
use crate::error::{Fault, printable};
use crate::imported::{Imported, Model, Options, SourceFile, Values};
use crate::likelihood::{Normalise, Rule};
use crate::{Format, ImportError, Place, Problem, content, json};
pub(crate) use dates::{Dated, fullest};
use sample::Sample;

/// The columns that are read; lighteval writes no others.
const COLUMNS: [&str; 3] = ["doc", "metric", "model_response"];

/// Whether a Parquet file has the columns of lighteval's details.
pub(crate) fn is_details<R: ChunkReader + Share + 'static>(source: R) -> bool {
    sureness_parquet::open(source).is_ok_and(|table| has_columns(&table))
}

fn has_columns<R: ChunkReader + 'static>(table: &Table<R>) -> bool {
    let columns = table.columns();
    COLUMNS.iter().all(|name| columns.contains(name))
}

/// Imports a file: one group per task in it.
pub(crate) fn import(
    path: &Path,
    bytes: Bytes,
    choice: &Choice<'_>,
    options: &Options,
) -> Result<Vec<Imported>, ImportError> {
    let source = SourceFile::new(path, &blake3::hash(&bytes));
    let damaged =
        |error: sureness_parquet::Error| Problem::Parquet(printable(&error.to_string())).of(path);
    let table = sureness_parquet::open(bytes).map_err(damaged)?;
    if !has_columns(&table) {
        let problem = "has not the columns doc, metric and model_response of lighteval's details";
        return Err(Problem::Foreign(problem).of(path));
    }
    let rows = sureness_parquet::rows(table, |name| COLUMNS.contains(&name)).map_err(damaged)?;
    let mut parts: Vec<Part> = Vec::new();
    for (row, number) in rows.zip(1..) {
        let place = Place::Row(number);
        let row = value::of_row(&row.map_err(damaged)?);
        let name = sample::task(&row).map_err(|it| it.at(path, place.clone()))?;
        let known = parts.iter().position(|part| part.name == name);
        let index = if let Some(index) = known {
            index
        } else {
            parts.push(Part::new(path, name, &source, choice, options)?);
            parts.len() - 1
        };
        let Some(part) = parts.get_mut(index) else {
            continue;
        };
        if part.chosen {
            part.add(path, &place, &row, choice)?;
        }
    }
    if parts.is_empty() {
        return Err(Problem::Empty.of(path));
    }
    let chosen = parts.into_iter().filter(|part| part.chosen);
    chosen
        .map(|part| part.finish(path, options.normalise))
        .collect()
}

/// lighteval's metrics, by how it normalises log-likelihoods (`normalize_log_probs`). `acc_norm` does
/// not say whether it counts the blank before a text.
const METRICS: Metrics = &[
    ("acc", Rule::Sum),
    ("acc_norm", Rule::Chars),
    ("acc_norm", Rule::CharsWithoutBlank),
    ("acc_norm_token", Rule::Tokens),
    ("acc_norm_pmi", Rule::Unconditioned),
    ("truthfulqa_mc1", Rule::Sum),
];

/// What undivided scores compare with.
const PLAIN: &str = "compare with lighteval's acc, not with a normalised one";

/// The rows of one task.
struct Part {
    /// As lighteval writes it, such as `mmlu:anatomy|5`.
    name: String,
    chosen: bool,
    group: Group,
    /// Rows whose prompt lighteval cut, to fit it into the model's context.
    cut: usize,
    /// Rows with a second list of options.
    second_lists: usize,
}

impl Part {
    fn new(
        path: &Path,
        name: String,
        source: &SourceFile,
        choice: &Choice<'_>,
        options: &Options,
    ) -> Result<Self, ImportError> {
        let (task, shots) = sample::name_parts(&name);
        let strategy = shots.map_or_else(|| "lighteval".to_owned(), |n| format!("{n}-shot"));
        let model = options.model.clone().or_else(|| model_of(path));
        let model = Model {
            name: model.ok_or_else(|| Problem::NoModel.of(path))?,
            details: BTreeMap::new(),
        };
        let import = Imported {
            files: vec![source.clone()],
            ..Imported::empty(model, task.to_owned(), strategy, Format::Lighteval)
        };
        Ok(Self {
            chosen: choice.wants(&[task]),
            name,
            group: Group::new(import, METRICS, Ties::First),
            cut: 0,
            second_lists: 0,
        })
    }

    fn add(
        &mut self,
        path: &Path,
        place: &Place,
        row: &serde_json::Value,
        choice: &Choice<'_>,
    ) -> Result<(), ImportError> {
        let at = |fault: Fault| fault.at(path, place.clone());
        let id = sample::id(row).map_err(at)?;
        let group = &mut self.group;
        if !group.admits(&id, "doc.id", place, choice).map_err(at)? {
            return Ok(());
        }
        let sample = Sample::read(row, &id).map_err(at)?;
        self.cut += usize::from(sample::was_cut(row));
        self.second_lists += usize::from(sample.has_second_list);
        if !asked::are_letters(&sample.choices) {
            group.import.values = Values::Continuations;
        }
        group.add(Asked {
            id,
            category: None,
            question: content::of_question(None, &sample.query, &sample.choices, sample.right),
            right: sample.right,
            observed: vec![true; sample.likelihoods.len()],
            likelihoods: sample.likelihoods,
            verdicts: verdicts(row).map_err(at)?,
        });
        Ok(())
    }

    fn finish(self, path: &Path, normalise: Normalise) -> Result<Imported, ImportError> {
        let rows = self.group.len();
        let mut import = self.group.finish(path, normalise)?;
        if self.cut > 0 {
            import.warnings.push(format!(
                "lighteval cut the prompts of {} of {rows} questions to fit the model's context: the \
                 figures are about what was left of them",
                self.cut
            ));
        }
        if self.second_lists > 0 {
            import.notes.push(format!(
                "{} of {rows} questions have two lists of options; the first is imported, TruthfulQA's MC1",
                self.second_lists
            ));
        }
        let note = asked::note_of(import.values, normalise, PLAIN);
        import.notes.extend(note);
        Ok(import)
    }
}

/// The metrics of a row. Those that can be computed again are 0 or 1.
fn verdicts(row: &Value) -> Result<Vec<(String, f64)>, Fault> {
    let Some(Value::Object(metrics)) = row.get("metric") else {
        return Ok(Vec::new());
    };
    let values = metrics.iter().filter(|(_, value)| !value.is_null());
    let values = values.map(|(name, value)| {
        let known = METRICS.iter().any(|(of, _)| of == name);
        match asked::verdict(value) {
            Some(verdict) if !known || verdict.fract() == 0.0 => Ok((name.clone(), verdict)),
            _ if !known => Ok((name.clone(), f64::NAN)),
            _ => {
                let (expected, found) = ("0 or 1", json::describe(value));
                let field = format!("metric.{}", printable(name));
                Err(Problem::Type { expected, found }.field(&field))
            }
        }
    });
    values.collect()
}

/// The model, from the folders `details/{model}/{date}` in which lighteval writes; a model's name may
/// be two folders.
fn model_of(path: &Path) -> Option<String> {
    let folders: Vec<_> = path
        .parent()?
        .iter()
        .map(|it| it.to_string_lossy())
        .collect();
    let details = folders.iter().rposition(|name| name == "details")?;
    let (_date, model) = folders.get(details + 1..)?.split_last()?;
    (!model.is_empty()).then(|| model.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_tell_the_model() {
        let model = |path: &str| model_of(Path::new(path));
        let two = model("out/details/org/small/2026-11-28T10/details_x.parquet");
        assert_eq!(two.as_deref(), Some("org/small"));
        assert_eq!(model("out/details/2026-11-28T10/details_x.parquet"), None);
        assert_eq!(model("details_x.parquet"), None);
    }
}
