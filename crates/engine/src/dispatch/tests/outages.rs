//! Endpoints that go away, and come back or not.

use super::*;
use crate::Stop;

pub(super) fn outages(seen: &Seen) -> (usize, usize) {
    (
        seen.count(|e| matches!(e, Event::Outage { .. })),
        seen.count(|e| matches!(e, Event::Resumed { .. })),
    )
}

#[test]
fn an_outage_pauses_the_run_and_costs_no_retries() {
    for error in [refused(), server_error(503)] {
        let mut settings = settings(8);
        settings.retry.max_retries = 2;
        let mut run = dispatch(settings, 1, &[500]);
        let away = SECOND..100 * SECOND;
        let seen = play(&mut run, |ticket, now| {
            if away.contains(&now) {
                bad(ticket, MS, &error)
            } else {
                good(ticket, 100 * MS)
            }
        });
        assert_eq!((seen.answered(), seen.failed()), (500, vec![]));
        assert_eq!(outages(&seen), (1, 1));
        let during: Vec<_> = seen
            .sent
            .iter()
            .filter(|(at, ..)| away.contains(at))
            .collect();
        // Those that found out, and then a probe of one question every 15 s at the most.
        assert!(during.len() < 30, "{}", during.len());
        let after = seen.sent.iter().find(|(at, ..)| *at >= away.end);
        assert!(after.is_some_and(|(at, ..)| *at <= away.end + 15 * SECOND));
        assert_eq!(run.endpoint_summaries()[0].outages, 1);
    }
}

#[test]
fn those_who_found_the_outage_have_all_their_retries_afterwards() {
    let mut settings = settings(8);
    settings.retry.max_retries = 1;
    let mut run = dispatch(settings, 1, &[200]);
    let mut unlucky = std::collections::HashSet::new();
    let seen = play(&mut run, |ticket, now| {
        let question = ticket.job.items[0].question;
        if now > SECOND && now < 10 * SECOND {
            unlucky.insert(question);
            bad(ticket, MS, &refused())
        } else if unlucky.remove(&question) {
            // The one retry that they have, they need.
            bad(ticket, MS, &ScoreError::TimedOut { seconds: 1 })
        } else {
            good(ticket, 100 * MS)
        }
    });
    assert_eq!((seen.answered(), seen.failed()), (200, vec![]));
    assert!(run.group_summaries()[0].retried >= 8);
}

#[test]
fn a_server_that_stays_away_is_given_up_and_nothing_is_lost() {
    let mut run = dispatch(settings(8), 1, &[500]);
    let seen = play(&mut run, |ticket, now| {
        if now > SECOND {
            bad(ticket, MS, &refused())
        } else {
            good(ticket, 100 * MS)
        }
    });
    let Some(Stop::GaveUp { after, error }) = run.stopped() else {
        panic!("{:?}", run.stopped())
    };
    assert_eq!(*error, refused());
    assert!(*after >= 600 * SECOND && *after < 616 * SECOND, "{after:?}");
    assert_eq!(outages(&seen), (1, 0));
    // Nobody was given up for the server's absence.
    assert_eq!(seen.failed(), []);
    assert!(seen.answered() > 70);
}

#[test]
fn broken_connections_here_and_there_are_no_outage() {
    let mut run = dispatch(settings(16), 1, &[2000]);
    let mut n = 0_u32;
    let seen = play(&mut run, |ticket, _| {
        n += 1;
        // Retries wait for random times: without the second condition one question in 7⁶ would meet
        // nothing but broken connections.
        if n.is_multiple_of(7) && ticket.job.attempt < 3 {
            bad(ticket, MS, &refused())
        } else {
            good(ticket, 10 * MS)
        }
    });
    assert_eq!(seen.answered(), 2000);
    assert_eq!(outages(&seen), (0, 0));
}

