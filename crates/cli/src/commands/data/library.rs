//! Imported questions: where they lie and where they came from.
//!
//! A task's questions are one generic JSONL file, few-shot examples marked as such, beside a small
//! JSON file that says where they came from. The questions were checked by their own layout's
//! reader; here the file is held to the checksum that was taken then.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, BufWriter, ErrorKind, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sureness_questions::{Bank, ClusterBy, Dataset, Format, MAX_OPTIONS, Question, Task, label};

use super::choice::is_task_id;
use crate::error::CliError;
use crate::folders;

/// The version of both files.
const VERSION: u32 = 1;

/// Where an imported task came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    version: u32,
    /// The task the questions belong to.
    pub(crate) task: Task,
    /// Name of the file or folder that was imported, without its path.
    pub(crate) source: String,
    /// Name of the file or folder of few-shot examples, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) examples_source: Option<String>,
    /// Name of the layout it was in.
    pub(crate) format: String,
    /// Day of the import (UTC), as `2025-01-31`.
    pub(crate) imported: String,
    /// Questions to ask.
    pub(crate) questions: usize,
    /// Few-shot examples.
    pub(crate) examples: usize,
    /// BLAKE3 of the source: of the file, or of all CSV files of a folder.
    pub(crate) source_blake3: String,
    /// BLAKE3 of the questions as stored.
    stored_blake3: String,
}

/// What an import found out about its source.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) examples_name: Option<String>,
    pub(crate) format: Format,
    pub(crate) imported: String,
    pub(crate) blake3: String,
}

/// One line of a stored file; `sureness data check` reads the same layout.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<String>,
    question: String,
    options: Vec<String>,
    answer: char,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    example: bool,
}

impl Row {
    fn new(question: &Question, example: bool) -> Self {
        let Question {
            id,
            category,
            context,
            stem,
            options,
            answer,
        } = question.clone();
        Self {
            id,
            category,
            context,
            question: stem,
            options,
            answer: label(answer),
            example,
        }
    }

    fn into_question(self) -> Option<Question> {
        let answer = (0..self.options.len().min(MAX_OPTIONS)).find(|i| label(*i) == self.answer)?;
        let Self {
            id,
            category,
            context,
            question: stem,
            options,
            ..
        } = self;
        Some(Question {
            id,
            category,
            context,
            stem,
            options,
            answer,
        })
    }
}

/// The folder of imported questions.
#[derive(Debug)]
pub(crate) struct Library {
    folder: PathBuf,
}

impl Library {
    /// The user's own.
    pub(crate) fn open() -> Result<Self, CliError> {
        Ok(Self {
            folder: folders::data()?.join("data"),
        })
    }

    /// One in any folder.
    #[cfg(test)]
    pub(super) fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Ids of all imported tasks, in alphabetical order.
    pub(crate) fn ids(&self) -> Result<Vec<String>, CliError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(cannot("read", &self.folder, &error)),
        };
        let mut ids: Vec<_> = entries
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                name.strip_suffix(".json")
                    .filter(|id| is_task_id(id))
                    .map(str::to_owned)
            })
            .collect();
        ids.sort();
        Ok(ids)
    }

    /// Where a task came from; `None` where it was not imported.
    pub(crate) fn origin(&self, id: &str) -> Result<Option<Origin>, CliError> {
        let path = self.origin_path(id);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(cannot("read", &path, &error)),
        };
        let origin: Origin = serde_json::from_slice(&text)
            .map_err(|error| damaged(id, &path, &format!("cannot be read: {error}")))?;
        if origin.version != VERSION || origin.task.id != id {
            return Err(damaged(
                id,
                &path,
                "was written by another version or for another task",
            ));
        }
        Ok(Some(origin))
    }

    /// The questions of an imported task, with abstention options where they are asked for.
    pub(super) fn dataset(
        &self,
        origin: Origin,
        abstention: bool,
        cluster: &ClusterBy,
    ) -> Result<Dataset, CliError> {
        let id = &origin.task.id;
        let path = self.questions_path(id);
        let unreadable = |error| damaged(id, &path, &format!("cannot be read: {error}"));
        let mut hasher = blake3::Hasher::new();
        let mut file = File::open(&path).map_err(unreadable)?;
        hasher.update_reader(&mut file).map_err(unreadable)?;
        if hasher.finalize().to_hex().as_str() != origin.stored_blake3 {
            return Err(damaged(id, &path, "has changed since it was imported"));
        }
        file.rewind().map_err(unreadable)?;
        let (mut questions, mut examples) = (Bank::default(), Vec::new());
        for (index, line) in BufReader::new(file).split(b'\n').enumerate() {
            let row: Option<Row> = serde_json::from_slice(&line.map_err(unreadable)?).ok();
            let (example, mut question) = row
                .and_then(|row| Some((row.example, row.into_question()?)))
                .ok_or_else(|| {
                    damaged(id, &path, &format!("has no question on line {}", index + 1))
                })?;
            if abstention {
                question = with_abstention(id, question)?;
            }
            if example {
                examples.push(question);
            } else {
                let cluster = cluster
                    .digest(&question)
                    .ok_or_else(|| no_cluster(id, cluster, &question))?;
                let kept = questions.push_into(&question, cluster);
                kept.map_err(|error| no_room(&error))?;
            }
        }
        let source = format!("{}, imported {}", origin.source, origin.imported);
        Ok(Dataset {
            task: origin.task,
            source,
            questions,
            examples,
        })
    }

    /// Stores a data set in place of the task's former one. Returns what it replaced.
    pub(crate) fn store(
        &self,
        dataset: &Dataset,
        source: Source,
    ) -> Result<Option<Origin>, CliError> {
        fs::create_dir_all(&self.folder)
            .map_err(|error| cannot("write to", &self.folder, &error))?;
        let path = self.questions_path(&dataset.task.id);
        let mut file = NewFile::beside(&path)?;
        // Examples from another file may bear the questions' ids; in one file each is unique.
        let mut taken = HashSet::new();
        for question in dataset.questions.iter() {
            let id = question.map_err(|error| no_room(&error))?.id;
            if dataset.examples.iter().any(|e| id.ends_with(&e.id)) {
                taken.insert(id);
            }
        }
        for example in &dataset.examples {
            let mut row = Row::new(example, true);
            while !taken.insert(row.id.clone()) {
                row.id.insert_str(0, "example/");
            }
            file.add(&row)?;
        }
        for question in dataset.questions.iter() {
            let question = question.map_err(|error| no_room(&error))?;
            file.add(&Row::new(&question, false))?;
        }
        let origin = Origin {
            version: VERSION,
            task: dataset.task.clone(),
            source: source.name,
            examples_source: source.examples_name,
            format: source.format.name().to_owned(),
            imported: source.imported,
            questions: dataset.questions.len(),
            examples: dataset.examples.len(),
            source_blake3: source.blake3,
            stored_blake3: file.digest(),
        };
        // A former import that cannot be read is no reason not to replace it.
        let former = self.origin(&dataset.task.id).ok().flatten();
        let path = self.origin_path(&dataset.task.id);
        let mut description = NewFile::beside(&path)?;
        description.add(&origin)?;
        file.finish()?;
        description.finish()?;
        Ok(former)
    }

    /// Removes an imported task; `false` where there was none.
    pub(crate) fn remove(&self, id: &str) -> Result<bool, CliError> {
        let mut found = false;
        // The description first: without it the questions are not used.
        for path in [self.origin_path(id), self.questions_path(id)] {
            match fs::remove_file(&path) {
                Ok(()) => found = true,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(cannot("remove", &path, &error)),
            }
        }
        Ok(found)
    }

    fn questions_path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.jsonl"))
    }

    fn origin_path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }
}

