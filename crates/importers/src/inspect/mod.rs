//! Logs of `inspect_ai`: `.eval`, a zip archive with a member per sample, or one `.json`.
//!
//! The layout is that of `inspect_ai.log.EvalLog` in versions 1 to 3 of its schema. A sample has
//! `choices`, a `target` letter and an `output` whose tokens come with `top_logprobs`. The
//! options' log-probabilities are those of the letters at the answer's token: the one that the log's
//! scorer found, or else the one after the last `ANSWER:`, which the solver `multiple_choice`
//! requests, or a letter that is the whole answer.

mod archive;
mod copies;
mod log;
mod questions;
mod sample;
mod verdict;

use std::collections::HashMap;
use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use sureness_scorers::ScoreError;

use crate::choice::{Choice, left_out};
use crate::error::{Fault, printable};
use crate::imported::{AccuracyCheck, Imported, ImportedRow, SourceFile};
use crate::json;
use crate::read;
use crate::{Format, ImportError, Place, Problem};
pub(crate) use copies::fullest;
use log::{Identity, Log};
pub use questions::{is_archive, questions_of};
use sample::{Order, Read as ReadSample, Sample, UNKNOWN_ORDER};

/// A log as an import.
pub(crate) struct LogImport {
    pub(crate) path: PathBuf,
    pub(crate) imported: Imported,
    identity: Identity,
}

/// Imports one log; `None` if its task is not chosen.
pub(crate) fn import(path: &Path, choice: &Choice<'_>) -> Result<Option<LogImport>, ImportError> {
    let failed = |error| Problem::Io(error).of(path);
    let mut file = File::open(path).map_err(failed)?;
    let mut magic = [0; 2];
    let is_archive = file.read_exact(&mut magic).is_ok() && magic == *b"PK";
    if !is_archive {
        let bytes = read::whole(path).map_err(|problem| problem.of(path))?;
        return import_bytes(path, bytes, choice);
    }
    file.rewind().map_err(failed)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(&mut file).map_err(failed)?;
    file.rewind().map_err(failed)?;
    of_archive(path, file, &hasher.finalize(), choice)
}

/// Imports a log that is in memory.
pub(crate) fn import_bytes(
    path: &Path,
    bytes: Vec<u8>,
    choice: &Choice<'_>,
) -> Result<Option<LogImport>, ImportError> {
    let digest = blake3::hash(&bytes);
    if bytes.starts_with(b"PK") {
        return of_archive(path, Cursor::new(bytes), &digest, choice);
    }
    let mut log: Log = json::parse(&bytes).map_err(|problem| problem.of(path))?;
    let samples = log.samples.take().unwrap_or_default();
    let Some(mut reading) = Reading::new(path, log, &digest, choice)? else {
        return Ok(None);
    };
    for sample in samples {
        reading.add(&sample, None)?;
    }
    reading.finish().map(Some)
}

fn of_archive(
    path: &Path,
    file: impl Read + Seek,
    digest: &blake3::Hash,
    choice: &Choice<'_>,
) -> Result<Option<LogImport>, ImportError> {
    let mut archive = archive::Archive::open(file).map_err(|problem| problem.of(path))?;
    let log: Log = archive.header(path)?;
    let Some(mut reading) = Reading::new(path, log, digest, choice)? else {
        return Ok(None);
    };
    for name in archive.samples() {
        let at = |problem: Problem| problem.at(path, Place::Sample(printable(&name)));
        let bytes = archive.member(&name).map_err(at)?;
        let sample: Sample = json::parse(&bytes).map_err(at)?;
        reading.add(&sample, Some(&name))?;
    }
    reading.finish().map(Some)
}

/// A log that is being read, sample by sample.
struct Reading<'a> {
    path: &'a Path,
    choice: &'a Choice<'a>,
    log: Log,
    imported: Imported,
    /// Row index and epoch of each id.
    seen: HashMap<String, (usize, u64)>,
    /// The samples so far, one per question.
    reads: Vec<ReadSample>,
    /// The scorers in the order of the evaluation.
    scorers: Vec<String>,
    /// Number of rows whose letter comes after the first token.
    later: usize,
    other_epochs: usize,
    dropped: usize,
}

impl<'a> Reading<'a> {
    /// `None` if the log's task is not chosen.
    fn new(
        path: &'a Path,
        log: Log,
        digest: &blake3::Hash,
        choice: &'a Choice<'a>,
    ) -> Result<Option<Self>, ImportError> {
        let task = log.task();
        let bare = task.rsplit('/').next().unwrap_or_default();
        if !choice.wants(&[&task, bare]) {
            return Ok(None);
        }
        log.check()
            .map_err(|fault: Fault| fault.at(path, Place::File))?;
        let scorers = log.scorers();
        let imported = Imported {
            files: vec![SourceFile::new(path, digest)],
            settings: log.settings(),
            notes: log.notes(),
            ..Imported::empty(log.model(), log.task(), log.strategy(), Format::Inspect)
        };
        Ok(Some(Self {
            path,
            choice,
            log,
            imported,
            seen: HashMap::new(),
            reads: Vec::new(),
            scorers,
            later: 0,
            other_epochs: 0,
            dropped: 0,
        }))
    }

