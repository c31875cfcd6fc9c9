//! Batches, and finding the one that breaks them.

use super::*;

fn in_batches(of: usize, max_retries: u32) -> Settings {
    let mut settings = Settings {
        batch: batches(of),
        ..settings(2)
    };
    settings.retry.max_retries = max_retries;
    settings.retry.base = MS;
    settings
}

/// A whole request fails as soon as one of these is in it.
fn poisoned(
    culprits: &'static [u32],
    error: ScoreError,
) -> impl FnMut(&Ticket, Duration) -> Answered {
    move |ticket, _| {
        let hit = ticket
            .job
            .items
            .iter()
            .any(|open| culprits.contains(&open.question));
        if hit {
            bad(ticket, MS, &error)
        } else {
            good(ticket, MS)
        }
    }
}

#[test]
fn only_the_culprit_of_a_batch_fails() {
    let too_long = ScoreError::ContextTooLong {
        tokens: None,
        limit: None,
    };
    let malformed = ScoreError::Malformed {
        message: "?".into(),
    };
    let late = ScoreError::TimedOut { seconds: 1 };
    for error in [rejected(), too_long, malformed, late, server_error(500)] {
        for max_retries in [0, 1, 5] {
            let mut run = dispatch(in_batches(16, max_retries), 1, &[100]);
            let seen = play(&mut run, poisoned(&[20, 21, 77], error.clone()));
            assert_eq!(
                (seen.answered(), seen.failed()),
                (97, vec![(0, 20), (0, 21), (0, 77)]),
                "{error}, {max_retries} retries"
            );
        }
    }
}

#[test]
fn a_question_that_breaks_the_connection_is_found_while_others_are_answered() {
    let mut run = dispatch(in_batches(4, 2), 1, &[1000]);
    let seen = play(&mut run, poisoned(&[20], refused()));
    assert_eq!((seen.answered(), seen.failed()), (999, vec![(0, 20)]));
    assert_eq!(seen.count(|e| matches!(e, Event::Outage { .. })), 0);
}

#[test]
fn an_innocent_batch_is_not_split() {
    let mut run = dispatch(in_batches(8, 3), 1, &[65]);
    let mut n = 0;
    let seen = play(&mut run, |ticket, _| {
        n += 1;
        if n == 5 {
            bad(ticket, MS, &server_error(500))
        } else {
            good(ticket, MS)
        }
    });
    assert_eq!(seen.answered(), 65);
    // One ahead, eight batches, one of them twice.
    assert_eq!(seen.sent.len(), 10);
}

#[test]
fn members_that_fail_differently_are_dealt_with_one_by_one() {
    let mut run = dispatch(in_batches(4, 0), 1, &[5]);
    let seen = play(&mut run, |ticket, _| {
        each(ticket, MS, |question| match question {
            2 => Err(rejected()),
            3 => Err(ScoreError::NoOptionSeen {
                top_k: 5,
                first: "x".into(),
                chat: false,
            }),
            _ => Ok(scores()),
        })
    });
    assert_eq!((seen.answered(), seen.failed()), (3, vec![(0, 2), (0, 3)]));
    assert_eq!(seen.sent.len(), 2);
}

#[test]
fn the_answered_members_of_a_batch_are_not_asked_again() {
    let mut run = dispatch(in_batches(10, 5), 1, &[11]);
    let mut n = 0;
    let seen = play(&mut run, |ticket, _| {
        n += 1;
        let first = n == 2;
        each(ticket, MS, |q| {
            if first && q % 2 == 0 {
                Err(server_error(500))
            } else {
                Ok(scores())
            }
        })
    });
    assert_eq!(seen.answered(), 11);
    assert!((1..11).all(|q| seen.times_asked(q) == if q % 2 == 0 { 2 } else { 1 }));
}

#[test]
fn auto_finds_the_batch_size_of_the_server() {
    let settings = Settings {
        batch: BatchSize::Auto,
        ..settings(1)
    };
    let mut run = dispatch(settings, 1, &[4000]);
    // 20 ms per request and 1 ms per question.
    let seen = play(&mut run, |ticket, _| {
        let n = ticket.job.items.len() as u32;
        good(ticket, MS * (20 + n))
    });
    // At best 4000/64 · 84 ms = 5.25 s; one by one it would be 84 s.
    assert!(seen.end < 9 * SECOND, "{:?}", seen.end);
}
