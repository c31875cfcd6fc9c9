//! The dispatcher against servers in virtual time.

mod batches;
mod limits;
mod outages;
mod properties;
mod proxies;
mod retrying;

use std::num::NonZeroUsize;
use std::time::Duration;

use sureness_scorers::{Hints, OptionScores, Quota, Reply, ScoreError, Timing, Usage};

use super::{Dispatch, Next, Ticket};
use crate::lookup::Pending;
use crate::{Answer, BatchSize, Event, GroupSummary, RetryPolicy, Settings, Workers};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// What a server does with one request.
struct Answered {
    after: Duration,
    scores: Vec<Result<OptionScores, ScoreError>>,
    quota: Quota,
}

/// What was seen of a run.
#[derive(Default)]
struct Seen {
    /// When each request was sent, to which endpoint, group, questions.
    sent: Vec<(Duration, usize, u32, Vec<u32>)>,
    answers: Vec<Answer>,
    events: Vec<(Duration, Event)>,
    end: Duration,
    most_in_flight: usize,
}

impl Seen {
    /// How often each question of group 0 was asked.
    fn times_asked(&self, question: u32) -> usize {
        self.sent
            .iter()
            .filter(|(.., questions)| questions.contains(&question))
            .count()
    }

    fn answered(&self) -> usize {
        self.answers.iter().filter(|a| a.outcome.is_ok()).count()
    }

    /// Group and question of those that were given up.
    fn failed(&self) -> Vec<(u32, u32)> {
        let mut failed: Vec<_> = self
            .answers
            .iter()
            .filter(|a| a.outcome.is_err())
            .map(|a| (a.item.group, a.item.question))
            .collect();
        failed.sort_unstable();
        failed
    }

    fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.events
            .iter()
            .filter(|(_, event)| wanted(event))
            .count()
    }
}

fn workers(n: usize) -> Workers {
    Workers::Fixed(NonZeroUsize::new(n).unwrap())
}

fn batches(n: usize) -> BatchSize {
    BatchSize::Fixed(NonZeroUsize::new(n).unwrap())
}

fn settings(n: usize) -> Settings {
    Settings {
        workers: workers(n),
        retry: RetryPolicy {
            base: SECOND,
            ..RetryPolicy::default()
        },
        ..Settings::default()
    }
}

/// A run over groups of these sizes; each prompt has 400 bytes.
fn dispatch(settings: Settings, endpoints: usize, sizes: &[u32]) -> Dispatch {
    let open = sizes.iter().map(|&n| {
        let question = |question: u32| Pending {
            question,
            bytes: 400,
        };
        (0..n).map(question).collect()
    });
    let groups = sizes.iter().map(|&n| GroupSummary {
        planned: n as usize,
        ..GroupSummary::default()
    });
    let hints = vec![Hints::default(); endpoints];
    Dispatch::new(settings, &hints, open.collect(), groups.collect())
}

fn scores() -> OptionScores {
    OptionScores {
        logprobs: vec![-1.0, -2.0],
        observed: vec![true, true],
        mass: 0.5,
        usage: Usage {
            prompt_tokens: Some(100),
            cached_tokens: Some(0),
            answer_tokens: None,
        },
        words: None,
    }
}

/// Answers every question of the ticket.
fn good(ticket: &Ticket, after: Duration) -> Answered {
    each(ticket, after, |_| Ok(scores()))
}

/// Fails every question of the ticket.
fn bad(ticket: &Ticket, after: Duration, error: &ScoreError) -> Answered {
    each(ticket, after, |_| Err(error.clone()))
}

fn each(
    ticket: &Ticket,
    after: Duration,
    score: impl Fn(u32) -> Result<OptionScores, ScoreError>,
) -> Answered {
    Answered {
        after,
        scores: ticket
            .job
            .items
            .iter()
            .map(|open| score(open.question))
            .collect(),
        quota: Quota::default(),
    }
}

fn refused() -> ScoreError {
    ScoreError::Unreachable {
        message: "connection refused".into(),
        connected: false,
    }
}

fn server_error(status: u16) -> ScoreError {
    ScoreError::Server {
        status,
        retry_after: None,
        message: "no".into(),
    }
}

fn throttled(retry_after: Option<Duration>) -> ScoreError {
    ScoreError::RateLimited {
        retry_after,
        message: String::new(),
    }
}

fn rejected() -> ScoreError {
    ScoreError::Rejected {
        status: 400,
        message: "no".into(),
    }
}

/// Runs to the end against a server that is told each request and its time.
fn play(dispatch: &mut Dispatch, server: impl FnMut(&Ticket, Duration) -> Answered) -> Seen {
    play_until(dispatch, Duration::from_secs(1_000_000), server)
}

/// The same up to a time.
fn play_until(
    dispatch: &mut Dispatch,
    until: Duration,
    mut server: impl FnMut(&Ticket, Duration) -> Answered,
) -> Seen {
    let mut seen = Seen::default();
    let mut flying: Vec<(Duration, Box<Ticket>, Answered)> = Vec::new();
    let mut now = Duration::ZERO;
    let (mut answers, mut times) = (Vec::new(), Vec::new());
    for _step in 0..1_000_000 {
        let wake = match dispatch.next(now) {
            Next::Over => {
                seen.end = now;
                return seen;
            }
            Next::Send(ticket) => {
                let items = ticket.job.items.iter().map(|open| open.question).collect();
                seen.sent
                    .push((now, ticket.endpoint, ticket.job.group, items));
                let answered = server(&ticket, now);
                flying.push((now + answered.after, ticket, answered));
                seen.most_in_flight = seen.most_in_flight.max(flying.len());
                continue;
            }
            Next::Wait(wake) => wake,
        };
        assert!(
            wake.is_none_or(|at| at > now),
            "to wait for {wake:?} at {now:?} is to spin"
        );
        let first = (0..flying.len()).min_by_key(|&i| flying[i].0);
        let back = first.map(|i| flying[i].0);
        now = match (back, wake) {
            (Some(back), Some(wake)) => back.min(wake),
            (Some(time), None) | (None, Some(time)) => time,
            (None, None) => panic!("waits for ever at {now:?}"),
        };
        if now > until {
            seen.end = now;
            return seen;
        }
        if let Some(i) = first.filter(|&i| flying[i].0 <= now) {
            let (_, ticket, answered) = flying.swap_remove(i);
            let reply = Reply {
                scores: answered.scores,
                timing: Timing::default(),
                quota: answered.quota,
                requests: 0,
            };
            let mut events = Vec::new();
            dispatch.finished(*ticket, reply, now, &mut events);
            seen.events
                .extend(events.into_iter().map(|event| (now, event)));
            dispatch.outbox.take(&mut answers, &mut times);
            dispatch.outbox.saved(answers.len());
            seen.answers.append(&mut answers);
            times.clear();
        }
    }
    panic!("no end in a million steps, at {now:?}");
}
