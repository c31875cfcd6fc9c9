//! Retries, stragglers, and what a stop leaves.

use super::*;
use crate::Stop;

#[test]
fn a_waiting_retry_holds_no_slot() {
    let mut run = dispatch(settings(1), 1, &[20]);
    let mut first = true;
    let seen = play(&mut run, |ticket, _| {
        if ticket.job.items[0].question == 3 && std::mem::take(&mut first) {
            bad(ticket, 10 * MS, &server_error(500))
        } else {
            good(ticket, 10 * MS)
        }
    });
    assert_eq!((seen.answered(), seen.failed()), (20, vec![]));
    assert_eq!((seen.times_asked(3), seen.most_in_flight), (2, 1));
    // All others were asked one after the other, as if nothing had happened.
    let others = seen.sent.iter().filter(|(.., questions)| questions[0] != 3);
    let others: Vec<_> = others.map(|(at, ..)| *at).collect();
    assert!(others.iter().all(|at| *at < 250 * MS), "{others:?}");
    let Some((_, Event::Retrying { wait, .. })) = seen
        .events
        .iter()
        .find(|(_, e)| matches!(e, Event::Retrying { .. }))
    else {
        panic!("no retry was reported")
    };
    assert!(seen.end >= *wait);
    assert_eq!(run.group_summaries()[0].retried, 1);
}

#[test]
fn a_question_fails_after_its_retries_and_leaves_the_others_alone() {
    let mut settings = settings(4);
    settings.retry.max_retries = 2;
    let mut run = dispatch(settings, 1, &[20]);
    let seen = play(&mut run, |ticket, _| {
        each(ticket, 10 * MS, |q| {
            if q == 7 {
                Err(server_error(500))
            } else {
                Ok(scores())
            }
        })
    });
    assert_eq!((seen.answered(), seen.failed()), (19, vec![(0, 7)]));
    assert_eq!(seen.times_asked(7), 3);
    assert_eq!(seen.sent.len(), 22);
}

#[test]
fn no_group_waits_for_a_straggler_of_another() {
    let mut run = dispatch(settings(4), 1, &[10, 10, 10]);
    let seen = play(&mut run, |ticket, _| {
        let slow = ticket.job.group == 0 && ticket.job.items[0].question == 0;
        good(ticket, if slow { 60 * SECOND } else { SECOND })
    });
    // The other two groups are done by three workers long before.
    let last_of_others = seen
        .sent
        .iter()
        .filter(|(_, _, group, _)| *group > 0)
        .map(|(at, ..)| *at)
        .max();
    assert!(
        last_of_others.is_some_and(|at| at < 12 * SECOND),
        "{last_of_others:?}"
    );
    assert_eq!(seen.answered(), 30);
}

#[test]
fn the_order_is_that_of_the_plan_with_one_ahead() {
    let mut run = dispatch(settings(3), 1, &[6, 6]);
    let seen = play(&mut run, |ticket, _| good(ticket, SECOND));
    let order: Vec<(u32, u32)> = seen.sent.iter().map(|(_, _, g, q)| (*g, q[0])).collect();
    // Both forerunners first, since there is nothing else to do; then all of the first group.
    assert_eq!(order[..2], [(0, 0), (1, 0)]);
    assert_eq!(order[2..7], [(0, 1), (0, 2), (0, 3), (0, 4), (0, 5)]);
}

#[test]
fn a_sick_server_is_not_beaten() {
    let mut settings = settings(8);
    settings.retry.base = 10 * MS;
    let mut run = dispatch(settings, 1, &[10_000]);
    let seen = play_until(&mut run, 10 * SECOND, |ticket, _| {
        bad(ticket, 10 * MS, &ScoreError::TimedOut { seconds: 1 })
    });
    let retries = seen.count(|e| matches!(e, Event::Attempt(a) if a.attempt > 1));
    let share = retries as f64 / seen.sent.len() as f64;
    assert!(
        share < 0.25,
        "{retries} of {} requests were retries",
        seen.sent.len()
    );
    // Not one has failed for it: they wait.
    let tried_out = seen.count(|e| matches!(e, Event::Failed { .. }));
    let sixth = seen.count(|e| matches!(e, Event::Attempt(a) if a.attempt == 6));
    assert_eq!(tried_out, sixth);
}

#[test]
fn errors_at_random_are_retried_without_delay_by_the_budget() {
    let mut settings = settings(16);
    settings.retry.base = 10 * MS;
    let mut run = dispatch(settings, 1, &[5_000]);
    let mut n = 0_u32;
    let seen = play(&mut run, |ticket, _| {
        n += 1;
        if n.wrapping_mul(2_654_435_761) % 10 < 3 {
            bad(ticket, 10 * MS, &server_error(500))
        } else {
            good(ticket, 10 * MS)
        }
    });
    assert!(seen.failed().len() < 50);
    // 7,100 requests of 10 ms over 16 workers take 4.5 s.
    assert!(seen.end < 6 * SECOND, "{:?}", seen.end);
}

#[test]
fn retries_prefer_another_endpoint() {
    let mut settings = settings(2);
    settings.retry.base = MS;
    let mut run = dispatch(settings, 2, &[200]);
    let seen = play(&mut run, |ticket, _| match ticket.endpoint {
        0 => bad(ticket, MS, &server_error(500)),
        _ => good(ticket, 10 * MS),
    });
    assert_eq!((seen.answered(), seen.failed()), (200, vec![]));
    // The one that fails fast does not draw the work.
    let to_bad = seen.sent.iter().filter(|(_, e, ..)| *e == 0).count();
    assert!(
        to_bad < 100,
        "{to_bad} of {} went to the broken endpoint",
        seen.sent.len()
    );
}

#[test]
fn a_stop_keeps_what_is_in_flight_and_asks_nothing_more() {
    let mut run = dispatch(settings(4), 1, &[100]);
    let mut tickets = Vec::new();
    // One ahead, then its followers.
    let Next::Send(first) = run.next(SECOND) else {
        panic!()
    };
    let reply = |ticket: &Ticket| Reply::of(good(ticket, MS).scores);
    let (first_reply, mut events) = (reply(&first), Vec::new());
    run.finished(*first, first_reply, SECOND, &mut events);
    while let Next::Send(ticket) = run.next(SECOND) {
        tickets.push(ticket);
    }
    assert_eq!(tickets.len(), 4);
    run.stop(Stop::Interrupted);
    assert!(matches!(run.next(SECOND), Next::Wait(None)));
    // Two are answered, one fails in a way that would be retried, one is dropped.
    for _ in 0..2 {
        let ticket = tickets.pop().unwrap();
        let reply = reply(&ticket);
        run.finished(*ticket, reply, SECOND, &mut events);
    }
    let ticket = tickets.pop().unwrap();
    let failed = Reply::of(bad(&ticket, MS, &server_error(500)).scores);
    run.finished(*ticket, failed, SECOND, &mut events);
    run.dropped(&tickets.pop().unwrap());
    assert!(matches!(run.next(SECOND), Next::Over));
    let total = &run.group_summaries()[0];
    assert_eq!((total.answered, total.failed), (3, 0));
    assert_eq!(run.outbox.len(), 3);
    assert_eq!(run.stopped(), Some(&Stop::Interrupted));
}

#[test]
fn to_interrupt_what_is_complete_changes_nothing() {
    let mut run = dispatch(settings(4), 1, &[10]);
    play(&mut run, |ticket, _| good(ticket, MS));
    run.stop(Stop::Interrupted);
    assert_eq!(run.stopped(), None);
}
