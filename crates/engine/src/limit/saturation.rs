//! Whether one request at a time keeps a server's processor busy.

use super::Sample;
use super::work::CostLine;

/// A cold request must compute so many times the usual tokens to be worth learning from.
const CLEARLY_MORE: f64 = 2.0;
/// Warm answers before the usual cost is known.
const MIN_WARM: f64 = 3.0;
/// Cost of sharing a processor, in logarithms. Without it every fixed cost of a request, such as that
/// of its one generated token, would look like time in which another request could be served.
const SHARING: f64 = 0.15;

/// A server that needs more seconds per token runs on a processor, not an accelerator. One request
/// keeps all of its cores busy, and the fixed cost of a request is work of the server's one loop,
/// which a second slot does not speed up. Two slots at once lose a little there.
const PROCESSOR: f64 = 1e-3;
const OF_PROCESSOR: f64 = -0.05;

/// Seconds per token with a cold and with a warm cache, for requests that are alone on the server.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Saturation {
    /// Tokens and seconds of the cold request that took the least for each token.
    cold: Option<(f64, f64)>,
    /// Count, tokens and seconds of the warm ones.
    warm: (f64, f64, f64),
}

impl Saturation {
    pub(super) fn cold(&mut self, sample: &Sample) {
        if sample.in_flight > 1 || sample.tokens.is_none() {
            return;
        }
        let (tokens, seconds) = (CostLine::length(sample), sample.latency());
        let cheaper = |(t, s): (f64, f64)| seconds * t < s * tokens;
        if tokens > 0.0 && self.cold.is_none_or(cheaper) {
            self.cold = Some((tokens, seconds));
        }
    }

    pub(super) fn warm(&mut self, sample: &Sample) {
        if sample.in_flight > 1 || sample.tokens.is_none() {
            return;
        }
        let (count, tokens, seconds) = &mut self.warm;
        *count += 1.0;
        *tokens += CostLine::length(sample);
        *seconds += sample.latency();
    }

    /// Expected gain (in logarithms) from two requests at a time, if it is known.
    ///
    /// If a share s of a request's time is computing, which the other cannot do meanwhile, two
    /// take 1 + s times as long as one.
    pub(super) fn gain(&self) -> Option<f64> {
        let (cold_tokens, cold_seconds) = self.cold?;
        let (count, tokens, seconds) = self.warm;
        if count < MIN_WARM || cold_tokens < CLEARLY_MORE * tokens / count || seconds <= 0.0 {
            return None;
        }
        if cold_seconds > PROCESSOR * cold_tokens {
            return Some(OF_PROCESSOR);
        }
        let share = (cold_seconds / cold_tokens * tokens / seconds).clamp(0.0, 1.0);
        Some((2.0 / (1.0 + share)).ln() - SHARING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::Outcome;
    use std::time::Duration;

    fn sample(tokens: u32, ms: u64) -> Sample {
        Sample {
            started: Duration::ZERO,
            ended: Duration::from_millis(ms),
            in_flight: 1,
            tokens: Some(tokens),
            prompt_bytes: 4 * tokens as usize,
            outcome: Outcome::Answered,
            left: None,
        }
    }

    fn gain(cold: (u32, u64), warm: (u32, u64)) -> Option<f64> {
        let mut saturation = Saturation::default();
        saturation.cold(&sample(cold.0, cold.1));
        for _ in 0..4 {
            saturation.warm(&sample(warm.0, warm.1));
        }
        saturation.gain()
    }

    #[test]
    fn a_busy_processor_has_nothing_to_gain() {
        // A third of a millisecond for each token, however many.
        assert!(gain((800, 260), (100, 33)).unwrap() < 0.0);
        // Four milliseconds, and as much again for whatever else: seen on two cores.
        assert!(gain((900, 4090), (60, 500)).unwrap() < 0.0);
    }

    #[test]
    fn a_server_that_mostly_waits_can_gain() {
        // Ten milliseconds for each request, and a little for each token.
        assert!(gain((800, 26), (100, 12)).unwrap() > 0.25);
    }

    #[test]
    fn caches_that_are_as_warm_show_nothing() {
        assert_eq!(gain((120, 900), (100, 800)), None);
    }
}
