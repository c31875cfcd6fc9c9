//! The rate limits that the user sets: requests and tokens per minute, and a pause between
//! requests. They apply to the whole run, however many endpoints it uses.

use std::time::Duration;

use crate::Settings;

/// Seconds that may be caught up after a wait that lasted a little too long. The pace is slower by
/// the same amount, so that no minute sees more than the limit.
const BURST: f64 = 0.5;
/// English text has about four bytes per token; replies that report tokens correct this.
const TOKENS_PER_BYTE: f64 = 0.25;
/// How far one reply moves the estimate of tokens.
const TOKENS_WEIGHT: f64 = 0.1;
/// How far one reply moves the estimate of requests, which are mostly constant.
const REQUESTS_WEIGHT: f64 = 0.5;

/// Allows so many units per second, evenly spread (the generic cell rate algorithm). It keeps the
/// time at which everything allowed so far would be paid for instead of a list of requests.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// Seconds that one unit takes.
    per_unit: f64,
    /// Seconds by which a unit may come early.
    early: f64,
    /// When all units so far are paid for, in seconds.
    paid: f64,
}

impl Bucket {
    fn per_minute(limit: f64) -> Self {
        Self {
            per_unit: (60.0 + BURST) / limit.max(1e-6),
            early: BURST,
            paid: 0.0,
        }
    }

    fn every(pause: Duration) -> Self {
        Self {
            per_unit: pause.as_secs_f64(),
            early: 0.0,
            paid: 0.0,
        }
    }

    fn ready_at(&self) -> f64 {
        self.paid - self.early
    }

    fn charge(&mut self, now: f64, units: f64) {
        self.paid = self.paid.max(now) + units * self.per_unit;
    }
}

/// All rate limits of a run.
#[derive(Debug, Clone)]
pub(crate) struct Rates {
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
    pause: Option<Bucket>,
    tokens_per_byte: f64,
    /// Requests for each question of a batch: fewer than one if the server takes lists, more if a
    /// question takes two.
    requests_per_question: f64,
}

