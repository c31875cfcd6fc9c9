//! The library of imported questions.
//!
//! Each task has a JSONL file of questions and few-shot examples, and a small JSON file that records
//! their origin. An import validates the questions once; later reads verify the file's checksum.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, ErrorKind, Seek as _, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sureness_questions::{
    Bank, ClusterBy, Dataset, Format, Question, RightOptions, Task, Unread, letter, letter_index,
};
use sureness_report::export::{write_whole, write_whole_with};

use super::names::is_task_id;
use super::place::Place;
use crate::error::Failure;
use crate::user_folders;

/// The version of both files.
const VERSION: u32 = 1;

/// The origin of an imported task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    version: u32,
    /// The task the questions belong to.
    pub task: Task,
    /// Name of the file or folder that was imported, without its path.
    pub source: String,
    /// Name of the file or folder of few-shot examples, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub examples_source: Option<String>,
    /// Name of its layout.
    pub format: String,
    /// Day of the import (UTC), as `2025-01-31`.
    pub imported: String,
    /// Questions to ask.
    pub questions: usize,
    /// Few-shot examples.
    pub examples: usize,
    /// BLAKE3 of the source: of the file, or of all files of the data set.
    pub source_blake3: String,
    /// BLAKE3 of the questions as stored.
    stored_blake3: String,
}

/// The source files of an import.
#[derive(Debug)]
pub(super) struct ImportSource {
    pub(super) name: String,
    pub(super) examples_name: Option<String>,
    pub(super) format: Format,
    pub(super) blake3: String,
}

/// The letter of the right option, or a list of several.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Letters {
    One(char),
    Several(Vec<char>),
}

impl From<RightOptions> for Letters {
    fn from(right: RightOptions) -> Self {
        match right.only() {
            Some(only) => Self::One(letter(only)),
            None => Self::Several(right.iter().map(letter).collect()),
        }
    }
}

impl Letters {
    fn right(&self) -> Option<RightOptions> {
        let letters = match self {
            Self::One(letter) => std::slice::from_ref(letter),
            Self::Several(letters) => letters,
        };
        let place = |letter: &char| letter_index(letter.encode_utf8(&mut [0; 4]));
        RightOptions::of(letters.iter().map(place).collect::<Option<Vec<_>>>()?)
    }
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
    answer: Letters,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    accepted: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    example: bool,
}

impl Row {
    fn new(question: &Question, example: bool) -> Self {
        Self {
            id: question.id.clone(),
            category: question.category.clone(),
            context: question.context.clone(),
            question: question.stem.clone(),
            options: question.options.clone(),
            answer: question.right.into(),
            accepted: question.accepted.clone(),
            example,
        }
    }

    fn into_question(self) -> Option<Question> {
        let right = self.answer.right()?;
        let is_sound = right.last() < self.options.len() || !self.accepted.is_empty();
        is_sound.then_some(Question {
            accepted: self.accepted,
            id: self.id,
            category: self.category,
            context: self.context,
            stem: self.question,
            options: self.options,
            right,
        })
    }
}

/// The folder of imported questions.
#[derive(Debug)]
pub struct Library {
    folder: PathBuf,
}

impl Library {
    /// The user's library.
    pub fn open() -> Result<Self, Failure> {
        Ok(Self {
            folder: user_folders::data()?.join("data"),
        })
    }

