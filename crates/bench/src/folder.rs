//! The output folder, checked before the first question.
//!
//! Each command's results have files of their own, `results-3.json` and `results-3.csv` after the
//! number of their first run, so that no other command in the folder replaces them. `results.json`
//! and `results.csv` are copies of the newest, not links: copies exist on every file system and
//! survive archives and uploads.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sureness_analysis::settled::Settled;
use sureness_record::Provenance;
use sureness_report::export::write_whole;
use sureness_report::{CutPrompts, Results};

use crate::error::Failure;

/// The store's name in an output folder.
pub const STORE: &str = "sureness.sqlite";

/// Upper estimate of an answer's size in the store; about 300 bytes are typical.
const BYTES_PER_QUESTION: u64 = 1_000;
/// Fixed size of a run.
const MIN_BYTES: u64 = 4 << 20;

/// The output folder's files.
#[derive(Debug, Clone)]
pub struct Folder {
    /// Answers and runs.
    pub store: PathBuf,
    /// All figures of the newest command.
    pub json: PathBuf,
    /// One row per (model, task, strategy) of the newest command.
    pub csv: PathBuf,
}

/// The parts of a results file that tell whose it is.
#[derive(Deserialize)]
pub(crate) struct Head {
    #[serde(default)]
    provenance: Option<Provenance>,
    models: Vec<HeadModel>,
    #[serde(default)]
    settled: Option<Settled>,
}

#[derive(Deserialize)]
struct HeadModel {
    run: i64,
    #[serde(default)]
    groups: Vec<HeadGroup>,
}

#[derive(Deserialize)]
struct HeadGroup {
    task: String,
    strategy: String,
    cut_prompts: Option<CutPrompts>,
}

/// Creates the folder and checks that it is writable and has room for the answers to `questions`.
pub fn prepare(folder: &Path, questions: usize) -> Result<Folder, Failure> {
    let refuse = |verb: &str, e: &dyn std::fmt::Display| {
        Failure::new(format!(
            "cannot {verb} the output folder {}: {e}",
            folder.display()
        ))
        .hint("choose a writable folder with --output-dir")
    };
    std::fs::create_dir_all(folder).map_err(|e| refuse("create", &e))?;
    // Creating an empty file can succeed on a full disk, so write some bytes.
    let trial = folder.join(".sureness-write-test");
    let written = std::fs::write(&trial, [0; 4096]);
    let _ = std::fs::remove_file(&trial);
    written.map_err(|e| refuse("write to", &e))?;
    let needed = MIN_BYTES + questions as u64 * BYTES_PER_QUESTION;
    if let Ok(free) = fs4::available_space(folder)
        && free < needed
    {
        return Err(Failure::new(format!(
            "the disk under {} is nearly full: {} MB free, this run may need {} MB",
            folder.display(),
            free / 1_000_000,
            needed / 1_000_000
        ))
        .hint("free some space, or choose a folder on another disk with --output-dir"));
    }
    Ok(Folder {
        store: folder.join(STORE),
        json: folder.join("results.json"),
        csv: folder.join("results.csv"),
    })
}

impl Folder {
    /// Refuses a folder whose `results.json` is another program's: the results would replace it.
    pub(crate) fn check_results(&self) -> Result<(), Failure> {
        if !self.json.exists() || head(&self.json).is_some() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "{} does not hold results of sureness, and the results would replace it",
            self.json.display()
        ))
        .hint("choose another folder with --output-dir, or move the file"))
    }

    /// Writes the results, each file atomically: those of run `run`, then the copies that are the
    /// newest. Fails with the path that cannot be written.
    pub(crate) fn save(
        &self,
        run: Option<i64>,
        json: &[u8],
        csv: &[u8],
    ) -> Result<(), (PathBuf, io::Error)> {
        self.keep_earlier()?;
        let copies = [(&self.json, json), (&self.csv, csv)];
        for (path, content) in copies {
            if let Some(run) = run {
                write(&numbered(path, run), content)?;
            }
        }
        for (path, content) in copies {
            write(path, content)?;
        }
        Ok(())
    }

    /// Copies the results of version 0.1.0, which has no file per run, to files of their own.
    fn keep_earlier(&self) -> Result<(), (PathBuf, io::Error)> {
        let run = head(&self.json).and_then(|head| Some(head.models.first()?.run));
        let Some(run) = run.filter(|&run| !numbered(&self.json, run).exists()) else {
            return Ok(());
        };
        for path in [&self.json, &self.csv] {
            if path.exists() {
                let content = std::fs::read(path).map_err(|e| (path.clone(), e))?;
                write(&numbered(path, run), &content)?;
            }
        }
        Ok(())
    }
}

