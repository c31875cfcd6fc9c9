//! The number of questions in one request.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

/// Questions per request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchSize {
    /// Always this many, except for the last ones.
    Fixed(NonZeroUsize),
    /// As many as are answered fastest, found during the run.
    Auto,
}

impl Default for BatchSize {
    fn default() -> Self {
        Self::Fixed(NonZeroUsize::MIN)
    }
}

/// A number from 1 on, or `auto`.
impl FromStr for BatchSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let count = crate::settings::count_or_auto(text)?;
        Ok(count.map_or(Self::Auto, Self::Fixed))
    }
}

impl fmt::Display for BatchSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(size) => size.fmt(f),
            Self::Auto => f.write_str("auto"),
        }
    }
}

/// The largest batch that [`BatchSize::Auto`] tries.
const MAX_SIZE: usize = 64;
/// Batches of one size that are measured before it is judged.
const ROUND: usize = 8;
/// A larger size must save this share of the time per question, or it is not worth the larger
/// loss when a request fails.
const GAIN: f64 = 0.1;
/// Batches until a larger size is tried again.
const REST: usize = 200;
/// The same after a failure.
const REST_AFTER_FAILURE: usize = 50;

/// Chooses the batch size of one endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Sizer {
    auto: bool,
    size: usize,
    /// Seconds per question of this round's batches.
    round: Vec<f64>,
    /// The concurrency limit that the round is measured at.
    limit: usize,
    /// The best size known and its seconds per question.
    best: Option<(usize, f64)>,
    /// Batches to go before the next measurement.
    rest: usize,
}

impl Sizer {
    pub(crate) fn new(size: BatchSize) -> Self {
        let (auto, size) = match size {
            BatchSize::Fixed(n) => (false, n.get()),
            BatchSize::Auto => (true, 1),
        };
        Self {
            auto,
            size,
            round: Vec::with_capacity(ROUND),
            limit: 0,
            best: None,
            rest: 0,
        }
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// A batch of `count` was answered in `took`, while `limit` requests were allowed in flight.
    pub(crate) fn answered(&mut self, count: usize, took: Duration, limit: usize) {
        // Other sizes, such as the one question that warms a prefix, cannot be compared.
        if !self.auto || count != self.size {
            return;
        }
        if self.rest > 0 {
            self.rest -= 1;
            return;
        }
        // More in flight makes each request slower: rounds compare only at one limit.
        if self.limit != limit {
            self.limit = limit;
            self.round.clear();
            self.best = None;
        }
        self.round.push(took.as_secs_f64() / count as f64);
        if self.round.len() == ROUND {
            self.judge();
        }
    }

    fn judge(&mut self) {
        self.round.sort_unstable_by(f64::total_cmp);
        // The median, since one slow answer must not decide.
        let time = self.round[ROUND / 2];
        self.round.clear();
        match self.best {
            Some((best, before)) if time > before * (1.0 - GAIN) => {
                self.size = best;
                self.best = None;
                self.rest = REST;
            }
            _ => {
                self.best = Some((self.size, time));
                if self.size == MAX_SIZE {
                    self.rest = REST;
                }
                self.size = (self.size * 2).min(MAX_SIZE);
            }
        }
    }

    /// A batch of `count` failed as a whole.
    pub(crate) fn failed(&mut self, count: usize) {
        if self.auto && count > 1 {
            self.size = (self.size.min(count) / 2).max(1);
            self.round.clear();
            self.best = None;
            self.rest = REST_AFTER_FAILURE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The size most used over `batches` batches against a server that needs `seconds(size)`.
    fn settles_at(batches: usize, seconds: impl Fn(usize) -> f64) -> usize {
        let mut sizer = Sizer::new(BatchSize::Auto);
        let mut used = [0; MAX_SIZE + 1];
        for _ in 0..batches {
            let size = sizer.size();
            used[size] += size;
            sizer.answered(size, Duration::from_secs_f64(seconds(size)), 1);
        }
        (1..=MAX_SIZE).max_by_key(|&size| used[size]).unwrap_or(0)
    }

    #[test]
    fn it_grows_where_that_saves_time() {
        // A fixed cost per request is spread over more and more questions.
        assert_eq!(settles_at(500, |n| 0.1 + 0.001 * n as f64), MAX_SIZE);
        // Every question takes its time: nothing to be gained.
        assert_eq!(settles_at(500, |n| 0.01 * n as f64), 1);
        // The server works on eight at a time.
        assert_eq!(settles_at(1000, |n| n.div_ceil(8) as f64), 8);
    }

    #[test]
    fn failures_shrink_it() {
        let mut sizer = Sizer::new(BatchSize::Auto);
        for _ in 0..3 * ROUND {
            let size = sizer.size();
            sizer.answered(size, Duration::from_secs(1), 1);
        }
        assert_eq!(sizer.size(), 8);
        sizer.failed(8);
        assert_eq!(sizer.size(), 4);
        // Batches of the old size are still in flight.
        sizer.failed(8);
        sizer.failed(8);
        sizer.failed(8);
        assert_eq!(sizer.size(), 1);
        sizer.failed(1);
        assert_eq!(sizer.size(), 1);
    }

    #[test]
    fn a_fixed_size_stays() {
        let mut sizer = Sizer::new(BatchSize::Fixed(NonZeroUsize::new(5).unwrap()));
        sizer.failed(5);
        sizer.answered(5, Duration::from_secs(9), 1);
        assert_eq!(sizer.size(), 5);
    }
}
