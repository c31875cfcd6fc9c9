//! The progress of one model's run.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sureness_bench::{DescribeWorkers, Standing};
use sureness_engine::{Attempt, Event, Group, Plan};

/// Questions by outcome, and requests in flight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) planned: usize,
    pub(super) cached: usize,
    pub(super) answered: usize,
    pub(super) failed: usize,
    pub(super) retries: usize,
    /// Requests that were sent and have no reply yet. A request holds a batch of questions.
    pub(super) in_flight: usize,
}

impl Counts {
    /// Questions that need no further request.
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
    pub(super) strategy: Cow<'static, str>,
    pub(super) counts: Counts,
    pub(super) started: Option<Instant>,
    /// Cost of one of its questions, relative to other groups.
    weight: f64,
}

/// The whole run of one model.
pub(super) struct State {
    pub(super) model: String,
    pub(super) groups: Vec<GroupState>,
    /// Requests that the engine would send at once, over all servers.
    limit: usize,
    /// Whether the run waits for an unreachable server.
    pub(super) paused: bool,
    /// Describes the workers on other machines, if any.
    pub(super) workers: Option<DescribeWorkers>,
    /// Whether asking may end before all questions are asked: those planned are the most.
    pub(super) may_stop_early: bool,
    /// How far such a run has come; `None` before its first look.
    pub(super) standing: Option<Standing>,
    started: Instant,
    /// Work done by recent moments, oldest first.
    marks: VecDeque<(Instant, Work)>,
}

/// Work done by some moment.
#[derive(Debug, Clone, Copy, Default)]
struct Work {
    questions: usize,
    weighted: f64,
}

/// Fixed cost of a question, in bytes of prompt.
const FIXED_COST: f64 = 200.0;
/// Questions sampled per group for their mean length.
const LENGTH_SAMPLE: usize = 50;
/// Minimum span of a rate.
const MIN_SPAN: Duration = Duration::from_secs(15);
/// Maximum number of marks.
const MAX_MARKS: usize = 400;

impl State {
    pub(super) fn new(
        model: &str,
        plan: &Plan,
        workers: Option<DescribeWorkers>,
        may_stop_early: bool,
        now: Instant,
    ) -> Self {
        let groups = plan
            .groups
            .iter()
            .enumerate()
            .map(|(index, group)| GroupState {
                task: group.task.id.clone(),
                title: group.task.title.clone(),
                strategy: group.name(),
                counts: Counts {
                    planned: plan.questions_of(index),
                    ..Counts::default()
                },
                started: None,
                weight: weight(group),
            });
        Self {
            model: model.to_owned(),
            groups: groups.collect(),
            limit: 0,
            paused: false,
            workers,
            may_stop_early,
            standing: None,
            started: now,
            marks: VecDeque::from([(now, Work::default())]),
        }
    }

