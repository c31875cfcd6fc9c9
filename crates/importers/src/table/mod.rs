//! Saved logits: the paper's pickles, and CSV, JSON lines or Parquet.
//!
//! `sureness_scorers::replay` reads the scores and documents the column names.
//! The right answers come from a file of questions in the paper's layout or, in CSV and JSON
//! lines, from a column `answer` (a letter, or a number counted from 0). Such a file may name
//! `category`, `model`, `task` and `strategy` in columns as well; then it may hold several models
//! and tasks.

mod columns;
mod key;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use sureness_questions::{Task, letter, paper};
use sureness_record::QuestionRecord;
use sureness_scorers::replay::{self, FileName, Kind, Place as ReplayPlace, RecordedLogits};

use crate::content;
use crate::imported::{Imported, ImportedRow, Model, Options, RowScores, SourceFile, Values};
use crate::{Format, ImportError, Place, Problem};
use columns::{Extra, Part};
use key::Key;
pub(crate) use key::Keys;

/// Imports a file of scores.
pub(crate) fn import(
    path: &Path,
    bytes: Vec<u8>,
    format: Format,
    options: &Options,
) -> Result<Vec<Imported>, ImportError> {
    let digest = blake3::hash(&bytes).to_hex().to_string();
    let keys = options.questions.as_deref().map(Keys::read).transpose()?;
    let parts = columns::split(path, bytes)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let source = SourceFile {
        name: name.into_owned(),
        digest,
    };
    let mut imports = Vec::with_capacity(parts.len());
    for part in parts {
        let logits = replay::read_bytes(path, part.bytes.clone()).map_err(|mut error| {
            if let ReplayPlace::Line(line) = error.place {
                error.place = ReplayPlace::Line(part.line(line));
            }
            let place = Place::File;
            Problem::Replay(error).at(path, place)
        })?;
        let mut import = name_of(path, &part, options)?;
        import.format = format;
        import.files = vec![source.clone()];
        fill(&mut import, path, &part, &logits, keys.as_ref(), options)?;
        imports.push(import);
    }
    Ok(imports)
}

/// An import without rows, with names from columns, flags and the file's name, in this order.
fn name_of(path: &Path, part: &Part, options: &Options) -> Result<Imported, ImportError> {
    let name = FileName::parse(path);
    let model = part.model.clone().or_else(|| options.model.clone());
    let task = part.task.clone().or_else(|| options.task.clone());
    let task = task.or_else(|| name.dataset.as_deref().map(task_of));
    let strategy = part.strategy.clone().or_else(|| options.strategy.clone());
    let strategy = strategy.or_else(|| {
        let strategy = name.strategy?.name();
        Some(match name.icl {
            Some(0) => format!("{strategy}-0-shot"),
            _ => strategy.to_owned(),
        })
    });
    Ok(Imported {
        model: Model {
            name: model.unwrap_or(name.model),
            details: BTreeMap::new(),
        },
        task: task.ok_or_else(|| Problem::NoTask.of(path))?,
        strategy: strategy.unwrap_or_else(|| "imported".to_owned()),
        format: Format::Table,
        files: Vec::new(),
        values: Values::Logits,
        settings: BTreeMap::new(),
        rows: Vec::new(),
        check: None,
        notes: Vec::new(),
    })
}

/// The benchmark's task of a data set as the paper's files name it: `qa` for `mmlu_10k`. Other names
/// stay as they are, without the size and what follows it: `emotion` for `emotion_10k_4`.
pub fn task_of(dataset: &str) -> String {
    let ends = dataset.match_indices('_').map(|(end, _)| end);
    let size = ends.into_iter().find(|&end| {
        let word = dataset[end + 1..].split('_').next();
        word.is_some_and(is_size)
    });
    let bare = size.map_or(dataset, |end| &dataset[..end]);
    let long = match bare.strip_prefix("halu_") {
        Some(rest) => format!("halueval_{rest}"),
        None => bare.to_owned(),
    };
    Task::by_name(&long).map_or_else(|| bare.to_owned(), |task| task.id)
}

fn is_size(word: &str) -> bool {
    word.strip_suffix('k')
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit()))
}

