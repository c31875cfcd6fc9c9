//! What is known of a run's progress.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sureness_bench::Machines;
use sureness_engine::{Attempt, Event, Group, Load, Plan};

/// Questions by what has become of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) planned: usize,
    pub(super) cached: usize,
    pub(super) answered: usize,
    pub(super) failed: usize,
    pub(super) retries: usize,
    pub(super) in_flight: usize,
}

impl Counts {
    /// Questions that are dealt with.
    pub(super) fn done(&self) -> usize {
        self.cached + self.answered + self.failed
    }

    fn add(&mut self, other: &Self) {
        self.planned += other.planned;
        self.cached += other.cached;
        self.answered += other.answered;
        self.failed += other.failed;
        self.retries += other.retries;
        self.in_flight += other.in_flight;
    }
}

/// One (task, strategy).
pub(super) struct GroupState {
    pub(super) task: String,
    pub(super) title: String,
    pub(super) strategy: &'static str,
    pub(super) counts: Counts,
    pub(super) started: Option<Instant>,
    /// What one of its questions costs, against those of other groups.
    weight: f64,
}

/// The whole run of one model.
pub(super) struct State {
    pub(super) model: String,
    pub(super) groups: Vec<GroupState>,
    /// How busy the servers are.
    pub(super) load: Load,
    /// Whether the run waits for a server that has gone away.
    pub(super) paused: bool,
    /// What is to be said of the machines that share the work, where several do.
    pub(super) machines: Option<Machines>,
    started: Instant,
    /// Work done at some moments of the recent past.
    marks: VecDeque<(Instant, Work)>,
}

/// How much was done by some moment.
#[derive(Debug, Clone, Copy, Default)]
struct Work {
    questions: usize,
    weighted: f64,
}

/// What every question costs on top of its length, in bytes of prompt.
const FIXED_COST: f64 = 200.0;
/// Questions whose length is looked at per group.
const LOOKED_AT: usize = 50;
/// The least span that a rate is taken over.
const SPAN: Duration = Duration::from_secs(15);
/// Moments to remember.
const MARKS: usize = 400;

impl State {
    pub(super) fn new(model: &str, plan: &Plan, machines: Option<Machines>, now: Instant) -> Self {
        let groups = plan.groups.iter().map(|group| GroupState {
            task: group.task.id.clone(),
            title: group.task.title.clone(),
            strategy: group.strategy.name(),
            counts: Counts {
                planned: group.questions.len(),
                ..Counts::default()
            },
            started: None,
            weight: weight(group),
        });
        Self {
            model: model.to_owned(),
            groups: groups.collect(),
            load: Load::default(),
            paused: false,
            machines,
            started: now,
            marks: VecDeque::from([(now, Work::default())]),
        }
    }

    /// Takes an event; tells whether a group has just been finished by it.
    pub(super) fn take(&mut self, event: &Event) -> bool {
        match *event {
            Event::Cached { group, count } => self.change(group, |c| c.cached += count),
            Event::Sent {
                group, count, load, ..
            } => {
                self.load = load;
                self.change(group, |c| c.in_flight += count)
            }
            Event::Attempt(Attempt {
                group, count, load, ..
            }) => {
                self.load = load;
                self.change(group, |c| c.in_flight = c.in_flight.saturating_sub(count))
            }
            Event::Answered { group } => self.change(group, |c| c.answered += 1),
            Event::Failed { group, .. } => self.change(group, |c| c.failed += 1),
            Event::Retrying { group, count, .. } => self.change(group, |c| c.retries += count),
            Event::Outage { .. } => {
                self.paused = true;
                false
            }
            Event::Resumed { .. } => {
                self.paused = false;
                false
            }
            Event::EndpointDown { .. } | Event::EndpointUp { .. } => false,
        }
    }

    fn change(&mut self, group: usize, change: impl FnOnce(&mut Counts)) -> bool {
        let Some(group) = self.groups.get_mut(group) else {
            return false;
        };
        let open = group.counts.done() < group.counts.planned;
        change(&mut group.counts);
        group.started.get_or_insert_with(Instant::now);
        open && group.counts.done() >= group.counts.planned
    }

    /// All groups together.
    pub(super) fn totals(&self) -> Counts {
        let mut totals = Counts::default();
        for group in &self.groups {
            totals.add(&group.counts);
        }
        totals
    }

