//! How fast a run goes on, by what its store held from one look to the next.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What the rate is over: long enough for pauses between batches, short enough to follow changes.
const WINDOW: Duration = Duration::from_secs(60);
/// Least time for a rate.
const LEAST: Duration = Duration::from_secs(2);

/// Counts of the last minute.
#[derive(Debug, Default)]
pub(super) struct Rate(VecDeque<(Instant, usize)>);

impl Rate {
    /// Notes how many answers there are.
    pub(super) fn note(&mut self, now: Instant, answered: usize) {
        self.0.push_back((now, answered));
        // One older than the window stays, so that it is covered.
        while self.0.get(1).is_some_and(|(at, _)| now - *at >= WINDOW) {
            self.0.pop_front();
        }
    }

    /// Answers per second; `None` if it is too early to say, or nothing came.
    pub(super) fn per_second(&self) -> Option<f64> {
        let ((begin, before), (end, after)) = self.0.front().zip(self.0.back())?;
        let took = *end - *begin;
        let came = after.checked_sub(*before).filter(|came| *came > 0)?;
        (took >= LEAST).then(|| came as f64 / took.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_that_of_the_last_minute() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut rate = Rate::default();
        rate.note(at(0), 1000);
        assert_eq!(rate.per_second(), None);
        rate.note(at(1), 1010);
        assert_eq!(rate.per_second(), None, "too early");
        for second in 2..=100 {
            rate.note(at(second), 1000 + 10 * second as usize);
        }
        assert_eq!(rate.per_second(), Some(10.0));
        for second in 101..=170 {
            rate.note(at(second), 2000 + 3 * (second as usize - 100));
        }
        assert_eq!(rate.per_second(), Some(3.0));
        assert!(rate.0.len() <= 62);
        for second in 171..=300 {
            rate.note(at(second), 2210);
        }
        assert_eq!(rate.per_second(), None, "nothing comes any more");
    }
}