/// Adds the rows.
fn fill(
    import: &mut Imported,
    path: &Path,
    part: &Part,
    logits: &RecordedLogits,
    keys: Option<&Keys>,
    options: &Options,
) -> Result<(), ImportError> {
    import.values = match logits.kind {
        Kind::Logits => Values::Logits,
        Kind::LogProbs => Values::Labels,
    };
    let width = logits.width;
    let dropped = dropped(import.format, options);
    let mut unknown = Vec::new();
    let (mut left_out, mut planned) = (0, 0);
    for (index, &id) in logits.ids.iter().enumerate() {
        if dropped.contains(&id.to_string()) {
            left_out += 1;
            continue;
        }
        planned += 1;
        let extra = part.rows.get(index);
        let key = match (keys, extra) {
            (Some(keys), _) => {
                let Some(key) = keys.get(id) else {
                    unknown.push(id);
                    continue;
                };
                key.clone()
            }
            (None, Some(Extra { answer, line, .. })) => {
                let at = |problem: Problem| problem.field("answer").at(path, Place::Line(*line));
                let written = answer.as_deref().unwrap_or_default().trim();
                if written.is_empty() {
                    return Err(at(Problem::NoAnswer));
                }
                let answer = columns::option(written).filter(|answer| *answer < width);
                let answer = answer.ok_or_else(|| {
                    let answer = crate::error::printable(written);
                    at(Problem::Answer {
                        answer,
                        options: width,
                    })
                })?;
                Key::of(answer)
            }
            (None, None) => return Err(Problem::NoAnswers.of(path)),
        };
        if let (Some(questions), Some(count)) = (options.questions.as_deref(), key.options)
            && count != width
        {
            let problem = Problem::OtherWidth {
                id,
                scores: width,
                options: count,
                questions: questions.to_owned(),
            };
            return Err(problem.of(path));
        }
        if key.answer >= width {
            let answer = format!("{} for id {id}", letter(key.answer));
            return Err(Problem::Answer {
                answer,
                options: width,
            }
            .of(path));
        }
        let row = row(&import.task, id, &key, extra, logits, index);
        import.rows.push(row);
    }
    if let (Some(first), Some(questions)) = (unknown.first(), &options.questions) {
        let problem = Problem::UnknownId {
            id: *first,
            others: others(unknown.len()),
            questions: questions.clone(),
        };
        return Err(problem.of(path));
    }
    if left_out > 0 {
        import.notes.push(format!(
            "skipped {left_out} few-shot examples and other ids (--drop-ids none keeps them)"
        ));
    }
    if let Some(keys) = keys {
        let asked = keys.len() - keys.count(&dropped);
        if asked > planned {
            import
                .notes
                .push(format!("{planned} of the {asked} questions have scores"));
        }
    }
    Ok(())
}

fn row(
    task: &str,
    id: i64,
    key: &Key,
    extra: Option<&Extra>,
    logits: &RecordedLogits,
    index: usize,
) -> ImportedRow {
    let width = logits.width;
    let values: Vec<f64> = match &logits.values64 {
        Some(values) => values
            .iter()
            .skip(index * width)
            .take(width)
            .copied()
            .collect(),
        None => logits.row(index).iter().copied().map(f64::from).collect(),
    };
    let mass = (logits.kind == Kind::LogProbs)
        .then(|| values.iter().map(|value| value.exp()).sum::<f64>().min(1.0));
    // Abstention options are known by their texts, or by the paper's fixed positions.
    let (dont_know, none_of_the_above) = match key.options {
        Some(_) => (key.dont_know, key.none_of_the_above),
        None => paper::abstention(width),
    };
    let id = id.to_string();
    let category = key
        .category
        .clone()
        .or_else(|| extra.and_then(|extra| extra.category.clone()));
    let known = key.known.unwrap_or_else(|| content::of_name([task, &id]));
    ImportedRow {
        question: QuestionRecord {
            content: known.content,
            cluster: known.cluster,
            id,
            category,
            options: width,
            answer: key.answer,
            dont_know,
            none_of_the_above,
        },
        scores: Ok(RowScores {
            observed: vec![true; width],
            logprobs: values,
            mass,
        }),
    }
}

/// Ids to skip.
fn dropped(format: Format, options: &Options) -> HashSet<String> {
    match &options.drop_ids {
        Some(ids) => ids.clone(),
        None if format == Format::Paper => paper::EXAMPLE_IDS.map(|id| id.to_string()).into(),
        None => HashSet::new(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_data_sets_are_the_benchmarks_tasks() {
        for (dataset, task) in [
            ("mmlu_10k", "qa"),
            ("cosmosqa_10k", "rc"),
            ("hellaswag_10k", "ci"),
            ("halu_dialogue", "drs"),
            ("halu_summarization_10k", "ds"),
            ("emotion_10k", "emotion"),
            ("emotion_10k_4", "emotion"),
            ("d", "d"),
        ] {
            assert_eq!(task_of(dataset), task);
        }
    }
}