    /// Adds a sample; `member` is its name in the archive.
    fn add(&mut self, sample: &Sample, member: Option<&str>) -> Result<(), ImportError> {
        let number = self.reads.len() + 1;
        let place = || match (member, json::id(&sample.id, "id")) {
            (Some(name), _) => Place::Sample(printable(name)),
            (None, Ok(id)) => Place::Sample(printable(&id)),
            (None, Err(_)) => Place::Sample(format!("number {number}")),
        };
        if let Ok(id) = json::id(&sample.id, "id")
            && self.choice.drops(&[&id])
        {
            self.dropped += 1;
            return Ok(());
        }
        let read = sample.read(&self.scorers);
        let read = read.map_err(|fault| fault.at(self.path, place()))?;
        let id = &read.row.question.id;
        let epoch = sample.epoch.unwrap_or(1);
        if let Some((at, first)) = self.seen.get_mut(id) {
            if *first == epoch {
                let id = printable(id);
                let first = format!("an earlier sample of epoch {epoch}");
                let problem = Problem::RepeatedId { id, first };
                return Err(problem.field("id").at(self.path, place()));
            }
            self.other_epochs += 1;
            // Keep the first epoch, in any order.
            if epoch < *first
                && let Some(old) = self.reads.get_mut(*at)
            {
                (*old, *first) = (read, epoch);
            }
            return Ok(());
        }
        self.seen.insert(id.clone(), (self.reads.len(), epoch));
        self.reads.push(read);
        Ok(())
    }

    /// Takes away the scores of rows whose options may have been shuffled. One sample that shows it
    /// speaks for all that do not tell their order.
    fn refuse_unknown_orders(&mut self) {
        let is_unknown = |read: &ReadSample| read.order == Order::Unknown;
        if !self.log.shuffles() && !self.reads.iter().any(is_unknown) {
            return;
        }
        for read in &mut self.reads {
            if read.order != Order::Told && read.row.scores.is_ok() {
                let message = UNKNOWN_ORDER.to_owned();
                read.row.scores = Err(ScoreError::Malformed { message });
            }
        }
    }

    /// Lets the messages before the questions tell them apart, such as passages. Those that all samples
    /// share are instructions.
    fn add_earlier_messages(&mut self) {
        let mut earlier = self.reads.iter().map(|read| read.with_earlier.0);
        let first = earlier.next();
        if !earlier.any(|other| Some(other) != first) {
            return;
        }
        for ReadSample {
            row, with_earlier, ..
        } in &mut self.reads
        {
            (row.question.content, row.question.cluster) =
                (with_earlier.1.content, with_earlier.1.cluster);
        }
    }

    fn finish(mut self) -> Result<LogImport, ImportError> {
        self.refuse_unknown_orders();
        self.add_earlier_messages();
        self.later = self.reads.iter().filter(|read| read.later).count();
        self.imported.rows = self.reads.iter().map(|read| read.row.clone()).collect();
        let rows = &self.imported.rows;
        if rows.is_empty() {
            return Err(Problem::Empty.of(self.path));
        }
        let shuffled = |row: &ImportedRow| matches!(&row.scores, Err(ScoreError::Malformed { message }) if message == UNKNOWN_ORDER);
        if rows.iter().all(shuffled) {
            return Err(Problem::Shuffled.of(self.path));
        }
        let without = |row: &ImportedRow| matches!(row.scores, Err(ScoreError::NoLogprobs));
        if rows.iter().all(without) {
            let field = "output.choices.logprobs";
            return Err(Problem::NoLogprobs.field(field).at(self.path, Place::File));
        }
        self.imported.check = self.check();
        let count = rows.len();
        let all = self.log.samples_of_data();
        self.imported.planned = all.filter(|all| *all > count + self.dropped);
        if let Some(all) = self.imported.planned {
            let note = format!("the log has {count} of the {all} samples of its data set");
            self.imported.notes.push(note);
        }
        self.imported.notes.extend(left_out(self.dropped));
        if self.other_epochs > 0 {
            let others = self.other_epochs;
            let samples = if others == 1 { "sample" } else { "samples" };
            let note = format!("skipped {others} {samples} of later epochs");
            self.imported.notes.push(note);
        }
        if self.later > 0 {
            self.imported.notes.push(format!(
                "in {} of {count} samples the letter follows other text, which its probabilities depend on",
                self.later
            ));
        }
        Ok(LogImport {
            path: self.path.to_owned(),
            imported: self.imported,
            identity: self.log.identity(),
        })
    }

    /// Our accuracy of the answered rows beside that of the scorer.
    fn check(&self) -> Option<AccuracyCheck> {
        let ours = self.imported.accuracy()?;
        let (mut known, mut right) = (0_usize, 0_usize);
        let mut first_difference = None;
        let mut judges = Vec::new();
        for ReadSample {
            row,
            correct,
            scorer,
            ..
        } in &self.reads
        {
            judges.extend(scorer.as_deref());
            let (Ok(scores), Some(correct)) = (&row.scores, *correct) else {
                continue;
            };
            known += 1;
            right += usize::from(correct);
            if row.question.right.contains(scores.top()) != correct && first_difference.is_none() {
                first_difference = Some(row.question.id.clone());
            }
        }
        let answered = self.imported.answered();
        // Verdicts of several scorers have no figure in common.
        judges.dedup();
        let stated = match judges.as_slice() {
            [_, _, ..] => None,
            one => self.log.accuracy(one.first().copied()),
        };
        // The log's own figure counts unanswered samples as wrong, and every epoch.
        let theirs = match stated {
            Some(stated)
                if answered == self.imported.rows.len()
                    && self.other_epochs + self.dropped == 0 =>
            {
                stated
            }
            _ if known == answered => right as f64 / known as f64,
            _ => return None,
        };
        Some(AccuracyCheck {
            ours,
            theirs,
            metric: "accuracy".to_owned(),
            first_difference,
        })
    }
}
