//! Waiting for a server that is away, with a clock that runs as fast as there is nothing to do.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sureness_engine::{Event, Stop};
use sureness_scorers::ScoreError;
use tokio::time::Instant;

use super::support::{Scripted, Setup, bad, good};

/// A server that is away from one time to another, and else answers in 100 ms.
fn away(from: u64, to: u64) -> Arc<Scripted> {
    let start = Instant::now();
    Scripted::new(move |batch, _| {
        let now = start.elapsed();
        let error = ScoreError::Unreachable {
            message: "connection refused".into(),
            connected: false,
        };
        if now >= Duration::from_secs(from) && now < Duration::from_secs(to) {
            (Duration::from_millis(1), bad(batch, &error))
        } else {
            (Duration::from_millis(100), good(batch))
        }
    })
}

/// Names of the events about endpoints.
fn note(setup: &mut Setup) -> Arc<Mutex<Vec<&'static str>>> {
    let notes: Arc<Mutex<Vec<&'static str>>> = Arc::default();
    setup.observer = {
        let notes = Arc::clone(&notes);
        Arc::new(move |event| {
            let name = match event {
                Event::Outage { .. } => "outage",
                Event::Resumed { .. } => "resumed",
                Event::EndpointDown { .. } => "down",
                Event::EndpointUp { .. } => "up",
                _ => return,
            };
            notes.lock().unwrap().push(name);
        })
    };
    notes
}

#[tokio::test(start_paused = true)]
async fn a_run_goes_on_by_itself_after_an_outage() {
    let start = Instant::now();
    let scorer = away(2, 300);
    let mut setup = Setup::new(&[400], &[scorer]);
    setup.settings.retry.max_retries = 2;
    let notes = note(&mut setup);
    let summary = setup.run_async().await;
    assert_eq!((summary.total().answered, summary.total().failed), (400, 0));
    assert_eq!(summary.stop, None);
    assert_eq!(*notes.lock().unwrap(), ["down", "outage", "up", "resumed"]);
    let took = start.elapsed().as_secs();
    assert!((300..325).contains(&took), "{took} s");
}

#[tokio::test(start_paused = true)]
async fn a_run_gives_up_after_a_while() {
    let start = Instant::now();
    let mut setup = Setup::new(&[400], &[away(1, 1_000_000)]);
    setup.settings.give_up_after = Duration::from_secs(90);
    let notes = note(&mut setup);
    let keep = Arc::clone(&setup.kept);
    let summary = setup.run_async().await;
    assert!(
        matches!(summary.stop, Some(Stop::GaveUp { .. })),
        "{:?}",
        summary.stop
    );
    assert_eq!(*notes.lock().unwrap(), ["down", "outage"]);
    assert_eq!(summary.total().failed, 0);
    assert_eq!(keep.lock().unwrap().answers.len(), summary.total().answered);
    let took = start.elapsed().as_secs();
    assert!((91..=95).contains(&took), "{took} s");
}

#[tokio::test(start_paused = true)]
async fn rates_are_kept_to_by_the_driver() {
    let start = Instant::now();
    let mut setup = Setup::new(&[120], &[away(9, 9)]);
    setup.settings.requests_per_minute = Some(60.0);
    let summary = setup.run_async().await;
    assert_eq!(summary.total().answered, 120);
    let took = start.elapsed().as_secs();
    assert!((118..=125).contains(&took), "{took} s");
    assert!(summary.phases.waiting.p50 > Duration::from_millis(900));
}
