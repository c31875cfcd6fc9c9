//! Routers and proxies, whose servers differ from one moment to the next.

use super::outages::outages;
use super::*;
use crate::Stop;

#[test]
fn log_probabilities_that_are_missing_now_and_then_are_asked_for_again() {
    // Answers without them come at once, the others take their time, and many are in flight.
    for (every, in_flight) in [(2, 1), (2, 128), (10, 64)] {
        let mut settings = settings(in_flight);
        settings.retry.max_retries = 200;
        let mut run = dispatch(settings, 1, &[1000]);
        let mut count = 0;
        let seen = play(&mut run, |ticket, _| {
            count += 1;
            if count % every == 0 {
                good(ticket, 50 * MS)
            } else {
                bad(ticket, MS / 10, &ScoreError::NoLogprobs)
            }
        });
        assert_eq!(
            (run.stopped(), seen.answered()),
            (None, 1000),
            "1 in {every}"
        );
        let without = run.endpoint_summaries()[0].without_logprobs;
        assert_eq!(without as usize, seen.sent.len() - 1000);
    }
}

#[test]
fn a_server_without_log_probabilities_is_given_up_and_nothing_is_lost() {
    for (good_ones, in_flight) in [(0, 1), (0, 64), (300, 64)] {
        let mut run = dispatch(settings(in_flight), 1, &[3000]);
        let mut count = 0;
        let seen = play(&mut run, |ticket, _| {
            count += 1;
            if count <= good_ones {
                good(ticket, 50 * MS)
            } else {
                bad(ticket, 50 * MS, &ScoreError::NoLogprobs)
            }
        });
        assert_eq!(run.stopped(), Some(&Stop::Fatal(ScoreError::NoLogprobs)));
        assert_eq!((seen.answered(), seen.failed()), (good_ones, vec![]));
        assert!(seen.sent.len() < 1200, "{}", seen.sent.len());
    }
}

#[test]
fn an_outage_behind_a_proxy_is_waited_for_whatever_its_status() {
    for (error, begins) in [
        (server_error(500), SECOND),
        (server_error(520), SECOND),
        (server_error(529), Duration::ZERO),
    ] {
        let mut run = dispatch(settings(8), 1, &[300]);
        let seen = play(&mut run, |ticket, now| {
            if now >= begins && now < 120 * SECOND {
                bad(ticket, MS, &error)
            } else {
                good(ticket, 100 * MS)
            }
        });
        assert_eq!((seen.answered(), seen.failed()), (300, vec![]), "{error}");
        assert_eq!(outages(&seen), (1, 1), "{error}");
    }
}

#[test]
fn a_proxy_that_has_reached_nobody_is_believed_with_one_question_left() {
    let error = ScoreError::Server {
        status: 500,
        retry_after: None,
        message: "InternalServerError: Connection refused".into(),
    };
    let mut run = dispatch(settings(8), 1, &[1]);
    let seen = play(&mut run, |ticket, now| {
        if now < 300 * SECOND {
            bad(ticket, MS, &error)
        } else {
            good(ticket, MS)
        }
    });
    assert_eq!((seen.answered(), outages(&seen)), (1, (1, 1)));
}

#[test]
fn many_questions_that_the_server_fails_on_end_nothing() {
    for error in [server_error(500), server_error(502)] {
        let mut run = dispatch(settings(4), 1, &[300]);
        let seen = play(&mut run, |ticket, _| {
            let question = ticket.job.items[0].question;
            if (100..120).contains(&question) {
                bad(ticket, 10 * MS, &error)
            } else {
                good(ticket, 10 * MS)
            }
        });
        assert_eq!((run.stopped(), seen.answered()), (None, 280), "{error}");
        assert_eq!(seen.failed().len(), 20);
        assert!(seen.end < 200 * SECOND, "{:?}", seen.end);
    }
}

#[test]
fn a_used_up_quota_ends_the_run_and_loses_nothing() {
    let error = ScoreError::RateLimited {
        retry_after: None,
        message: "You exceeded your current quota. (insufficient_quota)".into(),
    };
    let mut run = dispatch(settings(4), 1, &[200]);
    let seen = play(&mut run, |ticket, now| {
        if now > SECOND {
            bad(ticket, MS, &error)
        } else {
            good(ticket, 100 * MS)
        }
    });
    assert_eq!(run.stopped(), Some(&Stop::Fatal(error)));
    assert_eq!(seen.failed(), []);
    assert!(seen.end < 60 * SECOND, "{:?}", seen.end);
}
