//! Looks at one run again and again, and spends little of its time on that.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sureness_bench::Failure;
use sureness_bench::live::{Bulletin, LatestQuestion, LiveRun, Progress};
use sureness_report::Results;

use super::Update;
use super::fragments::{self, Fragments, Moment, State};
use super::history::History;
use super::rate::Rate;
use crate::site::{RunId, Site};

/// Rest after a query, as a multiple of the time that it took: each takes at most a hundredth of one
/// processor.
const REST: f64 = 100.0;
/// What it takes to read a run without answers, as a number of answers, so that a look at its begin is
/// not followed by a long rest.
const FIXED_COST: f64 = 500.0;
/// Longest rest, in seconds.
const LONGEST_REST: f64 = 600.0;
/// Time without a change of the store after which nobody writes, so that reading disturbs nobody.
const QUIET: Duration = Duration::from_secs(3);
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
    /// When the store was last seen to have changed.
    changed: Instant,
    progress: Turn<Progress>,
    figures: Turn<Figures>,
    bulletin: Bulletin,
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
    /// When it was read last, how long that took, and how many answers there were.
    last: Option<(Instant, Duration, usize)>,
}

impl<T> Turn<T> {
    fn new() -> Self {
        Self {
            value: None,
            is_old: true,
            last: None,
        }
    }

    /// Whether it has rested long enough for what reading `answered` answers will take.
    fn is_due(&self, now: Instant, answered: usize) -> bool {
        let Some((end, took, before)) = self.last else {
            return true;
        };
        let growth = (answered as f64 + FIXED_COST) / (before as f64 + FIXED_COST);
        let rest = took.as_secs_f64() * REST * growth.max(1.0);
        (now - end).as_secs_f64() >= rest.min(LONGEST_REST)
    }

    /// Reads it if it is old and due, or at once with `now`. Returns whether it did.
    fn read(
        &mut self,
        now: bool,
        answered: usize,
        read: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<bool, Failure> {
        let begin = Instant::now();
        if !self.is_old || !(now || self.is_due(begin, answered)) {
            return Ok(false);
        }
        self.value = Some(read()?);
        self.is_old = false;
        let end = Instant::now();
        self.last = Some((end, end - begin, answered));
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
            changed: Instant::now(),
            progress: Turn::new(),
            figures: Turn::new(),
            bulletin: Bulletin::default(),
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
        self.bulletin = run.bulletin();
        let version = run.version()?;
        if self.version != Some(version) {
            self.version = Some(version);
            self.changed = Instant::now();
            self.progress.is_old = true;
            self.figures.is_old = true;
        }
        let is_quiet = self.changed.elapsed() >= QUIET;
        let is_finished = || Ok::<_, Failure>(run.info()?.finished_at.is_some());
        let now = last || is_quiet || (self.progress.is_old && is_finished()?);
        let answered = |progress: &Turn<Progress>| {
            let progress = progress.value.as_ref();
            progress.map_or(0, |progress| progress.total().answered)
        };
        let before = answered(&self.progress);
        let read = self.progress.read(now, before, || run.progress())?;
        if let Some(progress) = self.progress.value.as_ref().filter(|_| read) {
            self.rate.note(Instant::now(), progress.total().answered);
        }
        let answered = answered(&self.progress);
        let read = self.figures.read(now, answered, || {
            Ok(Figures {
                results: run.results(&self.site.texts()?)?,
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
            bulletin: &self.bulletin,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_growing_run_is_read_less_often() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut turn = Turn::<()>::new();
        assert!(
            turn.is_due(start, 1_000_000),
            "the first look comes at once"
        );
        turn.last = Some((start, Duration::from_millis(10), 1_000));
        assert!(!turn.is_due(at(999), 1_000) && turn.is_due(at(1_000), 1_000));
        assert!(!turn.is_due(at(4_999), 7_000) && turn.is_due(at(5_000), 7_000));
        assert!(turn.is_due(at(600_000), 1_000_000_000), "but not never");
        turn.last = Some((start, Duration::from_millis(5), 0));
        assert!(turn.is_due(at(1_000), 300), "soon after an early look");
    }
}
