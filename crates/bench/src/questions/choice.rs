//! Selects the data set of a task.

use sureness_questions::{ClusterBy, DataError, Dataset, Format, LoadOptions, Problem, Task, pack};

use super::library::Library;
use super::names::{id_of, named_task, task_id};
use super::place::Place;
use crate::error::Failure;
use crate::settings::{QuestionSettings, TaskData};

/// The data set of `task`: from the given path, else the imported one, else the built-in pack.
pub(crate) fn dataset_for(task: &str, settings: &QuestionSettings) -> Result<Dataset, Failure> {
    dataset_from(&Library::open()?, task, settings)
}

/// Like [`dataset_for`], with a given library.
fn dataset_from(
    library: &Library,
    task: &str,
    settings: &QuestionSettings,
) -> Result<Dataset, Failure> {
    let id = task_id(task)?;
    let imported = library.origin(&id)?;
    let mut data = settings.data.iter();
    let data = data.rfind(|data| id_of(&data.task) == id).cloned();
    let TaskData {
        path,
        format,
        columns,
        examples,
        ..
    } = data.unwrap_or_default();
    let Some(path) = path else {
        if format.is_some() || columns.is_some() || examples.is_some() {
            return Err(Failure::new(format_args!(
                "a layout or few-shot examples are given for task {id}, but no questions"
            ))
            .hint(format_args!("give the questions too: --data {id}=PATH")));
        }
        if let Some(origin) = imported {
            return library.dataset(origin, settings.abstention, &settings.cluster);
        }
        return match pack::clustered(&id, settings.abstention, &settings.cluster) {
            Some(dataset) => dataset.map_err(|error| no_column(&id, &settings.cluster, &error)),
            None => Err(unknown(library, &id)),
        };
    };
    let task = imported.map_or_else(|| named_task(&id), |origin| origin.task);
    let by_columns = columns.as_ref().map(|_| Format::Columns);
    let place = Place::find(&path, by_columns.or(format))?;
    if let Some(note) = &place.note {
        tracing::warn!("{note}");
    }
    let options = LoadOptions {
        format,
        columns,
        examples,
        abstention: settings.abstention,
        cluster: settings.cluster.clone(),
        ..LoadOptions::new(task)
    };
    place.load(&options)
}

/// The failure for built-in questions without the column to cluster by, the only one that they have.
fn no_column(id: &str, cluster: &ClusterBy, error: &DataError) -> Failure {
    let Problem::Missing { found } = &*error.problem else {
        return Failure::new(error);
    };
    let columns: Vec<_> = found.iter().map(|name| format!("{name:?}")).collect();
    Failure::new(format_args!(
        "--cluster {}: the built-in questions of task {id} have no such column; they have {}",
        cluster.name(),
        columns.join(", ")
    ))
    .hint(format_args!(
        "name the file that has it with --data {id}=PATH, or choose --cluster category or \
         --cluster none"
    ))
}