    /// A library in any folder.
    #[cfg(test)]
    pub(crate) fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Ids of all imported tasks, in alphabetical order.
    pub fn ids(&self) -> Result<Vec<String>, Failure> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_failure("read", &self.folder, &error)),
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

    /// The origin of a task; `None` if it was not imported.
    pub fn origin(&self, id: &str) -> Result<Option<Origin>, Failure> {
        let path = self.origin_path(id);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_failure("read", &path, &error)),
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

    /// The data set of an imported task, with abstention options if `abstention`.
    pub(super) fn dataset(
        &self,
        origin: Origin,
        abstention: bool,
        cluster: &ClusterBy,
    ) -> Result<Dataset, Failure> {
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
        let own_abstention =
            Format::by_name(&origin.format).is_some_and(Format::has_own_abstention);
        let (mut questions, mut examples) = (Bank::default(), Vec::new());
        for (index, line) in BufReader::new(file).split(b'\n').enumerate() {
            let row: Option<Row> = serde_json::from_slice(&line.map_err(unreadable)?).ok();
            let (example, mut question) = row
                .and_then(|row| Some((row.example, row.into_question()?)))
                .ok_or_else(|| {
                    damaged(id, &path, &format!("has no question on line {}", index + 1))
                })?;
            if abstention && !own_abstention {
                question = with_abstention(id, question)?;
            }
            if example {
                examples.push(question);
            } else {
                let cluster = cluster
                    .digest(&question)
                    .ok_or_else(|| no_cluster(id, cluster, &question))?;
                let kept = questions.push_into(&question, cluster);
                kept.map_err(|error| bank_failure(&error))?;
            }
        }
        let source = format!("{}, imported {}", origin.source, origin.imported);
        Ok(Dataset {
            task: origin.task,
            source,
            questions,
            examples,
            split: None,
            // The import named them.
            unread: Unread::default(),
            left_out: 0,
            unshown: 0,
        })
    }

    /// Stores a data set that was read from this place; returns the origin of the replaced one.
    pub fn import(
        &self,
        dataset: &Dataset,
        place: &Place,
        examples: Option<&Path>,
        format: Format,
    ) -> Result<Option<Origin>, Failure> {
        let blake3 = match &place.fetched {
            None => digest_of(&place.path, format)?,
            Some(files) => {
                let mut all: Vec<&PathBuf> =
                    files.questions.iter().chain(&files.examples).collect();
                all.sort();
                // The folders in front are those of this machine's cache.
                let named = all.into_iter().map(|file| (file_name(file), file));
                hash(named).map_err(|error| unreadable(&place.path, &error))?
            }
        };
        let source = ImportSource {
            name: place.name(),
            examples_name: examples.map(file_name),
            format,
            blake3,
        };
        self.store(dataset, source)
    }

    pub(super) fn store(
        &self,
        dataset: &Dataset,
        source: ImportSource,
    ) -> Result<Option<Origin>, Failure> {
        // An unreadable former import is replaced as well.
        let former = self.origin(&dataset.task.id).ok().flatten();
        let path = self.questions_path(&dataset.task.id);
        let mut hasher = blake3::Hasher::new();
        write_whole_with(&path, |file| write_rows(dataset, file, &mut hasher))
            .map_err(|error| io_failure("write to", &path, &error))?;
        let origin = Origin {
            version: VERSION,
            task: dataset.task.clone(),
            source: source.name,
            examples_source: source.examples_name,
            format: source.format.name().to_owned(),
            imported: today(),
            questions: dataset.questions.len(),
            examples: dataset.examples.len(),
            source_blake3: source.blake3,
            stored_blake3: hasher.finalize().to_hex().to_string(),
        };
        let path = self.origin_path(&dataset.task.id);
        serde_json::to_vec(&origin)
            .map_err(std::io::Error::from)
            .and_then(|mut line| {
                line.push(b'\n');
                write_whole(&path, &line)
            })
            .map_err(|error| io_failure("write to", &path, &error))?;
        Ok(former)
    }

    /// Removes an imported task; returns `false` if it was not imported.
    pub fn remove(&self, id: &str) -> Result<bool, Failure> {
        let mut found = false;
        // The origin first: without it the questions are ignored.
        for path in [self.origin_path(id), self.questions_path(id)] {
            match fs::remove_file(&path) {
                Ok(()) => found = true,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(io_failure("remove", &path, &error)),
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

/// Writes and hashes examples and questions as JSON lines.
fn write_rows(
    dataset: &Dataset,
    file: &mut impl Write,
    hasher: &mut blake3::Hasher,
) -> std::io::Result<()> {
    let mut add = |row: &Row| {
        let mut line = serde_json::to_vec(row)?;
        line.push(b'\n');
        hasher.update(&line);
        file.write_all(&line)
    };
    // Examples from another file may repeat ids of questions, which must be unique in one file.
    let mut taken = HashSet::new();
    for question in dataset.questions.iter() {
        let id = question?.id;
        if dataset.examples.iter().any(|e| id.ends_with(&e.id)) {
            taken.insert(id);
        }
    }
    for example in &dataset.examples {
        let mut row = Row::new(example, true);
        while !taken.insert(row.id.clone()) {
            row.id.insert_str(0, "example/");
        }
        add(&row)?;
    }
    for question in dataset.questions.iter() {
        add(&Row::new(&question?, false))?;
    }
    Ok(())
}

/// The failure for an imported question without the column to cluster by.
fn no_cluster(id: &str, cluster: &ClusterBy, question: &Question) -> Failure {
    if *cluster == ClusterBy::Category {
        let text = format_args!("task {id}: question {} has no category", question.id);
        return Failure::new(text).hint("choose --cluster none, or omit --cluster");
    }
    Failure::new(format_args!(
        "task {id}: an import keeps no column {:?}; its columns are id, category, context, question, \
         options and answer",
        cluster.name()
    ))
    .hint(format_args!(
        "name the file that has it with --data {id}=PATH, or choose --cluster category"
    ))
}

fn with_abstention(task: &str, question: Question) -> Result<Question, Failure> {
    if question.has_room_for_abstention() {
        return Ok(question.with_abstention());
    }
    Err(Failure::new(format_args!(
        "task {task}, question {}: {} options leave no letters for the two abstention options",
        question.id,
        question.options.len()
    ))
    .hint("run with --no-abstention, or keep to 24 options"))
}

/// The failure of the temporary file that holds the questions.
fn bank_failure(error: &std::io::Error) -> Failure {
    Failure::new(format_args!(
        "cannot keep the questions in a temporary file: {error}"
    ))
    .hint("free some space in the folder for temporary files, or set TMPDIR to another one")
}

fn io_failure(verb: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format_args!(
        "cannot {verb} {}: {error}",
        user_folders::display(path)
    ))
    .hint("check permissions and free space, or set SURENESS_HOME to another folder")
}

fn damaged(id: &str, path: &Path, problem: &str) -> Failure {
    Failure::new(format_args!("{} {problem}", user_folders::display(path))).hint(format_args!(
        "import task {id} again, or remove it with `sureness data import --remove {id}`"
    ))
}

/// The last component of a path.
pub fn file_name(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let name = absolute.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

/// BLAKE3 of a file, or of the files of a data set with their names, in alphabetical order.
fn digest_of(path: &Path, format: Format) -> Result<String, Failure> {
    let unreadable = |error| unreadable(path, &error);
    let files = if path.is_dir() && format == Format::Mmlu {
        csv_files(path).map_err(unreadable)?
    } else if path.is_file() {
        let mut hasher = blake3::Hasher::new();
        let file = File::open(path).map_err(unreadable)?;
        hasher.update_reader(file).map_err(unreadable)?;
        return Ok(hasher.finalize().to_hex().to_string());
    } else {
        let mut files = sureness_questions::files(path, Some(format))?;
        files.questions.append(&mut files.examples);
        files.questions.sort();
        files.questions
    };
    let named = files.iter().map(|file| {
        let name = file.strip_prefix(path).unwrap_or(file).to_string_lossy();
        (name.into_owned(), file)
    });
    hash(named).map_err(unreadable)
}

/// BLAKE3 of files with their names.
fn hash<'a>(files: impl Iterator<Item = (String, &'a PathBuf)>) -> std::io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    for (name, file) in files {
        let length = fs::metadata(file)?.len();
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update(&length.to_le_bytes());
        hasher.update_reader(File::open(file)?)?;
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format_args!("{} cannot be read: {error}", path.display()))
        .hint("check the path and the permissions")
}

fn csv_files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            files.append(&mut csv_files(&path)?);
        } else if path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("csv"))
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Today's date (UTC) as `2025-01-31`.
pub fn today() -> String {
    jiff::Timestamp::now().strftime("%F").to_string()
}
