//! Loads data sets.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Problem;
use crate::files::{self, Files};
use crate::readers::{Parsed, Rows, cosmosqa, generic, halueval, hellaswag, mmlu, open, paper};
use crate::source::Source;
use crate::{
    Bank, ClusterBy, Columns, DataError, Dataset, Format, Layout, Question, Task, columns,
    examples, layout, whole,
};

/// Minimum number of few-shot examples to set aside, so that runs with fewer shots ask the same
/// questions.
const MIN_SET_ASIDE: usize = 5;

/// Few-shot examples of a split of their own that are all kept; of more, some are chosen.
const MOST_SHOWN: usize = 1_000;
/// How many few-shot examples are chosen for variety; far more than any prompt shows.
const SPREAD: usize = 26;

/// How a data set is loaded.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// The task the questions belong to.
    pub task: Task,
    /// The layout; `None` detects it from the content.
    pub format: Option<Format>,
    /// The columns by their meaning, in place of a layout.
    pub columns: Option<Columns>,
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
            columns: None,
            examples: None,
            abstention: true,
            seed: 0,
            cluster: ClusterBy::Auto,
        }
    }
}

impl LoadOptions {
    /// The layout, as far as it is known.
    fn format(&self) -> Option<Format> {
        let columns = self.columns.as_ref().map(|_| Format::Columns);
        columns.or(self.format)
    }
}

/// Loads a data set: reads and checks every row, sets few-shot examples aside, and adds the
/// abstention options if enabled.
pub fn load(path: &Path, options: &LoadOptions) -> Result<Dataset, DataError> {
    let read = read(path, options.format(), options)?;
    complete(path, read, options)
}

/// Loads a data set of these files; `name` stands for all of them, in errors and as the source.
pub fn load_files(name: &Path, files: &Files, options: &LoadOptions) -> Result<Dataset, DataError> {
    whole::check(&files.questions)?;
    whole::check(&files.examples)?;
    let read = read_split(name, files, options.format(), options)?;
    complete(name, read, options)
}

/// Loads a data set of one file from memory; errors name `path`.
pub fn load_bytes(
    path: &Path,
    bytes: Vec<u8>,
    options: &LoadOptions,
) -> Result<Dataset, DataError> {
    let read = read_source(Source::from_bytes(path, bytes), options.format(), options)?;
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
            // Those with several right options are not shown.
            .filter(|example| example.right.only().is_some())
            .map(Question::content_digest)
            .collect();
        parsed.left_out = drop_shown(&mut parsed.questions, &shown).map_err(kept)?;
    }
    assemble(path, &path.display().to_string(), parsed, options)
}

/// Drops the questions that serve as few-shot examples, and returns how many.
fn drop_shown(questions: &mut Bank, shown: &HashSet<[u8; 32]>) -> io::Result<usize> {
    if shown.is_empty() {
        return Ok(0);
    }
    let mut drop = HashSet::new();
    for index in 0..questions.len() {
        if shown.contains(&questions.content_digest(index)?) {
            drop.insert(index);
        }
    }
    questions.keep(|index| !drop.contains(&index));
    Ok(drop.len())
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
        split,
        mut left_out,
    } = parsed;
    if examples.is_empty() {
        let wanted = options.task.shots.max(MIN_SET_ASIDE);
        let rows = questions.len();
        examples = examples::set_aside(&mut questions, wanted, options.seed)
            .map_err(|error| DataError::of_file(path, Problem::Bank(error)))?;
        left_out += rows - questions.len() - examples.len();
    }
    let found = examples.len();
    examples.retain(|example| example.right.only().is_some());
    let unshown = found - examples.len();
    if questions.is_empty() {
        return Err(DataError::of_file(path, Problem::NothingToAsk));
    }
    Ok(Dataset {
        task: options.task.clone(),
        source: source.to_owned(),
        questions,
        examples,
        split,
        unread,
        left_out,
        unshown,
    })
}

/// The files that [`load`] reads of a data set in this layout, or in that of its content.
pub fn files(path: &Path, format: Option<Format>) -> Result<Files, DataError> {
    let all = files::all(path)?;
    let Some(first) = all.first() else {
        return Err(DataError::of_file(path, Problem::NoFiles));
    };
    let format = match format {
        Some(format) => format,
        None => Format::of_source(&Source::open(first)?)?,
    };
    let (ask, examples) = format.splits();
    files::divide(all, ask, examples)
}

fn read(
    path: &Path,
    format: Option<Format>,
    options: &LoadOptions,
) -> Result<(Format, Parsed), DataError> {
    if path.is_dir() && format.is_none_or(|format| format == Format::Mmlu) && mmlu::is_layout(path)
    {
        return Ok((Format::Mmlu, mmlu::read(path, options)?));
    }
    if files::is_one(path) {
        // Opened once: it may be a pipe.
        return read_source(Source::open(path)?, format, options);
    }
    read_split(path, &files(path, format)?, format, options)
}

