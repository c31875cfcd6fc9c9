//! How a run ends early, and what it leaves.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use sureness_engine::{Event, SinkError, Stop};
use sureness_scorers::ScoreError;

use super::support::{DRIVERS, Driver, Outcome, Scripted, Setup, bad, good};

#[test]
fn a_cancelled_run_keeps_what_is_in_flight_and_the_next_one_asks_the_rest() {
    for driver in DRIVERS {
        let scorer = Scripted::good();
        let mut first = Setup::new(&[200], &[Arc::clone(&scorer)]);
        let (cancel, keep) = (first.cancel.clone(), Arc::clone(&first.kept));
        let answered = Arc::new(AtomicUsize::new(0));
        first.observer = {
            let answered = Arc::clone(&answered);
            Arc::new(move |event| {
                if matches!(event, Event::Answered { .. })
                    && answered.fetch_add(1, Ordering::SeqCst) == 50
                {
                    cancel.cancel();
                }
            })
        };
        let summary = first.run(driver);
        assert_eq!(summary.stop, Some(Stop::Interrupted));
        let total = summary.total();
        assert!(
            (51..=70).contains(&total.answered),
            "{driver:?}: {}",
            total.answered
        );
        assert_eq!(total.failed, 0);
        // Everything that was asked was answered and kept.
        assert_eq!(scorer.asked().len(), total.answered);
        assert_eq!(keep.lock().unwrap().answers.len(), total.answered);

        let mut second = Setup::new(&[200], &[Arc::clone(&scorer)]);
        second.kept = Arc::clone(&keep);
        let summary = second.run(driver);
        assert_eq!(summary.total().cached, total.answered);
        assert_eq!(keep.lock().unwrap().answers.len(), 200);
        assert!(scorer.asked().values().all(|&times| times == 1));
    }
}

#[test]
fn a_run_cancelled_before_it_begins_asks_nothing() {
    for driver in DRIVERS {
        let scorer = Scripted::good();
        let setup = Setup::new(&[200], &[Arc::clone(&scorer)]);
        setup.cancel.cancel();
        let summary = setup.run(driver);
        assert_eq!(summary.stop, Some(Stop::Interrupted));
        assert_eq!((summary.total().planned, summary.total().cached), (200, 0));
        assert!(scorer.asked().is_empty());
    }
}

#[test]
fn a_run_stopped_now_does_not_wait_for_what_is_in_flight() {
    for driver in DRIVERS {
        // After ten answers the server falls silent.
        let silent = Arc::new((Mutex::new(true), Condvar::new()));
        let scorer = Scripted::new({
            let silent = Arc::clone(&silent);
            move |batch, before| {
                if before < 10 {
                    return (Duration::ZERO, good(batch));
                }
                if driver == Driver::Threads {
                    let held = silent
                        .1
                        .wait_while(silent.0.lock().unwrap(), |silent| *silent);
                    drop(held.unwrap());
                }
                (Duration::from_secs(3600), good(batch))
            }
        });
        let mut setup = Setup::new(&[200], &[scorer]);
        let (cancel, keep) = (setup.cancel.clone(), Arc::clone(&setup.kept));
        let sent = Arc::new(AtomicUsize::new(0));
        setup.observer = {
            let sent = Arc::clone(&sent);
            Arc::new(move |event| {
                // Eight are in flight, and no more may be.
                if matches!(event, Event::Sent { .. }) && sent.fetch_add(1, Ordering::SeqCst) == 17
                {
                    let cancel = cancel.clone();
                    std::thread::spawn(move || {
                        cancel.cancel();
                        cancel.now();
                    });
                }
            })
        };
        let summary = setup.run(driver);
        assert_eq!(summary.stop, Some(Stop::Interrupted));
        assert_eq!((summary.total().answered, summary.total().failed), (10, 0));
        assert_eq!(keep.lock().unwrap().answers.len(), 10);
        *silent.0.lock().unwrap() = false;
        silent.1.notify_all();
    }
}

