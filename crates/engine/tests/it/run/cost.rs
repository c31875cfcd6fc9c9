//! What the engine itself costs, with a backend and a sink that do nothing. Prints; asserts no
//! speed, since machines differ:
//! `cargo test --release -p sureness-engine --test it -- --ignored --nocapture cost`

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sureness_engine::{
    Answer, AnswerSink, Cancel, Event, Planned, SinkError, Workers, run, run_blocking,
};

use super::support::{DRIVERS, Driver, Setup};

struct Nothing;

impl AnswerSink for Nothing {
    fn plan(&mut self, _: u32, _: u32, questions: &[Planned]) -> Result<Vec<bool>, SinkError> {
        Ok(vec![false; questions.len()])
    }

    fn write(&mut self, _answers: &[Answer]) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Answers at once.
struct Null(sureness_scorers::ModelIdentity);

impl sureness_scorers::OptionScorer for Null {
    fn identity(&self) -> &sureness_scorers::ModelIdentity {
        &self.0
    }

    fn score<'a>(
        &'a self,
        batch: &'a [sureness_scorers::ScoreRequest],
    ) -> futures_util::future::BoxFuture<'a, sureness_scorers::Reply> {
        Box::pin(async move {
            // As a real one does: it waits for something at least once.
            tokio::task::yield_now().await;
            self.score_blocking(batch)
        })
    }

    fn score_blocking(&self, batch: &[sureness_scorers::ScoreRequest]) -> sureness_scorers::Reply {
        let scores = batch
            .iter()
            .map(|request| Ok(super::support::scores_of(request)));
        sureness_scorers::Reply::of(scores.collect())
    }
}

/// User and system time of this process, where the system tells.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or("")
        .split_whitespace()
        .collect();
    let ticks = |i: usize| {
        fields
            .get(i)
            .and_then(|f| f.parse::<u64>().ok())
            .unwrap_or(0)
    };
    // Hundredths of a second on every Linux in use.
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}

/// Memory in use now and at most, where the system tells.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines = status
        .lines()
        .filter(|l| l.starts_with("VmRSS") || l.starts_with("VmHWM"));
    lines
        .map(|l| l.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join(", ")
}

#[test]
#[ignore = "prints figures and takes a while"]
fn cost() {
    let questions = std::env::var("QUESTIONS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(300_000);
    let plan = super::support::plan(&[questions / 2, questions - questions / 2]);
    println!("plan of {questions} questions: {}", memory());
    for driver in DRIVERS {
        let mut setup = Setup::new(&[1], &[]);
        setup.settings.workers = Workers::Fixed(NonZeroUsize::new(64).unwrap());
        let (settings, cancel) = (setup.settings, Cancel::default());
        let first_sent = Arc::new(std::sync::OnceLock::new());
        let observer: sureness_engine::Observer = {
            let first = Arc::clone(&first_sent);
            Arc::new(move |event| {
                if matches!(event, Event::Sent { .. }) {
                    first.get_or_init(|| (Instant::now(), cpu()));
                }
            })
        };
        let (started, before) = (Instant::now(), cpu());
        let null = Arc::new(Null(sureness_scorers::ModelIdentity {
            name: "null".into(),
            backend: "test".into(),
            details: std::collections::BTreeMap::default(),
        }));
        let plan = Arc::clone(&plan);
        let summary = match driver {
            Driver::Threads => run_blocking(
                plan,
                vec![null],
                settings,
                Box::new(Nothing),
                cancel,
                observer,
            ),
            Driver::Tasks => tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap()
                .block_on(run(
                    plan,
                    vec![null],
                    settings,
                    Box::new(Nothing),
                    cancel,
                    observer,
                )),
        }
        .unwrap();
        assert_eq!(summary.total().answered, questions);
        let (asking, at_first) = *first_sent.get().unwrap();
        println!(
            "{driver:?}: look-up {:.2} s; {:.0} answers a second, {:.1} µs of CPU per question \
             ({:.1} with the look-up); {}",
            (asking - started).as_secs_f64(),
            questions as f64 / summary.elapsed.as_secs_f64(),
            cpu().saturating_sub(at_first).as_secs_f64() * 1e6 / questions as f64,
            cpu().saturating_sub(before).as_secs_f64() * 1e6 / questions as f64,
            memory()
        );
        println!("  {:?}", summary.phases);
    }
}
