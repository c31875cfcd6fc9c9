//! From a path to a data set that is ready to be asked.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::error::Problem;
use crate::readers::{Parsed, cosmosqa, generic, halueval, hellaswag, mmlu, paper};
use crate::source::Source;
use crate::{DataError, Dataset, Format, MAX_OPTIONS, Question, Task, examples};

/// Worked examples that are set aside at least, whatever the task shows: the same questions are
/// asked when a run shows fewer, or none.
const LEAST_SET_ASIDE: usize = 5;

/// How a data set is loaded.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// The task the questions belong to.
    pub task: Task,
    /// The layout; told from the content where it is not given.
    pub format: Option<Format>,
    /// A file or folder of worked examples, in any layout, used instead of the data set's own.
    pub examples: Option<PathBuf>,
    /// Whether "I don't know" and "None of the above" are added to every question.
    pub abstention: bool,
    /// Seed of everything that is drawn at random.
    pub seed: u64,
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
        }
    }
}

/// Loads a data set: reads and checks every row, sets the worked examples apart, and adds the
/// abstention options where they are asked for.
pub fn load(path: &Path, options: &LoadOptions) -> Result<Dataset, DataError> {
    let read = read(path, options.format, options)?;
    complete(path, read, options)
}

/// Loads a data set of one file that is in memory already; `path` stands for it in errors.
pub fn load_bytes(
    path: &Path,
    bytes: Vec<u8>,
    options: &LoadOptions,
) -> Result<Dataset, DataError> {
    let read = read_source(&Source::from_bytes(path, bytes)?, options.format, options)?;
    complete(path, read, options)
}

/// Puts other worked examples in where they are asked for, and makes the data set.
fn complete(
    path: &Path,
    (format, mut parsed): (Format, Parsed),
    options: &LoadOptions,
) -> Result<Dataset, DataError> {
    if let Some(file) = &options.examples {
        let (_, others) = read(file, None, options)?;
        parsed.examples = others.examples;
        parsed.examples.extend(others.questions);
    }
    // The paper drops its examples by id and nothing else, and so do its figures.
    if format != Format::Paper || options.examples.is_some() {
        let shown: HashSet<_> = parsed
            .examples
            .iter()
            .map(Question::content_digest)
            .collect();
        parsed
            .questions
            .retain(|question| !shown.contains(&question.content_digest()));
    }
    assemble(path, &path.display().to_string(), parsed, options)
}

/// Sets examples aside where there are none yet, and adds the abstention options.
pub(crate) fn assemble(
    path: &Path,
    source: &str,
    parsed: Parsed,
    options: &LoadOptions,
) -> Result<Dataset, DataError> {
    let Parsed {
        mut questions,
        mut examples,
    } = parsed;
    if examples.is_empty() {
        let wanted = options.task.shots.max(LEAST_SET_ASIDE);
        (questions, examples) = examples::set_aside(questions, wanted, options.seed);
    }
    if questions.is_empty() {
        return Err(DataError::of_file(path, Problem::NothingToAsk));
    }
    if options.abstention {
        questions = with_abstention(path, questions)?;
        examples = with_abstention(path, examples)?;
    }
    Ok(Dataset {
        task: options.task.clone(),
        source: source.to_owned(),
        questions,
        examples,
    })
}

fn with_abstention(path: &Path, questions: Vec<Question>) -> Result<Vec<Question>, DataError> {
    questions
        .into_iter()
        .map(|question| {
            let own = [question.dont_know(), question.none_of_the_above()];
            let added = own.iter().filter(|index| index.is_none()).count();
            let count = question.options.len();
            if count + added > MAX_OPTIONS {
                return Err(DataError {
                    field: Some(format!("options of question {}", question.id)),
                    ..DataError::of_file(path, Problem::NoRoomForAbstention(count))
                });
            }
            Ok(question.with_abstention())
        })
        .collect()
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
        return Ok((format, mmlu::read(path, options.seed)?));
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
        Format::Mmlu => mmlu::file(source),
        Format::CosmosQaCsv => cosmosqa::csv(source),
        Format::CosmosQaJsonl => cosmosqa::jsonl(source),
        Format::HellaSwag => hellaswag::read(source),
        Format::HaluEvalDialogue => halueval::dialogue(source, options.seed),
        Format::HaluEvalSummarization => halueval::summarization(source, options.seed),
        Format::Paper => paper::read(source, &options.task),
        Format::Jsonl => generic::jsonl(source),
        Format::Csv => generic::csv(source),
    }
}
