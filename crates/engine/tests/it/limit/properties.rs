//! What holds for any sequence of samples, however senseless.

use std::num::NonZeroUsize;
use std::time::Duration;

use proptest::prelude::*;
use sureness_engine::limit::{Controller, Outcome, Sample, Workers};

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        12 => Just(Outcome::Answered),
        1 => Just(Outcome::Throttled),
        1 => Just(Outcome::ServerFailed),
        1 => Just(Outcome::TimedOut),
        1 => Just(Outcome::Unreachable),
        1 => Just(Outcome::Refused),
    ]
}

/// Times may go back, and everything may be zero or huge.
fn sample() -> impl Strategy<Value = Sample> {
    let time = || prop_oneof![0u64..2_000_000, any::<u64>()].prop_map(Duration::from_micros);
    let count = || prop_oneof![0usize..300, any::<usize>()];
    (
        time(),
        time(),
        count(),
        any::<Option<u32>>(),
        count(),
        outcome(),
    )
        .prop_map(
            |(started, ended, in_flight, tokens, prompt_bytes, outcome)| Sample {
                started,
                ended,
                in_flight,
                tokens,
                prompt_bytes,
                outcome,
                left: None,
            },
        )
}

/// Samples as they come from a run that makes use of the limit, at any pace.
fn plausible() -> impl Strategy<Value = Vec<(u64, u64, Outcome)>> {
    prop::collection::vec((0u64..200_000, 1u64..5_000_000, outcome()), 0..600)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_limit_stays_within_its_bounds(
        max in 1usize..300,
        samples in prop::collection::vec(sample(), 0..400),
    ) {
        let max = NonZeroUsize::new(max).unwrap();
        let mut controller = Controller::new(Workers::Auto { max });
        for sample in &samples {
            controller.finished(sample);
            prop_assert!((1..=max.get()).contains(&controller.limit()));
        }
    }

    #[test]
    fn the_limit_stays_within_its_bounds_when_it_is_used(
        max in 1usize..300,
        samples in plausible(),
    ) {
        let max = NonZeroUsize::new(max).unwrap();
        let mut controller = Controller::new(Workers::Auto { max });
        let mut now = 5_000_000;
        for (step, latency, outcome) in samples {
            now += step;
            controller.finished(&Sample {
                started: Duration::from_micros(now - latency.min(now)),
                ended: Duration::from_micros(now),
                in_flight: controller.limit(),
                tokens: None,
                prompt_bytes: 400,
                left: None,
                outcome,
            });
            prop_assert!((1..=max.get()).contains(&controller.limit()));
        }
    }

    #[test]
    fn a_fixed_limit_never_moves(
        fixed in 1usize..1000,
        samples in prop::collection::vec(sample(), 0..100),
    ) {
        let mut controller = Controller::new(Workers::Fixed(NonZeroUsize::new(fixed).unwrap()));
        for sample in &samples {
            controller.finished(sample);
            prop_assert_eq!(controller.limit(), fixed);
        }
    }
}