#[test]
fn the_loss_of_one_endpoint_is_survived() {
    let mut run = dispatch(settings(4), 2, &[1000]);
    let seen = play(&mut run, |ticket, now| {
        if ticket.endpoint == 1 && now > SECOND {
            bad(ticket, MS, &refused())
        } else {
            good(ticket, 50 * MS)
        }
    });
    assert_eq!((seen.answered(), seen.failed()), (1000, vec![]));
    assert_eq!(outages(&seen), (0, 0));
    assert_eq!(
        seen.count(|e| matches!(e, Event::EndpointDown { endpoint: 1, .. })),
        1
    );
    let lost = &run.endpoint_summaries()[1];
    assert_eq!(lost.outages, 1);
    assert!(lost.answered > 70);
}

#[test]
fn load_goes_to_the_endpoint_with_the_least_to_do() {
    let mut run = dispatch(settings(8), 2, &[2000]);
    play(&mut run, |ticket, _| {
        good(
            ticket,
            if ticket.endpoint == 0 {
                10 * MS
            } else {
                40 * MS
            },
        )
    });
    let [fast, slow] = [0, 1].map(|e| run.endpoint_summaries()[e].answered as f64);
    assert!((3.0..5.0).contains(&(fast / slow)), "{fast} and {slow}");
}

#[test]
fn an_error_for_good_takes_an_endpoint_out_and_the_last_one_stops_the_run() {
    let unauthorized = ScoreError::Unauthorized {
        status: 401,
        message: "who are you".into(),
    };
    let mut run = dispatch(settings(4), 2, &[200]);
    let seen = play(&mut run, |ticket, _| match ticket.endpoint {
        0 => bad(ticket, MS, &unauthorized),
        _ => good(ticket, 10 * MS),
    });
    assert_eq!((seen.answered(), seen.failed()), (200, vec![]));
    assert_eq!(run.stopped(), None);
    assert_eq!(run.endpoint_summaries()[0].lost, Some(unauthorized.clone()));

    let mut run = dispatch(settings(4), 1, &[200]);
    let seen = play(&mut run, |ticket, now| {
        if now > SECOND {
            bad(ticket, MS, &unauthorized)
        } else {
            good(ticket, 100 * MS)
        }
    });
    assert_eq!(run.stopped(), Some(&Stop::Fatal(unauthorized)));
    assert!(seen.failed().len() <= 4);
    assert!(seen.answered() >= 30);
}

#[test]
fn a_timeout_during_an_outage_is_part_of_it() {
    let mut settings = settings(2);
    settings.retry.max_retries = 0;
    let mut run = dispatch(settings, 1, &[200]);
    let mut n = 0;
    let seen = play(&mut run, |ticket, now| {
        n += 1;
        if n < 40 {
            good(ticket, 100 * MS)
        } else if now < 60 * SECOND {
            // The machine goes down; its address answers with nothing at all.
            let error = if n < 46 {
                server_error(503)
            } else {
                ScoreError::TimedOut { seconds: 5 }
            };
            bad(ticket, 5 * SECOND, &error)
        } else {
            good(ticket, 100 * MS)
        }
    });
    assert_eq!(outages(&seen), (1, 1));
    // Without retries, those who found out are lost, but no more.
    assert!(seen.failed().len() < 6, "{:?}", seen.failed());
    assert_eq!(seen.answered() + seen.failed().len(), 200);
}

fn unauthorized() -> ScoreError {
    ScoreError::Unauthorized {
        status: 401,
        message: "no".into(),
    }
}

#[test]
fn a_single_refusal_is_a_slip_and_several_in_a_row_end_the_run() {
    // The tenth request is refused, alone or with all that follow.
    for last in [10, u32::MAX] {
        let mut count = 0;
        let mut run = dispatch(settings(1), 1, &[30]);
        let seen = play(&mut run, |ticket, _| {
            count += 1;
            if (10..=last).contains(&count) {
                bad(ticket, MS, &unauthorized())
            } else {
                good(ticket, MS)
            }
        });
        let sent = seen.sent.len();
        if last == 10 {
            assert_eq!((seen.answered(), sent, seen.failed()), (30, 31, vec![]));
        } else {
            assert_eq!((seen.answered(), sent), (9, 12));
        }
    }
}

fn reset() -> ScoreError {
    ScoreError::Unreachable {
        message: "connection reset by peer".into(),
        connected: true,
    }
}

