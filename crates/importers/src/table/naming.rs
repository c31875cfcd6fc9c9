//! Names of model, task and strategy of a table.

use std::collections::BTreeMap;
use std::path::Path;

use sureness_questions::Task;
use sureness_scorers::replay::FileName;

use crate::imported::{Imported, Model, Options, Values};
use crate::{Format, ImportError, Problem};

/// An import without rows, with names from columns, flags and the file's name, in this order.
pub(super) fn name_of(
    path: &Path,
    columns: &[Option<String>; 3],
    options: &Options,
) -> Result<Imported, ImportError> {
    let name = FileName::parse(path);
    let [model, task, strategy] = columns.clone();
    let model = model.or_else(|| options.model.clone());
    let task = task.or_else(|| options.task.clone());
    let task = task.or_else(|| name.dataset.as_deref().map(task_of));
    let strategy = strategy.or_else(|| options.strategy.clone());
    let strategy = strategy.or_else(|| {
        let strategy = name.strategy?.name();
        Some(match name.icl {
            Some(0) => format!("{strategy}-0-shot"),
            _ => strategy.to_owned(),
        })
    });
    let model = Model {
        name: model.unwrap_or(name.model),
        details: BTreeMap::new(),
    };
    let task = task.ok_or_else(|| Problem::NoTask.of(path))?;
    let strategy = strategy.unwrap_or_else(|| "imported".to_owned());
    Ok(Imported {
        values: Values::Logits,
        ..Imported::empty(model, task, strategy, Format::Table)
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