    /// All strategies of a task together.
    pub(super) fn task(&self, id: &str) -> Counts {
        let mut totals = Counts::default();
        for group in self.groups.iter().filter(|group| group.task == id) {
            totals.add(&group.counts);
        }
        totals
    }

    /// Remembers how much has been done by now.
    pub(super) fn mark(&mut self, now: Instant) {
        self.marks.push_back((now, self.work()));
        // The older the run, the longer the span: a rate over the last third follows a server
        // that changes, and does not jump.
        let span = (now.saturating_duration_since(self.started) / 3).max(SPAN);
        while self.marks.len() > MARKS
            || (self.marks.len() > 2 && now.saturating_duration_since(self.marks[1].0) >= span)
        {
            self.marks.pop_front();
        }
    }

    fn work(&self) -> Work {
        let mut work = Work::default();
        for group in &self.groups {
            let asked = group.counts.answered + group.counts.failed;
            work.questions += asked;
            work.weighted += asked as f64 * group.weight;
        }
        work
    }

    /// Questions per second of late, and the seconds that are left at that pace.
    pub(super) fn pace(&self, now: Instant) -> (f64, Option<f64>) {
        let Some(&(since, then)) = self.marks.front() else {
            return (0.0, None);
        };
        let seconds = now.saturating_duration_since(since).as_secs_f64().max(1e-3);
        let work = self.work();
        let rate = (work.questions - then.questions) as f64 / seconds;
        let weighted = (work.weighted - then.weighted) / seconds;
        let left: f64 = self
            .groups
            .iter()
            .map(|g| g.counts.planned.saturating_sub(g.counts.done()) as f64 * g.weight)
            .sum();
        (rate, (weighted > 0.0).then(|| left / weighted))
    }
}

/// The cost of a group's questions: longer ones take longer.
fn weight(group: &Group) -> f64 {
    let (mut bytes, mut count) = (0, 0);
    // What cannot be read now is no reason to show no progress.
    for question in group.questions.spread(LOOKED_AT).flatten() {
        bytes += group.builder.build(&question).suffix.len();
        count += 1;
    }
    FIXED_COST + bytes as f64 / f64::from(count.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(weights: [f64; 2], planned: usize, now: Instant) -> State {
        let groups = weights.map(|weight| GroupState {
            task: "qa".to_owned(),
            title: "Question answering".to_owned(),
            strategy: "base",
            counts: Counts {
                planned,
                ..Counts::default()
            },
            started: None,
            weight,
        });
        State {
            model: "m".to_owned(),
            groups: groups.into(),
            load: Load::default(),
            paused: false,
            machines: None,
            started: now,
            marks: VecDeque::from([(now, Work::default())]),
        }
    }

    /// A server that takes a fixed time per unit of work: whatever the groups' lengths, the time
    /// left is right within a fifth from a tenth of the run on.
    #[test]
    fn the_time_left_allows_for_the_length_of_prompts() {
        for weights in [[1.0, 1.0], [1.0, 6.0], [6.0, 1.0]] {
            let start = Instant::now();
            let mut state = state(weights, 1000, start);
            let whole = weights.iter().sum::<f64>() * 1000.0 * 0.05;
            let mut clock = 0.0;
            for (group, weight) in weights.into_iter().enumerate() {
                for _ in 0..1000 {
                    clock += weight * 0.05;
                    state.take(&Event::Answered { group });
                    let now = start + Duration::from_secs_f64(clock);
                    state.mark(now);
                    if clock > whole / 10.0 && clock < whole {
                        let (_, left) = state.pace(now);
                        let (left, truth) = (left.unwrap(), whole - clock);
                        assert!((left - truth).abs() <= 0.2 * truth + 1e-6, "{left} {truth}");
                    }
                }
            }
            assert!(state.marks.len() <= MARKS + 1);
        }
    }

    #[test]
    fn a_group_is_finished_once() {
        let mut state = state([1.0, 1.0], 2, Instant::now());
        assert!(!state.take(&Event::Cached { group: 0, count: 1 }));
        assert!(state.take(&Event::Answered { group: 0 }));
        assert_eq!(state.totals().done(), 2);
        assert_eq!(state.task("qa").planned, 4);
    }
}
