//! What holds whatever the servers do.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

/// What may come back for a request, by number.
fn misbehave(kind: u8, ticket: &Ticket, after: Duration) -> Answered {
    match kind {
        0 => bad(ticket, after, &refused()),
        1 => bad(ticket, after, &server_error(503)),
        2 => bad(ticket, after, &server_error(500)),
        3 => bad(ticket, after, &ScoreError::TimedOut { seconds: 1 }),
        4 => bad(ticket, after, &throttled(None)),
        5 => bad(ticket, after, &throttled(Some(2 * SECOND))),
        6 => bad(ticket, after, &rejected()),
        7 => each(ticket, after, |q| {
            if q % 3 == 0 {
                Err(server_error(500))
            } else {
                Ok(scores())
            }
        }),
        8 => bad(
            ticket,
            after,
            &ScoreError::Malformed {
                message: "?".into(),
            },
        ),
        9 => bad(ticket, after, &ScoreError::NoLogprobs),
        _ => good(ticket, after),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn every_question_has_one_outcome_and_no_answered_one_is_asked_again(
        sizes in prop::collection::vec(0_u32..40, 1..4),
        endpoints in 1_usize..4,
        limit in 1_usize..9,
        batch in prop_oneof![Just(BatchSize::Auto), (1_usize..9).prop_map(batches)],
        max_retries in 0_u32..4,
        script in prop::collection::vec((0_u8..24, 0_u64..3000), 1..80),
    ) {
        let mut settings = Settings { batch, ..settings(limit) };
        settings.retry.max_retries = max_retries;
        settings.give_up_after = SECOND * 1_000_000_000;
        let mut run = dispatch(settings, endpoints, &sizes);
        let mut n = 0;
        let seen = play(&mut run, |ticket, _| {
            n += 1;
            let (kind, after) = script[n % script.len()];
            // In the end every server works, or the run might rightly give up; and so it would after
            // ten answers in a row that nobody understands.
            let works = n > 20 * script.len() || n % 9 == 0;
            let kind = if works { u8::MAX } else { kind };
            misbehave(kind, ticket, MS * (after as u32 + 1))
        });
        prop_assert!(run.stopped().is_none(), "{:?}", run.stopped());
        prop_assert!(seen.most_in_flight <= limit * endpoints);
        let mut outcomes: HashMap<(u32, u32), usize> = HashMap::new();
        for answer in &seen.answers {
            *outcomes.entry((answer.item.group, answer.item.question)).or_default() += 1;
        }
        let planned: u32 = sizes.iter().sum();
        prop_assert_eq!(outcomes.len(), planned as usize);
        prop_assert!(outcomes.values().all(|&n| n == 1));
        let total = run.group_summaries().iter().map(|g| g.answered + g.failed).sum::<usize>();
        prop_assert_eq!(total, planned as usize);
    }
}
