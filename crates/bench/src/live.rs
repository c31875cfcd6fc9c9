//! A run as it stands, finished or under way, read from its store.
//!
//! Nothing is written: a reader beside a writer does not disturb it. Figures of a run under way are
//! provisional: they are those of the answers so far, and their intervals hold for a look at the end,
//! not for stopping as soon as they please.

mod bulletin;

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use sureness_analysis::number::counted;
use sureness_questions::Task;
use sureness_report::Results;
use sureness_store::{Reader, RunInfo, Spot, StoredRow};

use crate::budget::Tokens;
use crate::error::Failure;
use crate::evidence::{Texts, add_open_figures, rows_of, store_of};
use crate::figures;
use crate::folder::ResultsFiles;
use crate::provenance::provenance;
use crate::questions::named_task;
use crate::sets::{GroupSets, ShownSets};

pub(crate) use bulletin::Board;
pub use bulletin::{Bulletin, Worker};

/// The kind of failure of questions that were not asked (yet).
pub use crate::figures::NOT_ASKED;

/// One run of a store, open for reading.
#[derive(Debug)]
pub struct LiveRun {
    reader: Reader,
    run: i64,
    file: Option<FileId>,
}

/// How far a run has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Start, in milliseconds since 1970.
    pub started_at: i64,
    /// End, if it finished.
    pub finished_at: Option<i64>,
    /// The newest answer of the store, in milliseconds since 1970.
    pub last_answer_at: Option<i64>,
    /// One entry per (task, strategy), in order.
    pub groups: Vec<GroupProgress>,
    /// Tokens of all answers that the run asked for, in all its parts.
    pub tokens: Tokens,
}

/// How far a (task, strategy) has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupProgress {
    /// Task id.
    pub task: String,
    /// Strategy name.
    pub strategy: String,
    /// Answers planned, given and given up: of one per question, or of all that are drawn.
    pub answers: sureness_store::GroupProgress,
}

impl Progress {
    /// Answers planned, given and given up, over all groups.
    pub fn total(&self) -> sureness_store::GroupProgress {
        let mut total = sureness_store::GroupProgress::default();
        for group in &self.groups {
            total.planned += group.answers.planned;
            total.answered += group.answers.answered;
            total.failed += group.answers.failed;
        }
        total
    }
}

/// A question that was answered lately.
#[derive(Debug, Clone)]
pub struct LatestQuestion {
    /// Task id.
    pub task: String,
    /// Strategy name.
    pub strategy: String,
    /// The question and its scores.
    pub row: StoredRow,
    /// Its probabilities and sets by the thresholds of the answers so far; `None` without scores, or
    /// with too few answers.
    pub sets: Option<ShownSets>,
}

/// Tells one file from another that takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileId(u64, u64);

impl FileId {
    #[cfg(unix)]
    fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let metadata = path.metadata().ok()?;
        Some(Self(metadata.dev(), metadata.ino()))
    }

    #[cfg(not(unix))]
    fn of(path: &Path) -> Option<Self> {
        path.exists().then_some(Self(0, 0))
    }
}

impl LiveRun {
    /// Opens the run with this number of an output folder or store.
    ///
    /// # Errors
    ///
    /// If the store cannot be read, or has no such run.
    pub fn open(folder: &Path, run: i64) -> Result<Self, Failure> {
        let store = store_at(folder)?;
        let file = FileId::of(&store);
        let reader = Reader::open(&store)?;
        let live = Self { reader, run, file };
        live.check()?;
        Ok(live)
    }

    /// The store.
    pub fn store(&self) -> &Path {
        self.reader.path()
    }

    /// What the store records of the run.
    pub fn info(&self) -> Result<RunInfo, Failure> {
        Ok(self.reader.run(self.run)?)
    }

    /// Whether the file that was opened is still in its place.
    pub fn is_in_place(&self) -> bool {
        self.file.is_some() && FileId::of(self.store()) == self.file
    }