#[test]
fn the_last_question_may_break_the_server_and_fails_alone() {
    for error in [reset(), server_error(502), server_error(500)] {
        for poisoned in [&[299][..], &[3, 150, 298, 299]] {
            for batch in [1, 8] {
                let mut settings = settings(8);
                settings.batch = batches(batch);
                let mut run = dispatch(settings, 1, &[300]);
                let seen = play(&mut run, |ticket, _| {
                    let items = &ticket.job.items;
                    if items.iter().any(|open| poisoned.contains(&open.question)) {
                        bad(ticket, MS, &error)
                    } else {
                        good(ticket, 10 * MS)
                    }
                });
                assert_eq!(run.stopped(), None, "{error}");
                assert_eq!(outages(&seen), (0, 0), "{error}");
                let failed: Vec<_> = poisoned.iter().map(|&question| (0, question)).collect();
                assert_eq!(seen.failed(), failed, "{error}");
                assert_eq!(seen.answered(), 300 - poisoned.len());
            }
        }
    }
}

#[test]
fn resets_of_everything_are_an_outage() {
    let mut run = dispatch(settings(8), 1, &[300]);
    let seen = play(&mut run, |ticket, now| {
        if now > SECOND && now < 60 * SECOND {
            bad(ticket, MS, &reset())
        } else {
            good(ticket, 100 * MS)
        }
    });
    assert_eq!((seen.answered(), seen.failed()), (300, vec![]));
    assert_eq!(outages(&seen), (1, 1));
}

fn malformed() -> ScoreError {
    ScoreError::Malformed {
        message: "no JSON".into(),
    }
}

#[test]
fn a_server_that_nobody_understands_is_given_up_early() {
    for batch in [1, 8] {
        let mut settings = settings(4);
        settings.batch = batches(batch);
        let mut run = dispatch(settings, 1, &[5000]);
        let seen = play(&mut run, |ticket, _| bad(ticket, 50 * MS, &malformed()));
        let Some(Stop::Fatal(ScoreError::Malformed { message })) = run.stopped() else {
            panic!("{:?}", run.stopped())
        };
        assert!(message.contains("in a row") && message.contains("no JSON"));
        assert!(seen.end < 10 * SECOND, "{:?}", seen.end);
        // Nobody is given up for it: the next run asks everything.
        assert_eq!(seen.failed(), []);
    }
}

#[test]
fn one_that_was_understood_before_has_more_time() {
    for (away, stops) in [(20, false), (600, true)] {
        let mut run = dispatch(settings(4), 1, &[5000]);
        let seen = play(&mut run, |ticket, now| {
            if now > SECOND && now < away * SECOND {
                bad(ticket, 50 * MS, &malformed())
            } else {
                good(ticket, 50 * MS)
            }
        });
        assert_eq!(run.stopped().is_some(), stops, "{:?}", run.stopped());
        assert!(!stops || seen.end < 60 * SECOND, "{:?}", seen.end);
        assert!(stops || seen.answered() > 4900);
    }
}

#[test]
fn the_loss_of_an_endpoint_that_nobody_understands_is_survived() {
    let mut run = dispatch(settings(4), 2, &[2000]);
    let seen = play(&mut run, |ticket, _| {
        if ticket.endpoint == 1 {
            bad(ticket, 50 * MS, &malformed())
        } else {
            good(ticket, 50 * MS)
        }
    });
    assert_eq!((seen.answered(), seen.failed()), (2000, vec![]));
    assert!(run.endpoint_summaries()[1].lost.is_some());
}

#[test]
fn a_few_questions_that_get_no_good_answer_end_nothing() {
    let mut run = dispatch(settings(4), 1, &[300]);
    let seen = play(&mut run, |ticket, _| {
        if ticket.job.items[0].question >= 280 {
            bad(ticket, 50 * MS, &malformed())
        } else {
            good(ticket, 50 * MS)
        }
    });
    assert_eq!((run.stopped(), seen.answered()), (None, 280));
    assert_eq!(seen.failed().len(), 20);
}
