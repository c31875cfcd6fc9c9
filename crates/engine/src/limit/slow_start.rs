//! Finding the server's size by doubling.

use std::time::Duration;

use super::Sample;
use super::meter::Tally;
use super::work::CostLine;

/// While a doubling of the limit raises throughput by this much (in logarithms), there is no
/// need to look closer.
const CLEAR: f64 = 0.25;
/// A smaller gain is believed where the last two doublings together confirm it.
const SMALL: f64 = 0.08;
const CONFIRMED: f64 = 0.3;
/// A single answer's rate is this uncertain (in logarithms).
const DOUBT: f64 = 0.1;
/// A first doubling tells nothing about a server that works on whole batches (the second request
/// waits for the first), and little about any other.
const ALWAYS: usize = 2;
/// Limits whose throughput is less than this below the best seen (in logarithms) are as good.
const AS_GOOD: f64 = 0.08;

/// Rounds of a limit that grows by one with each answer. A round is as many answers as the limit
/// at its start: those are the requests that were in flight then, so its rate is that limit's.
#[derive(Debug, Clone)]
pub(super) struct SlowStart {
    limit: usize,
    left: usize,
    mark: Option<Duration>,
    round: Tally,
    rounds: Vec<(usize, Tally)>,
    /// The last round in which the limit did not grow.
    steady: Option<(usize, Tally)>,
    /// Whether the limit grows in this round.
    grows: bool,
}

impl SlowStart {
    pub(super) fn new() -> Self {
        Self {
            limit: 1,
            left: 1,
            mark: None,
            round: Tally::default(),
            rounds: Vec::new(),
            steady: None,
            grows: true,
        }
    }

    /// Goes on from a limit at which a doubling has just paid as if nothing were in the way.
    pub(super) fn resumed(limit: usize, seen: Tally, now: Duration) -> Self {
        Self {
            limit,
            left: limit,
            mark: Some(now),
            rounds: vec![(limit / 2, seen)],
            ..Self::new()
        }
    }

    /// The limit at the round's start.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Whether the limit may grow now: not while a gain that was not clear is looked at again.
    pub(super) fn grows(&self) -> bool {
        self.grows
    }

    /// Counts an answer; tells whether the doubling has stopped to pay.
    pub(super) fn record(
        &mut self,
        sample: &Sample,
        length: f64,
        now: Duration,
        limit: usize,
        line: &CostLine,
    ) -> bool {
        let mark = *self.mark.get_or_insert(sample.started);
        self.round.count += 1.0;
        self.round.length += length;
        self.left = self.left.saturating_sub(1);
        if self.left > 0 {
            return false;
        }
        let mut round = std::mem::take(&mut self.round);
        round.seconds = now.saturating_sub(mark).as_secs_f64();
        let rate = round.log_rate(line);
        let gain = |back: usize| {
            let before = self.rounds.iter().nth_back(back);
            before.map_or(f64::INFINITY, |(_, before)| rate - before.log_rate(line))
        };
        let stood_still = !self.grows;
        self.grows = gain(0) > CLEAR || stood_still && gain(0) > SMALL;
        let pays = self.grows || self.limit <= ALWAYS || gain(0) > SMALL && gain(1) > CONFIRMED;
        if stood_still {
            self.steady = Some((self.limit, round));
        }
        self.rounds.push((self.limit, round));
        self.mark = Some(now);
        self.limit = limit;
        self.left = limit;
        !pays
    }

    /// The lowest limit that was about as good as the best.
    pub(super) fn best(&self, line: &CostLine) -> usize {
        // A low limit's rate rests on few answers, so it must show a little more.
        let rates = || {
            self.rounds
                .iter()
                .map(|(n, t)| (*n, t.log_rate(line) - DOUBT / (*n as f64).sqrt()))
        };
        let top = rates().map(|(_, rate)| rate).fold(f64::MIN, f64::max);
        rates()
            .find(|(_, rate)| *rate > top - AS_GOOD)
            .map_or(1, |(limit, _)| limit)
    }

    /// What was measured at this limit, if it stood still there: while it grows, the rate belongs
    /// to something between the limit and its double.
    pub(super) fn seen_at(&self, limit: usize) -> Tally {
        let round = self.steady.filter(|(n, _)| *n == limit);
        round.map(|(_, tally)| tally).unwrap_or_default()
    }

    /// The round with the most throughput per request in flight.
    pub(super) fn lightest(&self, line: &CostLine) -> Option<(usize, Tally)> {
        let per_slot = |(n, tally): &(usize, Tally)| tally.log_rate(line) - (*n as f64).ln();
        self.rounds
            .iter()
            .max_by(|a, b| per_slot(a).total_cmp(&per_slot(b)))
            .copied()
    }
}
