//! How fast to ask.

use std::num::NonZeroUsize;
use std::time::Duration;

use sureness_engine::{BatchSize, RetryPolicy, Settings, Workers};

use crate::commands::ask::AskArgs;
use crate::commands::values::Count;

/// The engine's settings for these flags.
pub(crate) fn settings(ask: &AskArgs, embedded: bool) -> Settings {
    let (workers, batch) = if embedded {
        // One prompt keeps all cores busy, and the next one can wait in the engine: more at once
        // would only mix up the prefixes.
        let one = NonZeroUsize::MIN;
        (Workers::Fixed(one), BatchSize::Fixed(one))
    } else {
        (
            match ask.max_workers {
                Count::Auto => Workers::default(),
                Count::Fixed(n) => Workers::Fixed(n),
            },
            match ask.batch_size {
                // Where each prompt is a request of its own, the workers alone set the pace.
                Count::Auto if !ask.list_prompts => BatchSize::Fixed(NonZeroUsize::MIN),
                Count::Auto => BatchSize::Auto,
                Count::Fixed(n) => BatchSize::Fixed(n),
            },
        )
    };
    let seconds = Duration::from_secs_f64;
    Settings {
        workers,
        batch,
        retry: RetryPolicy {
            max_retries: ask.max_retries,
            base: seconds(ask.retry_delay),
            ..RetryPolicy::default()
        },
        requests_per_minute: ask.requests_per_minute,
        tokens_per_minute: ask.tokens_per_minute,
        delay: seconds(ask.delay),
        give_up_after: seconds(ask.give_up_after),
        use_threads: ask.use_threads,
    }
}