/// Sets a flag when the sink goes.
struct Gone(Arc<AtomicBool>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_run_that_nobody_waits_for_any_more_ends() {
    let scorer = Scripted::new(|batch, before| {
        let after = if before < 10 { 0 } else { 3600 };
        (Duration::from_secs(after), good(batch))
    });
    let mut setup = Setup::new(&[200], &[scorer]);
    let (kept, gone) = (Arc::clone(&setup.kept), Arc::new(AtomicBool::new(false)));
    let flag = Gone(Arc::clone(&gone));
    setup.before_write = Box::new(move || {
        let _held = &flag;
        Ok(())
    });
    let arrived = Arc::new(tokio::sync::Semaphore::new(0));
    setup.observer = {
        let arrived = Arc::clone(&arrived);
        Arc::new(move |event| {
            if matches!(event, Event::Answered { .. }) {
                arrived.add_permits(1);
            }
        })
    };
    {
        let run = setup.run_async();
        tokio::pin!(run);
        tokio::select! {
            _ = &mut run => panic!("the server never answers"),
            permits = arrived.acquire_many(10) => drop(permits),
        }
    }
    // Writer and sink go, with what had arrived kept.
    while !gone.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(kept.lock().unwrap().answers.len(), 10);
}

#[test]
fn a_sink_that_fails_stops_the_run() {
    for driver in DRIVERS {
        let scorer = Scripted::good();
        let mut setup = Setup::new(&[5000], &[Arc::clone(&scorer)]);
        let mut writes = 0;
        setup.before_write = Box::new(move || {
            writes += 1;
            if writes < 3 {
                return Ok(());
            }
            Err(SinkError {
                message: "the disk is full".into(),
            })
        });
        let keep = Arc::clone(&setup.kept);
        let summary = setup.run(driver);
        assert_eq!(summary.stop, Some(Stop::Sink("the disk is full".into())));
        assert_eq!(keep.lock().unwrap().writes, 2);
        assert!(scorer.asked().len() < 5000);
    }
}

#[test]
fn a_slow_sink_slows_the_requests_down() {
    for driver in DRIVERS {
        let asked = Arc::new(AtomicUsize::new(0));
        let scorer = Scripted::new({
            let asked = Arc::clone(&asked);
            move |batch, _| {
                asked.fetch_add(1, Ordering::SeqCst);
                (Duration::ZERO, good(batch))
            }
        });
        let mut setup = Setup::new(&[9000], &[scorer]);
        let stuck = Arc::new(AtomicUsize::new(0));
        setup.before_write = {
            let (stuck, mut first) = (Arc::clone(&stuck), true);
            Box::new(move || {
                // The first write takes until nothing more is asked, however long that is.
                while std::mem::take(&mut first) {
                    let mut before = usize::MAX;
                    while before != asked.load(Ordering::SeqCst) || before < 4096 {
                        before = asked.load(Ordering::SeqCst);
                        std::thread::sleep(Duration::from_millis(100));
                    }
                    stuck.store(before, Ordering::SeqCst);
                }
                Ok(())
            })
        };
        let summary = setup.run(driver);
        assert_eq!(summary.total().answered, 9000);
        let stuck = stuck.load(Ordering::SeqCst);
        assert!(
            (4096..=4096 + 8).contains(&stuck),
            "{driver:?}: {stuck} asked with a stuck sink"
        );
    }
}

#[test]
fn an_error_for_good_stops_the_run() {
    for driver in DRIVERS {
        let scorer = Scripted::new(|batch, before| {
            let error = ScoreError::NotFound {
                message: "no such model".into(),
            };
            (
                Duration::ZERO,
                if before < 20 {
                    good(batch)
                } else {
                    bad(batch, &error)
                },
            )
        });
        let summary = Setup::new(&[2000], &[Arc::clone(&scorer)]).run(driver);
        assert!(matches!(
            summary.stop,
            Some(Stop::Fatal(ScoreError::NotFound { .. }))
        ));
        assert_eq!(summary.total().answered, 20);
        // Believed when it was said three times, by eight workers each time.
        let asked = scorer.asked().len();
        assert!(asked <= 20 + 3 * 8, "{asked} asked");
        assert!(summary.endpoints[0].lost.is_some());
    }
}

#[test]
fn nobody_to_ask_is_an_error() {
    let summary = Setup::new(&[3], &[]).run(Driver::Tasks);
    assert!(matches!(
        summary.stop,
        Some(Stop::Fatal(ScoreError::Backend { .. }))
    ));
    assert_eq!(summary.total().planned, 3);
}

#[test]
fn an_interrupt_wakes_a_run_that_waits() {
    for driver in DRIVERS {
        // Every question waits for its retry.
        let scorer = Scripted::new(|batch, _| {
            let error = ScoreError::RateLimited {
                retry_after: Some(Duration::from_secs(300)),
                message: String::new(),
            };
            (Duration::ZERO, bad(batch, &error))
        });
        let mut setup = Setup::new(&[3], &[scorer]);
        let cancel = setup.cancel.clone();
        setup.observer = Arc::new(move |event| {
            if matches!(event, Event::Retrying { .. }) {
                let cancel = cancel.clone();
                std::thread::spawn(move || cancel.cancel());
            }
        });
        let summary = setup.run(driver);
        assert_eq!(summary.stop, Some(Stop::Interrupted));
        assert_eq!(summary.total().failed, 0);
    }
}

#[test]
fn questions_that_fail_are_kept_with_their_reason() {
    for driver in DRIVERS {
        let scorer = Scripted::new(|batch, _| {
            let error = ScoreError::Rejected {
                status: 400,
                message: "no".into(),
            };
            let hit = batch[0].key.0[0].is_multiple_of(4);
            let outcome: Outcome = if hit { bad(batch, &error) } else { good(batch) };
            (Duration::ZERO, outcome)
        });
        let setup = Setup::new(&[300], &[scorer]);
        let keep = Arc::clone(&setup.kept);
        let total = setup.run(driver).total();
        let kept = keep.lock().unwrap();
        assert_eq!(total.answered + total.failed, 300);
        assert_eq!(
            (kept.answers.len(), kept.failures.len()),
            (total.answered, total.failed)
        );
        assert!(
            kept.failures
                .iter()
                .all(|(key, _)| key.0[0].is_multiple_of(4))
        );
    }
}
