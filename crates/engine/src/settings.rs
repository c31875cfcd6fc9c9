//! Settings of a run.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::batch::BatchSize;
use crate::limit::Workers;
use crate::retry::RetryPolicy;

/// Settings of a run. The default adapts to the server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Requests in flight at once, per endpoint.
    pub workers: Workers,
    /// Questions per request.
    pub batch: BatchSize,
    /// When and how often to retry.
    pub retry: RetryPolicy,
    /// Requests per minute over all endpoints. A batch counts as one request.
    pub requests_per_minute: Option<f64>,
    /// Prompt tokens per minute over all endpoints.
    pub tokens_per_minute: Option<f64>,
    /// Minimum delay between the starts of two requests.
    pub delay: Duration,
    /// How long a run waits while no endpoint is up, and the longest wait that a server may ask for:
    /// one that asks for more is asked nothing more.
    pub give_up_after: Duration,
    /// Ask from operating-system threads with blocking calls instead of from async tasks.
    pub use_threads: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            workers: Workers::default(),
            batch: BatchSize::default(),
            retry: RetryPolicy::default(),
            requests_per_minute: None,
            tokens_per_minute: None,
            delay: Duration::ZERO,
            give_up_after: Duration::from_secs(600),
            use_threads: false,
        }
    }
}

/// A number from 1 on; `None` for `auto`.
pub(crate) fn count_or_auto(text: &str) -> Result<Option<NonZeroUsize>, String> {
    match text {
        "auto" => Ok(None),
        _ => text
            .parse()
            .map(Some)
            .map_err(|_| "must be a whole number from 1 on, or auto".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_a_number_from_one_on_or_auto() {
        assert_eq!("auto".parse(), Ok(Workers::default()));
        assert_eq!("auto".parse(), Ok(BatchSize::Auto));
        assert_eq!("7".parse::<Workers>().unwrap().to_string(), "7");
        for bad in ["0", "-1", "1.5", "", "Auto"] {
            assert!(bad.parse::<Workers>().is_err(), "{bad}");
            assert!(bad.parse::<BatchSize>().is_err(), "{bad}");
        }
    }
}