    /// Another number after every change of the store.
    pub fn version(&self) -> Result<i64, Failure> {
        Ok(self.reader.data_version()?)
    }

    fn check(&self) -> Result<(), Failure> {
        let runs = self.reader.runs()?;
        if runs.iter().any(|info| info.id == self.run) {
            return Ok(());
        }
        let store = self.store().display();
        Err(Failure::new(format!(
            "{store} has no run {} among {}",
            self.run,
            counted(runs.len(), "run")
        ))
        .hint("`sureness runs DIR` lists the runs of a folder"))
    }

    /// How far the run has come.
    pub fn progress(&self) -> Result<Progress, Failure> {
        let info = self.info()?;
        let [prompt, cached, answer] = self.reader.tokens(self.run)?;
        let counts = self.reader.progress(self.run)?;
        let counts = counts
            .into_iter()
            .chain(std::iter::repeat(sureness_store::GroupProgress::default()));
        let planned: Vec<usize> = info
            .groups
            .iter()
            .map(|(task, _)| planned(&info, task))
            .collect();
        let groups = info.groups.into_iter().zip(counts).zip(planned);
        Ok(Progress {
            started_at: info.started_at,
            finished_at: info.finished_at,
            last_answer_at: self.reader.last_answer_at()?,
            groups: groups
                .map(|(((task, strategy), answers), planned)| GroupProgress {
                    task,
                    strategy,
                    answers: sureness_store::GroupProgress {
                        planned: answers.planned.max(planned),
                        ..answers
                    },
                })
                .collect(),
            tokens: Tokens {
                prompt,
                cached,
                answer,
            },
        })
    }

    /// The figures of the run alone: of a finished run those of its results file, to the bit; otherwise
    /// those of the answers so far, with `complete` false.
    /// The accepted answers to open questions, which the store does not hold, are looked up in `texts`.
    pub fn results(&self, texts: &Texts) -> Result<Results, Failure> {
        let info = self.info()?;
        let files = ResultsFiles::beside(self.store());
        if info.finished_at.is_some()
            && let Some(mut results) = files.results(self.run)
        {
            results.models.retain(|model| model.run == self.run);
            return Ok(results);
        }
        let mut results = computed(self.store(), &info, &files, true)?;
        for model in &mut results.models {
            let config = results.settings.evaluation;
            add_open_figures(&mut model.groups, &self.reader, &info, &config, texts)?;
        }
        Ok(results)
    }

    /// What the run tells beside its answers.
    pub fn bulletin(&self) -> Bulletin {
        Bulletin::of(self.store())
    }

    /// The questions that were answered last, the newest first, `count` at most.
    pub fn latest(&self, count: u32) -> Result<Vec<LatestQuestion>, Failure> {
        let info = self.info()?;
        let config = info.settings.run().map(|settings| settings.evaluation);
        let config = config.unwrap_or_default();
        let spots = self.reader.latest(self.run, count)?;
        let mut sets: Vec<Option<Option<GroupSets>>> = Vec::new();
        sets.resize_with(info.groups.len(), || None);
        let mut latest = Vec::with_capacity(spots.len());
        for spot in spots {
            let row = self.reader.at(self.run, spot)?;
            let names = info.groups.get(spot.group).zip(sets.get_mut(spot.group));
            let Some((row, ((task, strategy), sets))) = row.zip(names) else {
                continue;
            };
            let of_group = match sets {
                Some(of_group) => of_group,
                None => sets.insert(self.group_sets(spot, (task, strategy), &config)?),
            };
            let content = &row.question.content;
            latest.push(LatestQuestion {
                task: task.clone(),
                strategy: strategy.clone(),
                sets: of_group.as_ref().and_then(|it| it.question(content)),
                row,
            });
        }
        Ok(latest)
    }