/// A file of JSON lines that is written whole or not at all.
struct NewFile<'a> {
    path: &'a Path,
    file: BufWriter<tempfile::NamedTempFile>,
    hasher: blake3::Hasher,
}

impl<'a> NewFile<'a> {
    /// Begins the file that will be at `path`.
    fn beside(path: &'a Path) -> Result<Self, CliError> {
        #[cfg_attr(not(unix), expect(unused_mut))]
        let mut builder = tempfile::Builder::new();
        // Temporary files are private by default; this one is to become like any other.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let folder = path.parent().unwrap_or(path);
        let file = builder.tempfile_in(folder);
        Ok(Self {
            path,
            file: BufWriter::new(file.map_err(|error| cannot("write to", path, &error))?),
            hasher: blake3::Hasher::new(),
        })
    }

    /// Adds a line.
    fn add(&mut self, value: &impl Serialize) -> Result<(), CliError> {
        let mut line = serde_json::to_vec(value)
            .map_err(|error| CliError::input(format_args!("cannot be written as JSON: {error}")))?;
        line.push(b'\n');
        self.hasher.update(&line);
        let written = self.file.write_all(&line);
        written.map_err(|error| cannot("write to", self.path, &error))
    }

    /// BLAKE3 of what was added.
    fn digest(&self) -> String {
        self.hasher.finalize().to_hex().to_string()
    }

    /// Puts the file in its place.
    fn finish(self) -> Result<(), CliError> {
        let put = || {
            let file = self
                .file
                .into_inner()
                .map_err(std::io::IntoInnerError::into_error)?;
            file.as_file().sync_all()?;
            file.persist(self.path).map_err(|error| error.error)?;
            std::io::Result::Ok(())
        };
        put().map_err(|error| cannot("write to", self.path, &error))
    }
}

/// An imported question does not tell what cluster it is in.
fn no_cluster(id: &str, cluster: &ClusterBy, question: &Question) -> CliError {
    if *cluster == ClusterBy::Category {
        let text = format_args!("task {id}: question {} has no category", question.id);
        return CliError::input(text).hint("choose --cluster none, or leave --cluster out");
    }
    CliError::input(format_args!(
        "task {id}: an import keeps no column {:?}; its columns are id, category, context, question, \
         options and answer",
        cluster.name()
    ))
    .hint(format_args!(
        "name the file that has it with --data {id}=PATH, or choose --cluster category"
    ))
}

fn with_abstention(task: &str, question: Question) -> Result<Question, CliError> {
    if question.has_room_for_abstention() {
        return Ok(question.with_abstention());
    }
    Err(CliError::input(format_args!(
        "task {task}, question {}: {} options leave no letters for the two abstention options",
        question.id,
        question.options.len()
    ))
    .hint("turn the abstention options off, or keep to 24 options"))
}

/// The temporary file that holds the questions failed.
fn no_room(error: &std::io::Error) -> CliError {
    CliError::input(format_args!(
        "the questions cannot be kept in a temporary file: {error}"
    ))
    .hint("free some space in the folder for temporary files, or name another one in TMPDIR")
}

fn cannot(act: &str, path: &Path, error: &std::io::Error) -> CliError {
    CliError::input(format_args!(
        "cannot {act} {}: {error}",
        folders::display(path)
    ))
    .hint("check permissions and free space, or set SURENESS_HOME to another folder")
}

fn damaged(id: &str, path: &Path, problem: &str) -> CliError {
    CliError::input(format_args!("{} {problem}", folders::display(path))).hint(format_args!(
        "import task {id} again, or go without: sureness data import --remove {id}"
    ))
}
