//! Throttling, quotas, rates, and a slow store.

use sureness_scorers::Allowance;

use super::super::endpoint::Endpoint;
use super::super::finish::MAX_UNSAVED;
use super::*;
use crate::Stop;

#[test]
fn never_more_in_flight_than_the_limit() {
    let mut run = dispatch(settings(5), 1, &[50, 50, 50]);
    let seen = play(&mut run, |ticket, _| good(ticket, 10 * MS));
    assert_eq!(seen.most_in_flight, 5);
    // Three go ahead; the other 147 follow by fives.
    assert_eq!(seen.end, 310 * MS);
    assert_eq!(run.endpoint_summaries()[0].peak, 5);
}

#[test]
fn retry_after_is_kept_without_asking_all_the_others_meanwhile() {
    // Sixty requests a minute, counted from the first; then 429 until the minute is over.
    let mut run = dispatch(settings(4), 1, &[300]);
    let (mut window, mut count) = (Duration::ZERO, 0);
    let seen = play(&mut run, |ticket, now| {
        if now >= window + 60 * SECOND {
            (window, count) = (now, 0);
        }
        count += 1;
        if count > 60 {
            bad(
                ticket,
                5 * MS,
                &throttled(Some((window + 60 * SECOND).saturating_sub(now))),
            )
        } else {
            good(ticket, 100 * MS)
        }
    });
    assert_eq!((seen.answered(), seen.failed()), (300, vec![]));
    let rejected = run.endpoint_summaries()[0].throttled;
    assert!(rejected <= 4 * 5, "{rejected} rejected");
    assert!(seen.end < 250 * SECOND, "{:?}", seen.end);
}

#[test]
fn a_server_that_asks_for_a_day_stops_the_run_with_its_words_and_loses_nothing() {
    let day = 24 * 3600 * SECOND;
    let unavailable = ScoreError::Server {
        status: 503,
        retry_after: Some(day),
        message: "closed for today".into(),
    };
    for error in [throttled(Some(day)), unavailable] {
        let mut run = dispatch(settings(4), 1, &[300]);
        let mut count = 0;
        let seen = play(&mut run, |ticket, _| {
            count += 1;
            if count > 20 {
                return bad(ticket, 5 * MS, &error);
            }
            good(ticket, 100 * MS)
        });
        assert_eq!(run.stopped(), Some(&Stop::Fatal(error.clone())));
        // Those without an answer stay open, and nobody waits.
        assert_eq!((seen.answered(), seen.failed()), (20, vec![]));
        assert!(seen.end < 2 * SECOND, "{:?}", seen.end);
        // Another server answers what this one does not.
        let mut run = dispatch(settings(4), 2, &[300]);
        let seen = play(&mut run, |ticket, _| match ticket.endpoint {
            0 => bad(ticket, 5 * MS, &error),
            _ => good(ticket, 100 * MS),
        });
        assert_eq!((seen.answered(), seen.failed()), (300, vec![]));
        assert_eq!(run.stopped(), None);
    }
}

#[test]
fn a_long_wait_is_announced_once() {
    let mut run = dispatch(settings(4), 1, &[300]);
    let mut refused = 0;
    let seen = play(&mut run, |ticket, now| {
        if now < 300 * SECOND {
            refused += 1;
            return bad(
                ticket,
                5 * MS,
                &throttled(Some((300 * SECOND).saturating_sub(now))),
            );
        }
        good(ticket, 100 * MS)
    });
    assert_eq!((seen.answered(), seen.failed()), (300, vec![]));
    assert!(refused > 0);
    let announced = |event: &Event| {
        matches!(event, Event::Throttled { wait, reason, .. }
        if wait.as_secs() >= 290 && reason.contains("rate-limiting"))
    };
    assert_eq!(seen.count(announced), 1);
    assert_eq!(
        seen.count(|event| matches!(event, Event::Throttled { .. })),
        1
    );
    // A minute is no news.
    let mut run = dispatch(settings(4), 1, &[30]);
    let seen = play(&mut run, |ticket, now| match now {
        now if now < 30 * SECOND => bad(
            ticket,
            5 * MS,
            &throttled(Some((30 * SECOND).saturating_sub(now))),
        ),
        _ => good(ticket, 100 * MS),
    });
    assert_eq!(
        seen.count(|event| matches!(event, Event::Throttled { .. })),
        0
    );
}

