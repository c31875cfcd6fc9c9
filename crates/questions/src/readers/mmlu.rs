//! MMLU: a folder of headerless CSV files, one per subject and split.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::{Parsed, Rows, Table};
use crate::draft::{Answer, Draft, Names, Options};
use crate::error::Problem;
use crate::source::Source;
use crate::{DataError, LoadOptions, examples};

/// Splits in order of preference.
const SPLITS: [&str; 3] = ["test", "val", "dev"];
const NAMES: Names<'static> = Names {
    stem: "question",
    options: "options",
    answer: "answer",
};
/// `question,A,B,C,D,letter`.
const COLUMNS: usize = 6;
/// How many few-shot examples are chosen for variety; far more than any prompt shows.
const SPREAD: usize = 26;

/// Whether a folder has MMLU's structure: CSV files without a header in its splits, or files named
/// after one.
pub(crate) fn is_layout(folder: &Path) -> bool {
    let named_after_split = |file: &PathBuf| {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        SPLITS
            .iter()
            .any(|split| stem.ends_with(&format!("_{split}")))
    };
    let split = split_folder(folder);
    let of_split = split.as_ref().map(|(root, split)| root.join(split));
    let files = csv_files(of_split.as_deref().unwrap_or(folder)).unwrap_or_default();
    let named = split.is_some() || files.iter().any(named_after_split);
    named && files.first().is_some_and(|file| !has_header(file))
}

/// Whether a CSV file is certain to be a table with named columns. A faulty one is not.
fn has_header(file: &Path) -> bool {
    let header = Source::open(file).and_then(|source| super::header(&source));
    header.is_ok_and(|names| {
        let question = names
            .iter()
            .any(|name| name.eq_ignore_ascii_case("question"));
        question && !super::is_row_of_mmlu(names.len(), names.last().map(String::as_str))
    })
}

/// Reads one subject's file.
pub(crate) fn file(source: &Source, rows: &mut Rows) -> Result<(), DataError> {
    subject(source, rows, false)
}

/// Reads a folder with splits, or a folder with CSV files.
pub(crate) fn read(path: &Path, options: &LoadOptions) -> Result<Parsed, DataError> {
    let mut rows = Rows::new(options);
    let Some((root, split)) = split_folder(path) else {
        folder(path, &mut rows, false)?;
        return Ok(rows.parsed);
    };
    folder(&root.join(split), &mut rows, false)?;
    let dev = root.join("dev");
    if split == "dev" || !dev.is_dir() {
        return Ok(rows.parsed);
    }
    folder(&dev, &mut rows, true)?;
    let mut parsed = rows.parsed;
    // Published MMLU repeats five dev rows in the test split of a sister subject. The test is
    // kept whole, so that its figures can be compared; the dev rows go.
    let asked = (0..parsed.questions.len())
        .map(|index| parsed.questions.content_digest(index))
        .collect::<Result<HashSet<_>, _>>()
        .map_err(|error| DataError::of_file(path, Problem::Bank(error)))?;
    (parsed.examples).retain(|example| !asked.contains(&example.content_digest()));
    examples::sort(&mut parsed.examples, SPREAD, options.seed);
    Ok(parsed)
}

/// Adds one subject's rows.
fn subject(source: &Source, rows: &mut Rows, examples: bool) -> Result<(), DataError> {
    let subject = subject_name(source.path());
    let mut table = Table::without_header(source)?;
    let mut number = 0;
    while let Some((at, cells)) = table.next_row_of(COLUMNS)? {
        number += 1;
        let draft = Draft {
            id: format!("{subject}/{number}"),
            category: Some(&subject),
            context: None,
            stem: &cells[0],
            options: Options::lettered((1..COLUMNS - 1).map(|column| &cells[column]))
                .with_repeats(),
            answers: Answer::Label(&cells[COLUMNS - 1]).into(),
            names: NAMES,
        };
        rows.push(at, draft.finish(at)?, examples, None)?;
    }
    if number == 0 {
        return Err(source.error(Problem::Empty));
    }
    Ok(())
}

/// `anatomy` for `…/anatomy_test.csv`.
fn subject_name(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    SPLITS
        .iter()
        .find_map(|split| stem.strip_suffix(split)?.strip_suffix('_'))
        .unwrap_or(&stem)
        .to_owned()
}

/// The folder that holds the splits, which may lie one level down, and the split to ask.
fn split_folder(path: &Path) -> Option<(PathBuf, &'static str)> {
    [path.to_owned(), path.join("data")]
        .into_iter()
        .find_map(|root| {
            let split = SPLITS.into_iter().find(|split| root.join(split).is_dir())?;
            Some((root, split))
        })
}

fn folder(path: &Path, rows: &mut Rows, examples: bool) -> Result<(), DataError> {
    let files = csv_files(path)?;
    if files.is_empty() {
        return Err(DataError::of_file(path, Problem::Empty));
    }
    for file in files {
        subject(&Source::open(&file)?, rows, examples)?;
    }
    Ok(())
}

/// The folder's CSV files by name; skips hidden ones, such as copies made by macOS.
fn csv_files(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let unreadable = |error| DataError::of_file(folder, Problem::Io(error));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let is_csv = path
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("csv"));
        if is_csv && !hidden && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