    fn group_sets(
        &self,
        spot: Spot,
        (task, strategy): (&str, &str),
        config: &sureness_conformal::Config,
    ) -> Result<Option<GroupSets>, Failure> {
        if self.reader.is_open(self.run, spot.group)? {
            return Ok(None);
        }
        let rows = rows_of(&self.reader, self.run, spot.group, task, strategy)?;
        Ok(GroupSets::of(rows, config))
    }
}

/// Answers that a (task, strategy) of a run under way takes by its settings: the store learns of
/// questions as the run comes to them. 0 where the settings do not tell.
fn planned(info: &RunInfo, task: &str) -> usize {
    let settings = info.settings.run().filter(|_| info.finished_at.is_none());
    // A shard has a part of the questions.
    let Some(settings) = settings.filter(|settings| settings.shard.is_none()) else {
        return 0;
    };
    let as_needed = settings
        .answers
        .sampled()
        .is_some_and(|it| it.within.is_some());
    let draws = settings.answers.draws().filter(|_| !as_needed);
    let questions = settings.task(task).map_or(0, |task| task.questions);
    match (as_needed, draws) {
        (true, _) => 0,
        (false, draws) => questions * draws.map_or(1, |draws| draws.get() as usize),
    }
}

/// The runs of a folder with their results, for a list.
pub struct FolderRuns {
    store: PathBuf,
    reader: Reader,
    /// Read once they are needed.
    files: OnceCell<ResultsFiles>,
}

impl FolderRuns {
    /// Opens an output folder or store.
    ///
    /// # Errors
    ///
    /// If it does not contain runs, or its store cannot be read.
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        let store = store_at(folder)?;
        Ok(Self {
            reader: Reader::open(&store)?,
            files: OnceCell::new(),
            store,
        })
    }

    /// The runs, oldest first.
    pub fn runs(&self) -> Result<Vec<RunInfo>, Failure> {
        Ok(self.reader.runs()?)
    }

    /// Answers planned and given.
    pub fn counts(&self, run: i64) -> Result<(usize, usize), Failure> {
        Ok(self.reader.counts(run)?)
    }

    /// The figures of a finished run: those of its results file, or else computed, without intervals.
    pub fn results(&self, info: &RunInfo) -> Result<Results, Failure> {
        let files = self.files.get_or_init(|| ResultsFiles::beside(&self.store));
        if let Some(mut results) = files.results(info.id) {
            results.models.retain(|model| model.run == info.id);
            return Ok(results);
        }
        computed(&self.store, info, files, false)
    }
}

fn store_at(folder: &Path) -> Result<PathBuf, Failure> {
    match store_of(folder)? {
        Some((store, _)) => Ok(store),
        None => Err(
            Failure::new(format!("{} does not contain runs", folder.display()))
                .hint("name an output folder or its sureness.sqlite"),
        ),
    }
}

/// The figures of a run by the stored answers.
fn computed(
    store: &Path,
    info: &RunInfo,
    files: &ResultsFiles,
    intervals: bool,
) -> Result<Results, Failure> {
    let settings = info.settings.run().cloned().unwrap_or_default();
    let tasks: Vec<Task> = info.groups.iter().map(|(id, _)| named_task(id)).collect();
    let names = info.groups.iter().map(|(_, strategy)| strategy.as_str());
    let groups: Vec<(&Task, &str)> = tasks.iter().zip(names).collect();
    let config = settings.evaluation;
    let mut model = if intervals {
        figures::of_groups(store, info.id, &info.model, &groups, &config, None)?
    } else {
        let reader = Reader::open(store)?;
        figures::without_intervals(&reader, info.id, &info.model, &groups, &config, None)?
    };
    model.complete = info.finished_at.is_some();
    for group in &mut model.groups {
        group.cut_prompts = files.cut_prompts(info.id, &group.task, &group.strategy);
    }
    Ok(figures::results(settings, vec![model], provenance(None)))
}

/// A run as `analyze` and `report` take it: `FOLDER#3`.
pub fn numbered(folder: &Path, run: i64) -> PathBuf {
    PathBuf::from(format!("{}#{run}", folder.display()))
}
