//! The adaptive limit's state machine. The reasons are in the module's documentation.

mod decide;
mod evidence;
mod failures;
mod pressure;
mod progress;
mod refusals;
mod server;

use self::evidence::{Evidence, Finding};
use self::failures::Failures;
use self::progress::{Probe, Progress};
use self::refusals::Refusals;
use self::server::Server;
use super::meter::{Measurement, Meter, near};
use super::slow_start::SlowStart;
use super::work::CostLine;
use super::{Hints, Outcome, Phase, Sample, Serving};

/// Limit at which a server that works in steps begins: it works on half of the requests while the
/// other half waits for the next step, and more gain little.
const STEPS_BEGIN: usize = 32;
/// Expected gain (in logarithms) from a second slot above which slow start is the right beginning.
const WORTH_DOUBLING: f64 = 0.2;
/// Discarded rounds after which a probe ends: there is too little to do for it to matter.
const MOST_DISCARDED: u32 = 3;

#[derive(Debug, Clone)]
enum Mode {
    SlowStart(SlowStart),
    /// Measuring.
    Hold {
        /// The limit that went well before growth stopped just below a refusal.
        fallback: Option<usize>,
    },
    /// On the way to another limit, until a round is over there.
    Probe(Probe),
    /// Back up to what the server refused last, after a cut.
    Climb {
        /// The last limit that a whole round went well with.
        good: usize,
        left: usize,
    },
}

#[derive(Debug, Clone)]
pub(super) struct Auto {
    max: usize,
    limit: usize,
    /// The best limit known.
    best: usize,
    mode: Mode,
    meter: Meter,
    server: Server,
    progress: Progress,
    evidence: Evidence,
    refusals: Refusals,
    failures: Failures,
}

impl Auto {
    pub(super) fn new(max: usize, hints: Hints) -> Self {
        let (limit, mode) = match hints.serving {
            Serving::Unknown => (1, Mode::SlowStart(SlowStart::at(1))),
            // Each further slot costs a cold cache, so each must be worth a look.
            Serving::Slots => (1, Mode::Hold { fallback: None }),
            Serving::Steps => (STEPS_BEGIN.min(max), Mode::Hold { fallback: None }),
        };
        let progress = Progress::default();
        Self {
            max,
            limit,
            best: limit,
            mode,
            meter: Meter::new(limit, progress.now),
            server: Server {
                hints,
                quickest: f64::INFINITY,
                widest: limit,
            },
            progress,
            evidence: Evidence::new(hints.serving),
            refusals: Refusals::default(),
            failures: Failures::default(),
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    pub(super) fn phase(&self) -> Phase {
        match self.mode {
            Mode::SlowStart(_) => Phase::SlowStart,
            Mode::Hold { .. } if self.limit == self.best => Phase::Steady,
            Mode::Hold { .. } | Mode::Probe(_) => Phase::Probing,
            Mode::Climb { .. } => Phase::BackedOff,
        }
    }

    pub(super) fn finished(&mut self, sample: &Sample) {
        self.progress.advance(sample);
        match sample.outcome {
            Outcome::Answered => self.answered(sample),
            Outcome::Throttled | Outcome::TimedOut => self.throttled(sample),
            Outcome::ServerFailed | Outcome::Unreachable => self.failed(sample),
            // It took a slot and a moment, but says nothing about load.
            Outcome::Refused => {}
        }
    }

    pub(super) fn finished_cold(&mut self, sample: &Sample) {
        if sample.outcome == Outcome::Answered && self.server.hints.serving == Serving::Slots {
            self.evidence.saturation.cold(sample);
        }
    }

    fn answered(&mut self, sample: &Sample) {
        if self.server.hints.serving == Serving::Slots
            && let Some(gain) = self.evidence.size_up(sample)
            && gain > WORTH_DOUBLING
            && self.limit == 1
            && matches!(self.mode, Mode::Hold { .. })
        {
            // Mostly idle: doubling finds its size best, as that of any server.
            self.mode = Mode::SlowStart(SlowStart::at(1));
        }
        self.progress.answers += 1;
        self.server.answered(sample, self.limit);
        self.evidence.answered(sample, self.progress.now);
        let may_grow = self.failures.answered(sample, self.limit)
            && near(sample.in_flight, self.limit)
            && sample.latency() < self.server.patience();
        match &mut self.mode {
            Mode::SlowStart(start) => {
                if may_grow && self.limit < self.max {
                    self.limit += 1;
                }
                let (now, line) = (self.progress.now, &self.evidence.line);
                if near(sample.in_flight, start.limit())
                    && let Some(round) = start.record(sample, now, self.limit, line)
                {
                    self.evidence.ledger.add(round.limit, &round.seen);
                    if !round.pays || self.limit >= self.max {
                        self.decide();
                    }
                }
            }
            Mode::Climb { left, .. } => {
                if may_grow {
                    *left = left.saturating_sub(1);
                    if *left == 0 {
                        self.climb();
                    }
                }
            }
            Mode::Hold { .. } => {
                if let Some(round) = self.meter.record(sample) {
                    self.compare(&round);
                }
            }
            Mode::Probe(probe) => {
                probe.answers += 1.0;
                let probe = *probe;
                self.probe(probe, sample, may_grow);
            }
        }
    }

    /// Takes an answer on the way to another limit, or at it.
    fn probe(&mut self, probe: Probe, sample: &Sample, may_grow: bool) {
        let now = self.progress.now;
        if self.limit < probe.target {
            if may_grow {
                self.limit += 1;
                self.meter = Meter::new(self.limit, now);
            }
        } else if let Some(round) = self.meter.record(sample) {
            self.conclude(probe, &round);
            return;
        }
        if probe.is_upwards() && probe.is_futile(self.evidence.ledger.seen(probe.from), now) {
            let seen = Measurement {
                count: probe.answers,
                length: probe.answers * CostLine::length(sample),
                seconds: probe.seconds(now),
            };
            self.evidence.ledger.add(self.limit, &seen);
            self.decide();
        } else if self.meter.discarded > MOST_DISCARDED {
            self.hold(probe.from.min(probe.target), None);
        }
    }

    /// Takes a round at a limit that has been measured before.
    fn compare(&mut self, round: &Measurement) {
        match self.evidence.compare(self.limit, round) {
            Finding::Expected => self.evidence.ledger.add(self.limit, round),
            Finding::Surprising => return,
            Finding::Changed => self.progress.restart(),
        }
        self.decide();
    }

    /// Stays at this limit until more is known.
    fn hold(&mut self, limit: usize, fallback: Option<usize>) {
        self.limit = limit.clamp(1, self.max);
        self.mode = Mode::Hold { fallback };
        self.begin_measuring();
    }

    /// Forgets the counts from another limit.
    fn begin_measuring(&mut self) {
        self.meter = Meter::new(self.limit, self.progress.now);
        self.failures.reset();
        self.evidence.leave_limit();
    }
}
