//! Loads data sets.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Problem;
use crate::readers::{Parsed, cosmosqa, generic, halueval, hellaswag, mmlu, paper};
use crate::source::Source;
use crate::{Bank, ClusterBy, DataError, Dataset, Format, Question, Task, examples};

/// Minimum number of few-shot examples to set aside, so that runs with fewer shots ask the same
/// questions.
const MIN_SET_ASIDE: usize = 5;

/// How a data set is loaded.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// The task the questions belong to.
    pub task: Task,
    /// The layout; `None` detects it from the content.
    pub format: Option<Format>,
    /// A file or folder of few-shot examples, in any layout, used instead of the data set's own.
    pub examples: Option<PathBuf>,
    /// Whether "I don't know" and "None of the above" are added to every question.
    pub abstention: bool,
    /// Seed of everything that is drawn at random.
    pub seed: u64,
    /// How questions are grouped into clusters.
    pub cluster: ClusterBy,
}

impl LoadOptions {
    /// Layout by content, the data set's own examples, abstention options added, seed 0.
    pub fn new(task: Task) -> Self {
        Self {
            task,
            format: None,
            examples: None,
            abstention: true,
            seed: 0,
            cluster: ClusterBy::Auto,
        }
    }
}

/// Loads a data set: reads and checks every row, sets few-shot examples aside, and adds the
/// abstention options if enabled.
pub fn load(path: &Path, options: &LoadOptions) -> Result<Dataset, DataError> {
    let read = read(path, options.format, options)?;
    complete(path, read, options)
}

/// Loads a data set of one file from memory; errors name `path`.
pub fn load_bytes(
    path: &Path,
    bytes: Vec<u8>,
    options: &LoadOptions,
) -> Result<Dataset, DataError> {
    let read = read_source(&Source::from_bytes(path, bytes), options.format, options)?;
    complete(path, read, options)
}

/// Replaces the few-shot examples if requested, and makes the data set.
fn complete(
    path: &Path,
    (format, mut parsed): (Format, Parsed),
    options: &LoadOptions,
) -> Result<Dataset, DataError> {
    let kept = |error| DataError::of_file(path, Problem::Bank(error));
    if let Some(file) = &options.examples {
        // Examples are not asked and have no cluster.
        let plain = LoadOptions {
            cluster: ClusterBy::Auto,
            ..options.clone()
        };
        let (_, others) = read(file, None, &plain)?;
        others
            .unread
            .names()
            .iter()
            .for_each(|name| parsed.unread.add(name));
        parsed.examples = others.examples;
        parsed
            .examples
            .extend(others.questions.to_vec().map_err(kept)?);
    }
    // The paper drops its examples by id alone, and so must its figures.
    if format != Format::Paper || options.examples.is_some() {
        let shown: HashSet<_> = parsed
            .examples
            .iter()
            .map(Question::content_digest)
            .collect();
        drop_shown(&mut parsed.questions, &shown).map_err(kept)?;
    }
    assemble(path, &path.display().to_string(), parsed, options)
}

/// Drops the questions that serve as few-shot examples.
fn drop_shown(questions: &mut Bank, shown: &HashSet<[u8; 32]>) -> io::Result<()> {
    if shown.is_empty() {
        return Ok(());
    }
    let mut drop = HashSet::new();
    for index in 0..questions.len() {
        if shown.contains(&questions.content_digest(index)?) {
            drop.insert(index);
        }
    }
    questions.keep(|index| !drop.contains(&index));
    Ok(())
}

/// Sets few-shot examples aside unless the data set has some.
pub(crate) fn assemble(
    path: &Path,
    source: &str,
    parsed: Parsed,
    options: &LoadOptions,
) -> Result<Dataset, DataError> {
    let Parsed {
        mut questions,
        mut examples,
        unread,
    } = parsed;
    if examples.is_empty() {
        let wanted = options.task.shots.max(MIN_SET_ASIDE);
        examples = examples::set_aside(&mut questions, wanted, options.seed)
            .map_err(|error| DataError::of_file(path, Problem::Bank(error)))?;
    }
    if questions.is_empty() {
        return Err(DataError::of_file(path, Problem::NothingToAsk));
    }
    Ok(Dataset {
        task: options.task.clone(),
        source: source.to_owned(),
        questions,
        examples,
        unread,
    })
}

fn read(
    path: &Path,
    format: Option<Format>,
    options: &LoadOptions,
) -> Result<(Format, Parsed), DataError> {
    if path.is_dir() {
        let format = format.map_or_else(|| Format::of_folder(path), Ok)?;
        if format != Format::Mmlu {
            return Err(DataError::of_file(path, Problem::Folder(format)));
        }
        return Ok((format, mmlu::read(path, options)?));
    }
    read_source(&Source::open(path)?, format, options)
}

fn read_source(
    source: &Source,
    format: Option<Format>,
    options: &LoadOptions,
) -> Result<(Format, Parsed), DataError> {
    let format = format.map_or_else(|| Format::of_source(source), Ok)?;
    Ok((format, parse(source, format, options)?))
}

/// Reads a file's text in a given layout.
pub(crate) fn parse(
    source: &Source,
    format: Format,
    options: &LoadOptions,
) -> Result<Parsed, DataError> {
    match format {
        Format::Mmlu => mmlu::file(source, options),
        Format::CosmosQaCsv => cosmosqa::csv(source, options),
        Format::CosmosQaJsonl => cosmosqa::jsonl(source, options),
        Format::HellaSwag => hellaswag::read(source, options),
        Format::HaluEvalDialogue => halueval::dialogue(source, options),
        Format::HaluEvalSummarization => halueval::summarization(source, options),
        Format::Paper => paper::read(source, options),
        Format::Jsonl => generic::jsonl(source, options),
        Format::Csv => generic::csv(source, options),
    }
}
