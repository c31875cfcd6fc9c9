//! Finding the server's size by doubling.

use std::time::Duration;

use super::Sample;
use super::meter::Measurement;
use super::work::CostLine;

/// While a doubling of the limit raises throughput by this much (in logarithms), there is no
/// need to look closer.
const CLEAR: f64 = 0.25;
/// Below this limit it always goes on. Two in flight are often no better than one: where a server
/// works in steps, one of them waits for the next.
const MIN_REACH: usize = 4;
/// Weight of a round in which the limit grew.
const WEIGHT: f64 = 0.75;

/// Rounds of a limit that grows by one with each answer. A round is as many answers as the limit
/// at its start: those are the requests that were in flight then.
#[derive(Debug, Clone)]
pub(super) struct SlowStart {
    /// The limit at the round's start.
    limit: usize,
    left: usize,
    /// When the limit grew: to `first` at the first of these times, and by one at each other.
    grown: Vec<Duration>,
    first: usize,
    /// Sum of the numbers in flight beside each answer, itself included.
    width: f64,
    round: Measurement,
    before: Option<Measurement>,
}

/// A completed round.
#[derive(Debug, Clone, Copy)]
pub(super) struct Round {
    /// Mean number in flight.
    pub(super) limit: usize,
    pub(super) seen: Measurement,
    /// Whether the doubling before it has paid so clearly that the next may follow.
    pub(super) pays: bool,
}

impl SlowStart {
    /// A slow start from this limit.
    pub(super) fn at(limit: usize) -> Self {
        Self {
            limit,
            left: limit,
            grown: vec![Duration::ZERO],
            first: limit,
            width: 0.0,
            round: Measurement::default(),
            before: None,
        }
    }

    /// A slow start from a limit at which a doubling has just paid clearly.
    pub(super) fn resumed(limit: usize, before: Measurement, now: Duration) -> Self {
        Self {
            grown: vec![now],
            before: Some(before),
            ..Self::at(limit)
        }
    }

    /// The limit at the round's start.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Counts an answer; returns the round that it completes.
    pub(super) fn record(
        &mut self,
        sample: &Sample,
        now: Duration,
        limit: usize,
        line: &CostLine,
    ) -> Option<Round> {
        while self.first + self.grown.len() <= limit {
            self.grown.push(now);
        }
        let begun = self.grown.partition_point(|&at| at <= sample.started);
        let begun = self.first + begun.saturating_sub(1);
        // How many were in flight changed while it ran: half of what grew counts.
        let width = f64::midpoint(begun as f64, sample.in_flight.clamp(begun, limit) as f64);
        self.round.seconds += sample.latency() / width;
        self.width += width;
        self.round.count += 1.0;
        self.round.length += CostLine::length(sample);
        self.left = self.left.saturating_sub(1);
        if self.left > 0 {
            return None;
        }
        let round = std::mem::take(&mut self.round);
        let width = (std::mem::take(&mut self.width) / round.count).round() as usize;
        let gain = self.before.map_or(f64::INFINITY, |before| {
            round.log_rate(line) - before.log_rate(line)
        });
        self.before = Some(round);
        let pays = gain > CLEAR || self.limit < MIN_REACH;
        self.limit = limit;
        self.left = limit;
        let mut seen = round;
        seen.fade(WEIGHT * round.count);
        Some(Round {
            limit: width.max(1),
            seen,
            pays,
        })
    }
}