    /// Counts an event; returns whether it finished a group.
    pub(super) fn count(&mut self, event: &Event) -> bool {
        match event {
            Event::Cached { group, count } => self.change(*group, |c| c.cached += count),
            Event::Sent { group, load, .. } => {
                self.limit = load.limit;
                self.change(*group, |c| c.in_flight += 1)
            }
            Event::Attempt(Attempt { group, load, .. }) => {
                self.limit = load.limit;
                self.change(*group, |c| c.in_flight = c.in_flight.saturating_sub(1))
            }
            Event::Answered { group, .. } => self.change(*group, |c| c.answered += 1),
            Event::Failed { group, .. } => self.change(*group, |c| c.failed += 1),
            Event::Retrying {
                group, questions, ..
            } => self.change(*group, |c| c.retries += questions.len()),
            Event::Outage { .. } => {
                self.paused = true;
                false
            }
            Event::Resumed { .. } => {
                self.paused = false;
                false
            }
            Event::Throttled { .. } | Event::EndpointDown { .. } | Event::EndpointUp { .. } => {
                false
            }
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

    /// Counts over all groups.
    pub(super) fn totals(&self) -> Counts {
        let mut totals = Counts::default();
        for group in &self.groups {
            totals.add(&group.counts);
        }
        totals
    }

    /// Requests that may be in flight. When the limit falls, requests above it stay in flight until
    /// their replies come.
    pub(super) fn limit(&self) -> usize {
        self.limit.max(self.totals().in_flight)
    }

    /// Counts over all strategies of a task.
    pub(super) fn task(&self, id: &str) -> Counts {
        let mut totals = Counts::default();
        for group in self.groups.iter().filter(|group| group.task == id) {
            totals.add(&group.counts);
        }
        totals
    }

    /// Records the work done by now.
    pub(super) fn mark(&mut self, now: Instant) {
        self.marks.push_back((now, self.work()));
        // A rate over the last third of the run follows a changing server without jumping.
        let span = (now.saturating_duration_since(self.started) / 3).max(MIN_SPAN);
        while self.marks.len() > MAX_MARKS
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

    /// Recent questions per second, and the seconds left at that rate, which nobody knows of a run that may
    /// stop early.
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
        let is_known = weighted > 0.0 && !self.may_stop_early;
        (rate, is_known.then(|| left / weighted))
    }
}

/// Mean cost of a group's questions, which grows with their length.
fn weight(group: &Group) -> f64 {
    let (mut bytes, mut count) = (0, 0);
    // Unreadable questions are skipped here; the run itself reports them.
    for question in group.questions.spread(LENGTH_SAMPLE).flatten() {
        bytes += group.builder.build(&question).suffix.len();
        count += 1;
    }
    FIXED_COST + bytes as f64 / f64::from(count.max(1))
}

#[cfg(test)]
mod tests {
    use sureness_engine::Load;
    use sureness_scorers::Timing;

    use super::*;

    fn state(weights: [f64; 2], planned: usize, now: Instant) -> State {
        let groups = weights.map(|weight| GroupState {
            task: "qa".to_owned(),
            title: "Question answering".to_owned(),
            strategy: "base".into(),
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
            limit: 0,
            paused: false,
            workers: None,
            may_stop_early: false,
            standing: None,
            started: now,
            marks: VecDeque::from([(now, Work::default())]),
        }
    }

    /// With a fixed time per unit of work, the time left is right within a fifth from a tenth of
    /// the run on, whatever the groups' lengths.
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
                    state.count(&Event::Answered { group, question: 0 });
                    let now = start + Duration::from_secs_f64(clock);
                    state.mark(now);
                    if clock > whole / 10.0 && clock < whole {
                        let (_, left) = state.pace(now);
                        let (left, truth) = (left.unwrap(), whole - clock);
                        assert!((left - truth).abs() <= 0.2 * truth + 1e-6, "{left} {truth}");
                    }
                }
            }
            assert!(state.marks.len() <= MAX_MARKS + 1);
        }
    }

    #[test]
    fn nobody_knows_the_time_left_of_a_run_that_may_stop_early() {
        let start = Instant::now();
        let mut state = state([1.0, 1.0], 10, start);
        state.count(&Event::Answered {
            group: 0,
            question: 0,
        });
        let now = start + Duration::from_secs(2);
        assert!(state.pace(now).1.is_some());
        state.may_stop_early = true;
        assert_eq!(state.pace(now), (0.5, None));
    }

    #[test]
    fn a_group_is_finished_once() {
        let mut state = state([1.0, 1.0], 2, Instant::now());
        assert!(!state.count(&Event::Cached { group: 0, count: 1 }));
        assert!(state.count(&Event::Answered {
            group: 0,
            question: 0
        }));
        assert_eq!(state.totals().done(), 2);
        assert_eq!(state.task("qa").planned, 4);
    }

    #[test]
    fn requests_are_in_flight_from_sending_on_and_never_above_the_limit() {
        let mut state = state([1.0, 1.0], 10, Instant::now());
        let load = |limit| Load {
            limit,
            in_flight: 0,
        };
        for _ in 0..3 {
            state.count(&Event::Sent {
                group: 1,
                count: 2,
                endpoint: 0,
                load: load(3),
            });
        }
        assert_eq!((state.totals().in_flight, state.limit()), (3, 3));
        // The limit falls while two of the three are on their way.
        state.count(&Event::Attempt(Attempt {
            group: 1,
            questions: vec![0, 1],
            answered: 2,
            endpoint: 0,
            attempt: 1,
            waited: Duration::ZERO,
            took: Duration::ZERO,
            timing: Timing::default(),
            prompt_tokens: 0,
            cached_tokens: 0,
            answer_tokens: 0,
            prompt_bytes: 0,
            counted: None,
            mass: 0.0,
            error: None,
            load: load(1),
        }));
        assert_eq!((state.totals().in_flight, state.limit()), (2, 2));
        assert_eq!(state.task("qa").in_flight, 2);
    }
}