fn write(path: &Path, content: &[u8]) -> Result<(), (PathBuf, io::Error)> {
    write_whole(path, content).map_err(|e| (path.to_owned(), e))
}

/// `results-3.json` for `results.json` and run 3.
fn numbered(path: &Path, run: i64) -> PathBuf {
    let part = |part: Option<&OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let (stem, extension) = (part(path.file_stem()), part(path.extension()));
    path.with_file_name(format!("{stem}-{run}.{extension}"))
}

fn head(path: &Path) -> Option<Head> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// The results files beside a store.
pub(crate) struct ResultsFiles(Vec<(PathBuf, Head)>);

impl ResultsFiles {
    /// Those that can be read; none if the folder cannot be.
    pub(crate) fn beside(store: &Path) -> Self {
        let entries = store.parent().and_then(|folder| {
            let folder = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            };
            folder.read_dir().ok()
        });
        let entries = entries.into_iter().flatten().flatten();
        let is_results = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("results") && name.ends_with(".json")
        };
        let paths = entries.map(|entry| entry.path()).filter(is_results);
        let mut files: Vec<_> = paths
            .filter_map(|path| head(&path).map(|head| (path, head)))
            .collect();
        // The newest first, and files of one run before their copies.
        files.sort_by(|(one, a), (other, b)| {
            let date = |head: &Head| head.provenance.as_ref().map(|p| p.date.clone());
            date(b).cmp(&date(a)).then_with(|| one.cmp(other))
        });
        Self(files)
    }

    /// What showed that the server cut prompts of this run in a task and strategy. The store does not
    /// know.
    pub(crate) fn cut_prompts(&self, run: i64, task: &str, strategy: &str) -> Option<CutPrompts> {
        let groups = self.newest(run)?.1.models.iter();
        let groups = groups
            .filter(|model| model.run == run)
            .flat_map(|model| &model.groups);
        let mut groups = groups.filter(|it| it.task == task && it.strategy == strategy);
        groups.find_map(|group| group.cut_prompts)
    }

    /// What this run has shown, if it stopped early.
    pub(crate) fn settled(&self, run: i64) -> Option<&Settled> {
        self.newest(run)?.1.settled.as_ref()
    }

    /// The newest file with figures of this run, and its provenance if it has one.
    pub(crate) fn of(&self, run: i64) -> Option<(&Path, Option<&Provenance>)> {
        let (path, head) = self.newest(run)?;
        Some((path, head.provenance.as_ref()))
    }

    /// The newest results with figures of this run, read whole; `None` without any that can be read.
    pub(crate) fn results(&self, run: i64) -> Option<Results> {
        let content = std::fs::read(&self.newest(run)?.0).ok()?;
        serde_json::from_slice(&content).ok()
    }

    fn newest(&self, run: i64) -> Option<&(PathBuf, Head)> {
        let has = |head: &Head| head.models.iter().any(|model| model.run == run);
        self.0.iter().find(|(_, head)| has(head))
    }
}

/// The store at a path, which is a store itself or an output folder.
pub fn store_in(path: &Path) -> PathBuf {
    if path.is_dir() {
        path.join(STORE)
    } else {
        path.to_owned()
    }
}
