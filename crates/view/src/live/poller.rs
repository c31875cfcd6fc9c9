//! Looks at one run again and again, and spends little of its time on that.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sureness_bench::Failure;
use sureness_bench::live::{LatestQuestion, LiveRun, Progress};
use sureness_report::Results;

use super::Update;
use super::fragments::{self, Fragments, Moment, State};
use super::history::History;
use super::rate::Rate;
use crate::site::{RunId, Site};

/// Rest after a query, as a multiple of the time that it took: each takes at most a hundredth of one
/// processor.
const REST: u32 = 100;
/// Questions that are shown.
const LATEST: u32 = 20;
/// Time without an answer after which a run counts as no longer going on, in milliseconds.
const SILENCE_MS: i64 = 60_000;

/// What a look found.
pub(super) enum Step {
    /// Nothing new.
    Same,
    /// Something else to show.
    Changed(Box<Update>),
}

/// Follows one run.
pub(super) struct Poller {
    site: Arc<Site>,
    id: RunId,
    run: Option<LiveRun>,
    version: Option<i64>,
    progress: Turn<Progress>,
    figures: Turn<Figures>,
    rate: Rate,
    history: History,
    fragments: Fragments,
    event: String,
    results: String,
}

/// The figures of a run and its newest questions.
pub(super) struct Figures {
    pub(super) results: Results,
    pub(super) latest: Vec<LatestQuestion>,
}

/// Something that is read from time to time.
struct Turn<T> {
    value: Option<T>,
    /// Whether the store has changed since it was read.
    is_old: bool,
    /// When it may be read again.
    next: Instant,
}

impl<T> Turn<T> {
    fn new() -> Self {
        Self {
            value: None,
            is_old: true,
            next: Instant::now(),
        }
    }

    /// Reads it if it is old and its turn has come, or at once with `now`. Returns whether it did.
    fn read(
        &mut self,
        now: bool,
        read: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<bool, Failure> {
        let begin = Instant::now();
        if !self.is_old || !(now || begin >= self.next) {
            return Ok(false);
        }
        self.value = Some(read()?);
        self.is_old = false;
        let end = Instant::now();
        self.next = end
            + (end - begin)
                .saturating_mul(REST)
                .min(Duration::from_secs(600));
        Ok(true)
    }
}

impl Poller {
    pub(super) fn new(site: Arc<Site>, id: RunId) -> Self {
        Self {
            site,
            id,
            run: None,
            version: None,
            progress: Turn::new(),
            figures: Turn::new(),
            rate: Rate::default(),
            history: History::default(),
            fragments: Fragments::default(),
            event: String::new(),
            results: String::new(),
        }
    }

    /// Looks once. `last` if there will be no other look.
    pub(super) fn step(&mut self, last: bool) -> Step {
        let looked = self.look(last).and_then(|()| self.show(last));
        let event = looked.unwrap_or_else(|failure| {
            self.run = None;
            self.version = None;
            self.fragments.status = fragments::failure(&self.site, &failure);
            self.fragments.event(State::Lost, None, last)
        });
        if event == self.event {
            return Step::Same;
        }
        self.event.clone_from(&event);
        Step::Changed(Box::new(Update {
            fragments: self.fragments.clone(),
            event,
            results: self.results.clone(),
            last,
        }))
    }

    /// Reads what has changed.
    fn look(&mut self, last: bool) -> Result<(), Failure> {
        let run = if let Some(run) = &mut self.run {
            run
        } else {
            let folder = self.site.folder(self.id)?;
            self.run.insert(LiveRun::open(&folder, self.id.run)?)
        };
        if !run.is_in_place() {
            return Err(Failure::new(format!(
                "{} is no longer where it was",
                run.store().display()
            ))
            .hint(
                "put the folder back, or start the server again; what was read so far stays below",
            ));
        }
        let version = run.version()?;
        if self.version != Some(version) {
            self.version = Some(version);
            self.progress.is_old = true;
            self.figures.is_old = true;
        }
        let now = last || (self.progress.is_old && run.info()?.finished_at.is_some());
        let read = self.progress.read(now, || run.progress())?;
        if let Some(progress) = self.progress.value.as_ref().filter(|_| read) {
            self.rate.note(Instant::now(), progress.total().answered);
        }
        let read = self.figures.read(now, || {
            Ok(Figures {
                results: run.results()?,
                latest: run.latest(LATEST)?,
            })
        })?;
        if let Some(model) = self.figures.value.as_ref().filter(|_| read) {
            let model = model.results.models.first();
            let answered = |groups: &[sureness_report::GroupResult]| {
                groups.iter().map(|group| group.answered).sum()
            };
            if let Some(model) = model {
                self.history.note(answered(&model.groups), model);
            }
        }
        Ok(())
    }

    /// Makes the parts of the page that have changed; returns the event.
    fn show(&mut self, last: bool) -> Result<String, Failure> {
        let (Some(progress), Some(figures)) = (&self.progress.value, &self.figures.value) else {
            return Ok(String::new());
        };
        let state = state(progress, last);
        let moment = Moment {
            site: &self.site,
            id: self.id,
            state,
            progress,
            per_second: self.rate.per_second(),
            figures,
            history: &self.history,
        };
        self.fragments = moment.fragments()?;
        self.results = moment.json()?;
        Ok(self.fragments.event(state, Some(&moment), last))
    }
}

/// Whether the run goes on, as far as its store tells.
fn state(progress: &Progress, last: bool) -> State {
    if progress.finished_at.is_some() {
        return State::Finished;
    }
    let newest = progress.last_answer_at.unwrap_or(progress.started_at);
    let newest = newest.max(progress.started_at);
    let silence = sureness_bench::age::now().saturating_sub(newest);
    if last || silence > SILENCE_MS {
        State::Silent
    } else {
        State::Running
    }
}
