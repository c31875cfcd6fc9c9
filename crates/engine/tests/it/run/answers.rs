//! Every question gets its own answer, once.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sureness_engine::{BatchSize, Event, Group, Plan, Settings, Workers};
use sureness_scorers::{OptionScores, ScoreError};

use super::support::{DRIVERS, Driver, Outcome, Scripted, Setup, bad, good, scores_of};

fn in_batches(of: usize) -> BatchSize {
    BatchSize::Fixed(NonZeroUsize::new(of).unwrap())
}

/// What a run keeps, in an order of its own.
fn kept(setup_kept: &Mutex<super::support::Kept>) -> BTreeMap<[u8; 32], Vec<f64>> {
    let kept = setup_kept.lock().unwrap();
    kept.answers
        .iter()
        .map(|(key, scores)| (key.0, scores.logprobs.clone()))
        .collect()
}

#[test]
fn both_drivers_keep_the_same_answers_whatever_the_order_they_come_in() {
    let mut results = Vec::new();
    for driver in DRIVERS {
        for batch in [1, 7] {
            // One in six requests fails, some batches as a whole; the times differ.
            let scorer = Scripted::new(|batch, before| {
                let after = Duration::from_micros(u64::from(batch[0].key.0[9]) * 20);
                let error = ScoreError::Server {
                    status: 500,
                    retry_after: None,
                    message: "now and then".into(),
                };
                let outcome = match before % 6 {
                    3 => bad(batch, &error),
                    4 => Outcome::Scores(
                        batch
                            .iter()
                            .enumerate()
                            .map(|(i, r)| {
                                if i == 2 {
                                    Err(error.clone())
                                } else {
                                    Ok(scores_of(r))
                                }
                            })
                            .collect(),
                    ),
                    _ => good(batch),
                };
                (after, outcome)
            });
            let mut setup = Setup::new(&[150, 90, 60], &[Arc::clone(&scorer)]);
            setup.settings.batch = in_batches(batch);
            let keep = Arc::clone(&setup.kept);
            let summary = setup.run(driver);
            let total = summary.total();
            assert_eq!(
                (total.planned, total.answered, total.failed),
                (300, 300, 0),
                "{driver:?}"
            );
            assert_eq!(summary.stop, None);
            assert_eq!((summary.prompt_tokens, summary.cached_tokens), (3000, 1200));
            assert_eq!(summary.endpoints[0].answered, 300);
            assert!(summary.endpoints[0].peak <= 8);
            for phase in [
                summary.phases.waiting,
                summary.phases.server,
                summary.phases.storing,
            ] {
                assert_eq!(phase.count, 300);
            }
            // Right scores for each key: made from the request by the script.
            let kept = kept(&keep);
            for (key, logprobs) in &kept {
                assert!(
                    logprobs
                        .iter()
                        .zip(key)
                        .all(|(l, k)| (l + f64::from(*k) + 1.0).abs() < 1e-9)
                );
            }
            results.push(kept);
        }
    }
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn what_is_known_is_not_asked() {
    for driver in DRIVERS {
        let scorer = Scripted::good();
        let first = Setup::new(&[40], &[Arc::clone(&scorer)]);
        let keep = Arc::clone(&first.kept);
        first.run(driver);

        let mut second = Setup::new(&[40, 10], &[Arc::clone(&scorer)]);
        second.kept = keep;
        let told = Arc::new(AtomicUsize::new(0));
        second.observer = {
            let told = Arc::clone(&told);
            Arc::new(move |event| {
                if let Event::Cached { group: 0, count } = event {
                    told.fetch_add(*count, Ordering::SeqCst);
                }
            })
        };
        let summary = second.run(driver);
        assert_eq!(told.load(Ordering::SeqCst), 40);
        assert_eq!(
            (summary.groups[0].cached, summary.groups[0].answered),
            (40, 0)
        );
        assert_eq!(
            (summary.groups[1].cached, summary.groups[1].answered),
            (0, 10)
        );
        assert!(scorer.asked().values().all(|&times| times == 1));
    }
}

#[test]
fn the_same_question_twice_is_asked_once() {
    let scorer = Scripted::good();
    let mut setup = Setup::new(&[12], &[Arc::clone(&scorer)]);
    let group: &Group = &setup.plan.groups[0];
    setup.plan = Arc::new(Plan {
        draws: None,
        wanted: None,
        groups: vec![group.clone(), group.clone()],
    });
    let summary = setup.run(Driver::Tasks);
    assert_eq!(
        (summary.groups[0].answered, summary.groups[1].cached),
        (12, 12)
    );
    assert_eq!(scorer.asked().len(), 12);
}

#[test]
fn too_few_too_many_or_misshapen_answers_are_not_believed() {
    type Scores = Vec<Result<OptionScores, ScoreError>>;
    let wrong: [fn(&mut Scores); 3] = [
        |scores: &mut Scores| drop(scores.pop()),
        |scores: &mut Scores| scores.push(scores[0].clone()),
        |scores: &mut Scores| {
            if let Some(Ok(scores)) = scores.last_mut() {
                scores.logprobs.pop();
            }
        },
    ];
    for (wrong, driver) in wrong.into_iter().flat_map(|w| DRIVERS.map(|d| (w, d))) {
        // Wrong for every batch that holds this question, and else right.
        let scorer = Scripted::new(move |batch, _| {
            let Outcome::Scores(mut scores) = good(batch) else {
                unreachable!()
            };
            if batch
                .iter()
                .any(|r| r.prompt.suffix.contains("What is 12 in"))
            {
                // The culprit comes last, so that it is the one whose shape is wrong.
                wrong(&mut scores);
            }
            (Duration::ZERO, Outcome::Scores(scores))
        });
        let mut setup = Setup::new(&[14], &[scorer]);
        setup.settings.batch = in_batches(4);
        setup.settings.retry.max_retries = 1;
        let keep = Arc::clone(&setup.kept);
        let summary = setup.run(driver);
        assert_eq!((summary.total().answered, summary.total().failed), (13, 1));
        assert!(matches!(
            keep.lock().unwrap().failures[0].1,
            ScoreError::Malformed { .. }
        ));
    }
}

#[test]
fn a_backend_or_an_observer_that_panics_does_not_hang_the_run() {
    for driver in DRIVERS {
        let scorer = Scripted::new(|batch, _| {
            let hit = batch
                .iter()
                .any(|r| r.prompt.suffix.contains("What is 5 in"));
            (
                Duration::ZERO,
                if hit { Outcome::Panic } else { good(batch) },
            )
        });
        let mut setup = Setup::new(&[30], &[scorer]);
        setup.settings.batch = in_batches(4);
        setup.observer = Arc::new(|event| {
            assert!(
                !matches!(event, Event::Failed { .. }),
                "the observer panics, too"
            );
        });
        let summary = setup.run(driver);
        assert_eq!((summary.total().answered, summary.total().failed), (29, 1));
    }
}

#[test]
fn what_was_sent_was_told_and_came_back() {
    for driver in DRIVERS {
        let scorer = Scripted::good();
        let mut setup = Setup::new(&[50, 50], &[Arc::clone(&scorer), scorer]);
        let counts: Arc<[AtomicUsize; 4]> = Arc::default();
        setup.observer = {
            let counts = Arc::clone(&counts);
            Arc::new(move |event: &Event| {
                let (i, n) = match event {
                    Event::Sent { count, load, .. } => {
                        assert!(load.in_flight <= load.limit && load.limit == 16);
                        (0, *count)
                    }
                    Event::Attempt(attempt) => {
                        assert_eq!((attempt.outcome(), attempt.status()), ("answered", None));
                        (1, attempt.questions.len())
                    }
                    Event::Answered { .. } => (2, 1),
                    _ => (3, 1),
                };
                counts[i].fetch_add(n, Ordering::SeqCst);
            })
        };
        setup.run(driver);
        let counts: Vec<usize> = counts.iter().map(|n| n.load(Ordering::SeqCst)).collect();
        // All events were told before the run returned.
        assert_eq!(counts, [100, 100, 100, 0], "{driver:?}");
    }
}

#[tokio::test]
async fn the_settings_choose_the_driver() {
    // The backend refuses blocking calls from async code and needs a runtime for others.
    for use_threads in [false, true] {
        let mut setup = Setup::new(&[20], &[Scripted::good()]);
        setup.settings.use_threads = use_threads;
        assert_eq!(setup.run_async().await.total().answered, 20);
    }
}

#[test]
fn threads_are_made_as_the_limit_grows() {
    // Every request waits until four others are there, too: with fewer threads nothing moves.
    let gate = Arc::new(std::sync::Barrier::new(4));
    let scorer = Scripted::new(move |batch, before| {
        if before > 0 {
            gate.wait();
        }
        (Duration::ZERO, good(batch))
    });
    let mut setup = Setup::new(&[41], &[scorer]);
    setup.settings = Settings {
        workers: Workers::Fixed(NonZeroUsize::new(4).unwrap()),
        ..Settings::default()
    };
    assert_eq!(setup.run(Driver::Threads).total().answered, 41);
}

#[test]
fn a_limit_that_grows_is_used_by_both_drivers() {
    for driver in DRIVERS {
        // A server with room for many at once.
        let scorer = Scripted::new(|batch, _| (Duration::from_millis(5), good(batch)));
        let mut setup = Setup::new(&[1500], &[scorer]);
        setup.settings.workers = Workers::default();
        let summary = setup.run(driver);
        assert_eq!(summary.total().answered, 1500);
        // Never more than allowed, and more than the few that a run begins with.
        assert!(
            summary.endpoints[0].peak >= 8,
            "{driver:?}: {}",
            summary.endpoints[0].peak
        );
    }
}