impl Rates {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            requests: settings.requests_per_minute.map(Bucket::per_minute),
            tokens: settings.tokens_per_minute.map(Bucket::per_minute),
            pause: (!settings.delay.is_zero()).then(|| Bucket::every(settings.delay)),
            tokens_per_byte: TOKENS_PER_BYTE,
            requests_per_question: 0.0,
        }
    }

    /// When the next request may be sent.
    pub(crate) fn ready_at(&self) -> Duration {
        let seconds = [self.requests, self.tokens, self.pause]
            .iter()
            .flatten()
            .map(Bucket::ready_at)
            .fold(0.0, f64::max);
        // Rounded up: a wait that ends a nanosecond early would only be waited again.
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
            + Duration::from_nanos(u64::from(seconds > 0.0))
    }

    /// Tokens that a prompt of so many bytes may have.
    pub(crate) fn estimate(&self, bytes: usize) -> f64 {
        bytes as f64 * self.tokens_per_byte
    }

    /// Requests that a batch of so many questions may take.
    pub(crate) fn requests(&self, questions: usize) -> f64 {
        (questions as f64 * self.requests_per_question).max(1.0)
    }

    /// Charges a batch of so many requests and tokens, as estimated.
    pub(crate) fn sent(&mut self, now: Duration, requests: f64, tokens: f64) {
        let now = now.as_secs_f64();
        for bucket in [&mut self.requests, &mut self.pause].into_iter().flatten() {
            bucket.charge(now, requests);
        }
        if let Some(bucket) = &mut self.tokens {
            bucket.charge(now, tokens);
        }
    }

    /// Corrects the charge for a batch of `count` questions to the requests that it took.
    pub(crate) fn adjust_requests(&mut self, now: Duration, count: usize, charged: f64, took: u32) {
        let requests = f64::from(took);
        if count > 1 || requests > 1.0 {
            let each = requests / count as f64;
            self.requests_per_question += REQUESTS_WEIGHT * (each - self.requests_per_question);
        }
        let (now, more) = (now.as_secs_f64(), requests - charged);
        for bucket in [&mut self.requests, &mut self.pause].into_iter().flatten() {
            if more > 0.0 {
                bucket.charge(now, more);
            } else {
                bucket.paid += more * bucket.per_unit;
            }
        }
    }

    /// Corrects the charge for prompts of so many bytes from `estimate` to the tokens reported.
    pub(crate) fn adjust_tokens(&mut self, bytes: usize, estimate: f64, tokens: u64) {
        if bytes == 0 || tokens == 0 {
            return;
        }
        let tokens = tokens as f64;
        self.tokens_per_byte += TOKENS_WEIGHT * (tokens / bytes as f64 - self.tokens_per_byte);
        if let Some(bucket) = &mut self.tokens {
            bucket.paid += (tokens - estimate) * bucket.per_unit;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// When a sender that is always ready gets to send, for `minutes`.
    fn send_times(rates: &mut Rates, minutes: u64, tokens: f64, late: Duration) -> Vec<Duration> {
        let (mut now, mut times) = (Duration::ZERO, Vec::new());
        loop {
            now = now.max(rates.ready_at() + late);
            if now >= SECOND * 60 * minutes as u32 {
                return times;
            }
            rates.sent(now, 1.0, tokens);
            times.push(now);
        }
    }

    fn most_in_a_minute(times: &[Duration]) -> usize {
        (0..times.len())
            .map(|i| {
                times[i..]
                    .iter()
                    .take_while(|&&t| t < times[i] + SECOND * 60)
                    .count()
            })
            .max()
            .unwrap_or(0)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn no_minute_sees_more_than_the_limit(limit in 1_u32..2000, late_ms in 0_u64..400) {
            let settings = Settings {
                requests_per_minute: Some(f64::from(limit)),
                ..Settings::default()
            };
            let late = Duration::from_millis(late_ms);
            let times = send_times(&mut Rates::new(&settings), 4, 0.0, Duration::ZERO);
            prop_assert!(most_in_a_minute(&times) <= limit as usize);
            prop_assert!(times.len() >= (f64::from(limit) * 4.0 * 0.98) as usize);
            // A sender that is always a little late loses nothing while it can catch up.
            let lately = send_times(&mut Rates::new(&settings), 4, 0.0, late);
            prop_assert!(most_in_a_minute(&lately) <= limit as usize);
        }
    }

    #[test]
    fn every_request_of_a_batch_is_charged() {
        let settings = Settings {
            requests_per_minute: Some(600.0),
            ..Settings::default()
        };
        // Batches of eight: each question on its own, all as one list, and each asked twice.
        for (each, batches) in [(8, 750), (1, 6000), (16, 375)] {
            let mut rates = Rates::new(&settings);
            let (mut now, mut sent) = (Duration::ZERO, 0_u32);
            while now < SECOND * 600 {
                let estimate = rates.requests(8);
                rates.sent(now, estimate, 0.0);
                rates.adjust_requests(now, 8, estimate, each);
                sent += 1;
                now = now.max(rates.ready_at());
            }
            let allowed = batches * 98 / 100..=batches + 1;
            assert!(allowed.contains(&sent), "{each} each: {sent} batches");
        }
    }

    #[test]
    fn reported_tokens_correct_the_estimate() {
        let settings = Settings {
            tokens_per_minute: Some(6000.0),
            ..Settings::default()
        };
        let mut rates = Rates::new(&settings);
        // The estimate is half of the truth: 1000 bytes are 500 tokens.
        let (mut now, mut tokens) = (Duration::ZERO, 0.0);
        while now < SECOND * 600 {
            let estimate = rates.estimate(1000);
            rates.sent(now, 1.0, estimate);
            rates.adjust_tokens(1000, estimate, 500);
            tokens += 500.0;
            now = now.max(rates.ready_at());
        }
        assert!((rates.estimate(1000) - 500.0).abs() < 1.0);
        assert!(
            (tokens / 10.0 - 6000.0_f64).abs() < 120.0,
            "{tokens} tokens in ten minutes"
        );
    }

    #[test]
    fn a_delay_is_kept_between_any_two_requests() {
        let settings = Settings {
            delay: Duration::from_millis(250),
            ..Settings::default()
        };
        let times = send_times(&mut Rates::new(&settings), 1, 0.0, Duration::ZERO);
        assert!(
            times
                .windows(2)
                .all(|w| w[1].saturating_sub(w[0]) >= Duration::from_millis(250))
        );
        assert!((238..=240).contains(&times.len()), "{}", times.len());
    }
}