fn unknown(library: &Library, id: &str) -> Failure {
    let mut known: Vec<_> = Task::benchmark().into_iter().map(|task| task.id).collect();
    let imported = library.ids().unwrap_or_default();
    known.extend(
        imported
            .into_iter()
            .filter(|id| Task::by_name(id).is_none()),
    );
    Failure::new(format_args!(
        "task {id} is unknown; the tasks are {}",
        known.join(", ")
    ))
    .hint(format_args!(
        "import your own questions with `sureness data import {id} FILE`"
    ))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use sureness_questions::{Bank, Question};

    use super::super::library::ImportSource;
    use super::*;

    /// Without the abstention options.
    fn four() -> QuestionSettings {
        QuestionSettings {
            abstention: false,
            ..QuestionSettings::default()
        }
    }

    fn imported(library: &Library, id: &str, options: &[&str]) -> Dataset {
        let question = |id: &str| Question {
            accepted: Vec::new(),
            id: id.to_owned(),
            category: Some("é \"x\"\n".to_owned()),
            context: None,
            stem: "Which?".to_owned(),
            options: options.iter().map(|&option| option.to_owned()).collect(),
            right: 1.into(),
        };
        let dataset = Dataset {
            task: named_task(id),
            source: String::new(),
            questions: Bank::of(&[question("1"), question("2")]).unwrap(),
            examples: vec![question("3")],
            split: None,
            unread: sureness_questions::Unread::default(),
            left_out: 0,
            unshown: 0,
        };
        let source = ImportSource {
            name: "own.csv".to_owned(),
            examples_name: None,
            format: sureness_questions::Format::Csv,
            blake3: "00".to_owned(),
        };
        library.store(&dataset, source).unwrap();
        dataset
    }

    #[test]
    fn an_import_comes_back_as_it_was_and_goes_before_the_pack() {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::at(&folder.path().join("data"));
        let of = |task: &str| dataset_from(&library, task, &four()).unwrap();
        assert_eq!(of("qa").source, "built-in pack");

        // Equal options occur in published data sets and are kept.
        let stored = imported(&library, "qa", &["same", "same"]);
        let read = of("mmlu");
        assert!(
            read.source.starts_with("own.csv, imported 2"),
            "{}",
            read.source
        );
        let questions = |dataset: &Dataset| dataset.questions.to_vec().unwrap();
        assert_eq!(questions(&read), questions(&stored));
        assert_eq!(read.examples, stored.examples);
        let six = dataset_from(&library, "qa", &QuestionSettings::default()).unwrap();
        assert!(
            questions(&six)
                .iter()
                .chain(&six.examples)
                .all(|q| q.options.len() == 4)
        );

        assert!(library.remove("qa").unwrap());
        assert!(!library.remove("qa").unwrap());
        assert_eq!(of("qa").source, "built-in pack");
    }

    #[test]
    fn a_changed_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::at(folder.path());
        imported(&library, "own", &["yes", "no"]);
        let path = folder.path().join("own.jsonl");
        let text = fs::read_to_string(&path).unwrap().replace("\"B\"", "\"A\"");
        fs::write(&path, text).unwrap();
        let error = dataset_from(&library, "own", &QuestionSettings::default()).unwrap_err();
        let text = format!("{error:?}");
        assert!(
            text.contains("has changed") && text.contains("--remove own"),
            "{text}"
        );
    }

    #[test]
    fn no_room_for_the_abstention_options_is_reported_when_they_are_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::at(folder.path());
        let options: Vec<_> = (0..25).map(|index| index.to_string()).collect();
        let options: Vec<_> = options.iter().map(String::as_str).collect();
        imported(&library, "wide", &options);
        assert!(dataset_from(&library, "wide", &four()).is_ok());
        let error = dataset_from(&library, "wide", &QuestionSettings::default()).unwrap_err();
        assert!(
            format!("{error:?}").contains("question 3: 25 options"),
            "{error:?}"
        );
    }

    #[test]
    fn a_column_that_the_built_in_questions_lack_is_looked_for_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let settings = QuestionSettings {
            cluster: ClusterBy::Column("passage".to_owned()),
            ..QuestionSettings::default()
        };
        let error = dataset_from(&Library::at(folder.path()), "rc", &settings).unwrap_err();
        let text = format!("{error:?}");
        for words in ["--cluster passage", "built-in", "--data rc=PATH"] {
            assert!(text.contains(words), "{text}");
        }
    }

    #[test]
    fn unknown_tasks_are_answered_with_the_known_ones() {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::at(folder.path());
        imported(&library, "tax-law", &["yes", "no"]);
        let error = dataset_from(&library, "tax", &QuestionSettings::default()).unwrap_err();
        let text = format!("{error:?}");
        assert!(text.contains("qa, rc, ci, drs, ds, tax-law"), "{text}");
    }
}