#[test]
fn a_throttle_for_too_much_at_once_ends_with_the_next_answer() {
    // Four at once are served, a fifth is told to come back in five seconds.
    let mut settings = settings(5);
    settings.retry.max_retries = 20;
    let mut run = dispatch(settings, 1, &[400]);
    let mut busy: Vec<Duration> = Vec::new();
    let seen = play(&mut run, |ticket, now| {
        busy.retain(|end| *end > now);
        if busy.len() >= 4 {
            return bad(ticket, MS, &throttled(Some(5 * SECOND)));
        }
        busy.push(now + 100 * MS);
        good(ticket, 100 * MS)
    });
    assert_eq!(seen.answered(), 400);
    // 10 s at best. To wait five seconds each time would make it 400.
    assert!(seen.end < 40 * SECOND, "{:?}", seen.end);
}

#[test]
fn a_spent_quota_is_waited_for() {
    let mut run = dispatch(settings(4), 1, &[50]);
    let mut left = 10_u64;
    let mut renewed = Duration::ZERO;
    let seen = play(&mut run, |ticket, now| {
        if now >= renewed + 20 * SECOND {
            (renewed, left) = (now, 10);
        }
        let Some(less) = left.checked_sub(1) else {
            return bad(ticket, MS, &throttled(None));
        };
        left = less;
        let mut answer = good(ticket, 10 * MS);
        answer.quota.requests = Some(Allowance {
            remaining: left,
            resets_in: (renewed + 20 * SECOND).saturating_sub(now),
        });
        answer
    });
    assert_eq!(seen.answered(), 50);
    // One a window, that went off before the last allowance was told.
    let rejected = run.endpoint_summaries()[0].throttled;
    assert!(rejected <= 5, "{rejected}");
    assert!((80..=110).contains(&seen.end.as_secs()), "{:?}", seen.end);
}

#[test]
fn rates_hold_over_all_endpoints() {
    let limited = Settings {
        requests_per_minute: Some(120.0),
        ..settings(8)
    };
    let mut run = dispatch(limited, 2, &[300]);
    let seen = play(&mut run, |ticket, _| good(ticket, 10 * MS));
    let times: Vec<Duration> = seen.sent.iter().map(|(at, ..)| *at).collect();
    for (i, start) in times.iter().enumerate() {
        let in_minute = times[i..]
            .iter()
            .take_while(|at| **at < *start + 60 * SECOND)
            .count();
        assert!(in_minute <= 120, "{in_minute} in the minute from {start:?}");
    }
    assert!((148..=153).contains(&seen.end.as_secs()), "{:?}", seen.end);

    // 100 tokens each, as the server tells: 6000 a minute are one a second.
    let limited = Settings {
        tokens_per_minute: Some(6000.0),
        ..settings(8)
    };
    let mut run = dispatch(limited, 1, &[100]);
    let seen = play(&mut run, |ticket, _| good(ticket, 10 * MS));
    assert!((98..=102).contains(&seen.end.as_secs()), "{:?}", seen.end);
}

#[test]
fn a_slow_store_slows_the_requests() {
    let mut run = dispatch(settings(8), 1, &[3 * MAX_UNSAVED as u32]);
    let (mut events, mut sent) = (Vec::new(), 0);
    let mut ask = |run: &mut Dispatch| {
        while let Next::Send(ticket) = run.next(SECOND) {
            sent += 1;
            let reply = Reply::of(good(&ticket, MS).scores);
            run.finished(*ticket, reply, SECOND, &mut events);
        }
        sent
    };
    assert_eq!(ask(&mut run), MAX_UNSAVED);
    let (mut answers, mut times) = (Vec::new(), Vec::new());
    run.outbox.take(&mut answers, &mut times);
    assert_eq!((answers.len(), times.len()), (MAX_UNSAVED, MAX_UNSAVED));
    // Taken is not yet safe.
    assert_eq!(ask(&mut run), MAX_UNSAVED);
    assert!(run.outbox.saved(100));
    assert_eq!(ask(&mut run), MAX_UNSAVED + 100);
    assert!(!run.outbox.saved(0));
}

#[test]
fn far_fewer_cached_tokens_than_usual_are_a_cold_cache() {
    let mut endpoint = Endpoint::new(&Settings::default(), Hints::default());
    // Before anything is known, and on a server that has no cache, nothing is unusual.
    assert!(!endpoint.is_cold(0, 1));
    assert!(!endpoint.is_cold(0, 3));
    for _ in 0..20 {
        assert!(!endpoint.is_cold(750, 1));
    }
    assert!(!endpoint.is_cold(4 * 700, 4), "a list of prompts");
    assert!(endpoint.is_cold(1, 1), "another slot");
    assert!(!endpoint.is_cold(730, 1));
}