/// Reads the split to ask, and the few-shot examples of another.
fn read_split(
    path: &Path,
    files: &Files,
    format: Option<Format>,
    options: &LoadOptions,
) -> Result<(Format, Parsed), DataError> {
    let (format, mut parsed) = read_files(&files.questions, format, options)?;
    parsed.split = files.split;
    if !files.examples.is_empty() && options.examples.is_none() {
        // Examples are not asked and have no cluster.
        let plain = LoadOptions {
            cluster: ClusterBy::Auto,
            ..options.clone()
        };
        let (_, examples) = read_files(&files.examples, Some(format), &plain)?;
        show(&mut parsed, examples, options.seed)
            .map_err(|error| DataError::of_file(path, Problem::Bank(error)))?;
    }
    Ok((format, parsed))
}

/// Takes the few-shot examples from another split. Rows that are asked as well are not shown.
fn show(parsed: &mut Parsed, others: Parsed, seed: u64) -> io::Result<()> {
    if !parsed.examples.is_empty() {
        return Ok(());
    }
    let mut shown = others.questions;
    let asked = (0..parsed.questions.len()).map(|index| parsed.questions.content_digest(index));
    let asked = asked.collect::<io::Result<HashSet<_>>>()?;
    drop_shown(&mut shown, &asked)?;
    parsed.examples = if shown.len() > MOST_SHOWN {
        examples::set_aside(&mut shown, SPREAD, seed)?
    } else {
        let mut all = shown.to_vec()?;
        // Those with several right options are counted and left out later.
        let several = all.extract_if(.., |example| example.right.only().is_none());
        let several: Vec<_> = several.collect();
        examples::sort(&mut all, SPREAD, seed);
        all.extend(several);
        all
    };
    Ok(())
}

fn read_files(
    files: &[PathBuf],
    format: Option<Format>,
    options: &LoadOptions,
) -> Result<(Format, Parsed), DataError> {
    let sources = (0..)
        .zip(files)
        .map(|(number, file)| Ok(Source::open(file)?.numbered(number)))
        .collect::<Result<Vec<_>, DataError>>()?;
    let format = match format {
        Some(format) => format,
        None => shared_format(&sources)?,
    };
    Ok((format, parse(&sources, format, options)?))
}

/// The layout that all files have.
fn shared_format(sources: &[Source]) -> Result<Format, DataError> {
    let mut shared: Option<(&Source, Format)> = None;
    for source in sources {
        let found = Format::of_source(source)?;
        let (of_first, first) = *shared.get_or_insert((source, found));
        if found != first {
            let problem = Problem::OtherLayout {
                found: found.name(),
                file: of_first.path().to_owned(),
                first: first.name(),
            };
            return Err(source.at(1).row(problem));
        }
    }
    let empty = || DataError::of_file(Path::new(""), Problem::NoFiles);
    shared.map(|(_, format)| format).ok_or_else(empty)
}

fn read_source(
    source: Source,
    format: Option<Format>,
    options: &LoadOptions,
) -> Result<(Format, Parsed), DataError> {
    let format = match format {
        Some(format) => format,
        None => Format::of_source(&source)?,
    };
    Ok((format, parse(&[source], format, options)?))
}

/// Reads files in a given layout.
pub(crate) fn parse(
    sources: &[Source],
    format: Format,
    options: &LoadOptions,
) -> Result<Parsed, DataError> {
    let mut rows = Rows::new(options);
    match format {
        Format::HaluEvalDialogue => {
            halueval::read(sources, &mut rows, options, &halueval::DIALOGUE)?;
        }
        Format::HaluEvalSummarization => {
            halueval::read(sources, &mut rows, options, &halueval::SUMMARIZATION)?;
        }
        _ => {
            for source in sources {
                parse_one(source, format, &mut rows, options)?;
            }
        }
    }
    rows.finish(sources)
}

fn parse_one(
    source: &Source,
    format: Format,
    rows: &mut Rows,
    options: &LoadOptions,
) -> Result<(), DataError> {
    match format {
        Format::Mmlu if source.is_parquet() => match Layout::by_name("mmlu-hub") {
            Some(layout) => layout::read(layout, source, rows, options),
            None => Ok(()),
        },
        Format::Mmlu => mmlu::file(source, rows),
        Format::CosmosQaCsv => cosmosqa::csv(source, rows, options),
        Format::CosmosQaJsonl => cosmosqa::jsonl(source, rows, options),
        Format::HellaSwag => hellaswag::read(source, rows, options),
        Format::Paper => paper::read(source, rows, options),
        Format::Jsonl | Format::Parquet => generic::jsonl(source, rows, options),
        Format::Csv => generic::csv(source, rows, options),
        Format::Public(layout) => layout::read(layout, source, rows, options),
        Format::Open => open::read(source, rows, options),
        Format::Columns => match &options.columns {
            Some(columns) => columns::read(columns, source, rows, options),
            None => Ok(()),
        },
        Format::HaluEvalDialogue | Format::HaluEvalSummarization => Ok(()),
    }
}
