//! Details of lighteval: one Parquet file per task, with the columns `doc`, `metric` and
//! `model_response` (since version 0.11).

mod metric;
mod sample;
mod value;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use sureness_parquet::{Bytes, ChunkReader, Share, Table};
use sureness_record::QuestionRecord;

use crate::choice::{self, Choice};
use crate::content;
use crate::error::printable;
use crate::imported::{Imported, ImportedRow, Model, Options, RowScores, SourceFile, Values};
use crate::{Format, ImportError, Place, Problem};
use metric::Metrics;
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
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let source = SourceFile {
        name: name.into_owned(),
        digest: blake3::hash(&bytes).to_hex().to_string(),
    };
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
    Ok(chosen.map(Part::finish).collect())
}

/// The rows of one task.
struct Part {
    /// As lighteval writes it, such as `mmlu:anatomy|5`.
    name: String,
    chosen: bool,
    import: Imported,
    metrics: Metrics,
    seen: HashMap<String, Place>,
    dropped: usize,
    /// Rows whose prompt lighteval cut, to fit it into the model's context.
    cut: usize,
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
            import,
            metrics: Metrics::default(),
            seen: HashMap::new(),
            dropped: 0,
            cut: 0,
        })
    }

    fn add(
        &mut self,
        path: &Path,
        place: &Place,
        row: &serde_json::Value,
        choice: &Choice<'_>,
    ) -> Result<(), ImportError> {
        let at = |fault: crate::error::Fault| fault.at(path, place.clone());
        let id = sample::id(row).map_err(at)?;
        if let Some(first) = self.seen.insert(id.clone(), place.clone()) {
            let (id, first) = (printable(&id), first.to_string());
            return Err(at(Problem::RepeatedId { id, first }.field("doc.id")));
        }
        if choice.drops(&[&id]) {
            self.dropped += 1;
            return Ok(());
        }
        let sample = Sample::read(row).map_err(at)?;
        self.cut += usize::from(sample::was_cut(row));
        self.metrics.add(&id, &sample, row).map_err(at)?;
        if !sample.has_labels() {
            self.import.values = Values::Continuations;
        }
        let known = content::of_question(None, &sample.query, &sample.choices, sample.right);
        let options = sample.scores.len();
        self.import.rows.push(ImportedRow {
            question: QuestionRecord {
                content: known.content,
                cluster: known.cluster,
                id,
                category: None,
                options,
                right: sample.right,
                dont_know: None,
                none_of_the_above: None,
            },
            scores: Ok(RowScores {
                observed: vec![true; options],
                logprobs: sample.scores,
                mass: None,
            }),
        });
        Ok(())
    }

    fn finish(self) -> Imported {
        let mut import = self.import;
        import.notes.extend(choice::left_out(self.dropped));
        if self.cut > 0 {
            import.warnings.push(format!(
                "lighteval cut the prompts of {} of {} questions to fit the model's context: the \
                 figures are about what was left of them",
                self.cut,
                import.rows.len()
            ));
        }
        if import.values == Values::Labels {
            // Only labels are mutually exclusive: texts may be prefixes of one another.
            let scores = import
                .rows
                .iter_mut()
                .filter_map(|row| row.scores.as_mut().ok());
            for scores in scores {
                let total: f64 = scores.logprobs.iter().map(|value| value.exp()).sum();
                scores.mass = Some(total.min(1.0));
            }
        } else {
            import.notes.push(
                "log-likelihoods are of whole continuations: probabilities are shares among the \
                 options of a question, and long options have less; compare with lighteval's acc, \
                 not with a normalised one"
                    .to_owned(),
            );
        }
        self.metrics.finish(&mut import);
        import
    }
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
