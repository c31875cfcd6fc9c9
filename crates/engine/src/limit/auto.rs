//! The adaptive limit's state machine. The reasons are in the module's documentation.

mod look;
mod pressure;

use std::time::Duration;

use super::meter::{Meter, Noise, Tally, near, round_size};
use super::slow_start::SlowStart;
use super::work::CostLine;
use super::{Outcome, Phase, Sample};

/// Failures (5xx) are counted over about so many answers.
const FAILURE_WINDOW: usize = 40;
/// A look upwards is broken off when, after the time in which so many times its limit should have
/// been answered, less than this share was.
const PATIENCE: f64 = 1.25;
const FUTILE: f64 = 0.8;
/// More failures than this share, with answers in between, are overload and no outage.
const TOO_MANY: f64 = 0.12;
/// Waits between two looks in the same direction, doubling between these bounds.
const UP_WAIT: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(15));
const DOWN_WAIT: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(60));
/// A refusal is forgiven after so long: the server may have grown since.
const FORGIVEN_AFTER: Duration = Duration::from_secs(40);

#[derive(Debug, Clone)]
enum Mode {
    SlowStart(SlowStart),
    /// At `base`, measuring.
    Hold,
    /// Towards or at another limit, to compare it with `base`.
    Probe(Probe),
    /// Back up to what the server refused last, after a cut.
    Climb {
        /// The last limit that a whole round went well with.
        good: usize,
        left: usize,
    },
}

#[derive(Debug, Clone)]
struct Probe {
    target: usize,
    began: Duration,
    /// When the limit was there, and the answers since.
    reached: Duration,
    answers: f64,
    /// What was measured at the target.
    seen: Tally,
}

impl Probe {
    /// Whether the server has become so much slower that there is no need to wait for a round:
    /// more in flight may take a while to bring more answers, but must not bring fewer.
    fn is_futile(&self, now: Duration, reference: &Tally) -> bool {
        let elapsed = now.saturating_sub(self.reached).as_secs_f64();
        let expected = reference.count / reference.seconds.max(1e-9) * elapsed;
        let chance = expected.sqrt();
        expected > PATIENCE * self.target as f64 && self.answers + chance < FUTILE * expected
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

/// One look after the other while they pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Search {
    direction: Direction,
    /// Whether a look of this search has moved the limit.
    moved: bool,
    /// Whether the other direction was looked at before.
    turned: bool,
    /// Whether to double, as long as it pays clearly, instead of adding a half.
    bold: bool,
}

impl Search {
    fn new(up: bool) -> Self {
        Self {
            direction: if up { Direction::Up } else { Direction::Down },
            moved: false,
            turned: false,
            bold: true,
        }
    }

    fn is_up(self) -> bool {
        self.direction == Direction::Up
    }

    /// The same in the other direction, after a look that found nothing.
    fn turn(self) -> Self {
        Self {
            turned: true,
            bold: false,
            ..Self::new(!self.is_up())
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Auto {
    max: usize,
    limit: usize,
    /// The best limit known.
    base: usize,
    mode: Mode,
    search: Option<Search>,
    now: Duration,
    meter: Meter,
    line: CostLine,
    noise: Noise,
    /// Rounds for the next lesson on noise. Within one round's time answers scatter more than
    /// over several, since who returns late in one leaves early in the next.
    pair: Tally,
    /// Recent rounds at `base`.
    reference: Tally,
    /// The round with the most throughput per request in flight, and its limit.
    lightest: Option<(usize, Tally)>,
    /// Successive rounds that were unlike the reference, and which way.
    unlike: (u32, bool, Tally),
    /// The lowest number in flight that the server refused lately.
    ceiling: Option<usize>,
    /// Attempts sent before this ran under a limit that was cut since.
    cut_at: Duration,
    rejected_at: Duration,
    /// Answers so far, and how many there must be before the next look upwards.
    answers: u64,
    answers_needed: u64,
    next: [Duration; 2],
    wait: [Duration; 2],
    failures: Failures,
    /// Share of failures when the limit is left alone.
    usual_failures: f64,
    /// The last look did harm: the next is a smaller step.
    careful: bool,
    /// Answers when the limit was last cut.
    cut_after: u64,
    /// What went well before the limit was raised to just below a refusal.
    fallback: Option<usize>,
}

/// HTTP 5xx and broken connections since the last change of the limit.
#[derive(Debug, Clone, Copy, Default)]
struct Failures {
    count: usize,
    answers: usize,
    /// Answers to requests that were sent after the first failure: then it is no outage.
    amid: usize,
    first: Duration,
    lowest: usize,
    /// Answers until growth may go on.
    pause: usize,
}

impl Auto {
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            limit: 1,
            base: 1,
            mode: Mode::SlowStart(SlowStart::new()),
            search: None,
            now: Duration::ZERO,
            meter: Meter::new(1, Duration::ZERO),
            line: CostLine::default(),
            noise: Noise::new(),
            pair: Tally::default(),
            reference: Tally::default(),
            lightest: None,
            unlike: (0, false, Tally::default()),
            ceiling: None,
            cut_at: Duration::ZERO,
            rejected_at: Duration::ZERO,
            answers: 0,
            answers_needed: 0,
            next: [Duration::ZERO; 2],
            wait: [UP_WAIT.0, DOWN_WAIT.0],
            failures: Failures::default(),
            usual_failures: 0.0,
            careful: false,
            cut_after: 0,
            fallback: None,
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    pub(super) fn phase(&self) -> Phase {
        match self.mode {
            Mode::SlowStart(_) => Phase::SlowStart,
            Mode::Hold => Phase::Steady,
            Mode::Probe(_) => Phase::Probing,
            Mode::Climb { .. } => Phase::BackedOff,
        }
    }

    pub(super) fn finished(&mut self, sample: &Sample) {
        self.now = self.now.max(sample.ended);
        match sample.outcome {
            Outcome::Answered => self.answered(sample),
            Outcome::Throttled | Outcome::TimedOut => self.throttled(sample),
            Outcome::ServerFailed | Outcome::Unreachable => self.failed(sample),
            // It took a slot and a moment, but tells nothing about load.
            Outcome::Refused => {}
        }
    }

    fn answered(&mut self, sample: &Sample) {
        self.answers += 1;
        self.failures.answers += 1;
        if self.failures.count > 0 && sample.started > self.failures.first {
            self.failures.amid += 1;
        }
        if self.failures.answers >= FAILURE_WINDOW.max(self.limit) {
            let share = self.failures.count as f64 / self.failures.answers as f64;
            self.usual_failures += 0.2 * (share.min(TOO_MANY) - self.usual_failures);
            self.failures = Failures::default();
        }
        let length = CostLine::length(sample);
        let latency = sample.ended.saturating_sub(sample.started).as_secs_f64();
        self.line.learn(length, latency);
        let may_grow = near(sample.in_flight, self.limit) && self.failures.pause == 0;
        self.failures.pause = self.failures.pause.saturating_sub(1);
        match &mut self.mode {
            Mode::SlowStart(start) => {
                if may_grow && start.grows() && self.limit < self.max {
                    self.limit += 1;
                }
                if near(sample.in_flight, start.limit()) {
                    let over = start.record(sample, length, self.now, self.limit, &self.line);
                    if over || self.limit >= self.max {
                        let base = start.best(&self.line);
                        let seen = start.seen_at(base);
                        let lightest = start.lightest(&self.line);
                        self.note_lightest(lightest);
                        self.start_search(base, true);
                        self.reference = seen;
                    }
                }
            }
            Mode::Climb { good, left } => {
                if may_grow {
                    *left = left.saturating_sub(1);
                    if *left == 0 {
                        *good = self.limit;
                        self.climb_on();
                    }
                }
            }
            Mode::Hold => {
                if let Some(round) = self.meter.record(sample, self.now) {
                    self.held(round);
                }
            }
            Mode::Probe(probe) => {
                probe.answers += 1.0;
                if self.limit < probe.target {
                    probe.answers = 0.0;
                    probe.reached = self.now;
                    if may_grow {
                        self.limit += 1;
                        if self.limit == probe.target {
                            self.meter = Meter::new(self.limit, self.now);
                        }
                    }
                } else if let Some(round) = self.meter.record(sample, self.now) {
                    probe.seen.add(&round);
                    self.compare();
                } else if probe.target > self.base && probe.is_futile(self.now, &self.reference) {
                    self.conclude(false, FUTILE.ln());
                } else if self.meter.discarded > 3 {
                    // There is too little to do for the question to matter.
                    self.settle(self.base);
                }
            }
        }
    }

    fn held(&mut self, round: Tally) {
        let rate = round.log_rate(&self.line);
        self.pair.add(&round);
        if self.pair.count > 1.5 * round.count {
            let pair = std::mem::take(&mut self.pair);
            self.noise.learn(pair.log_rate(&self.line), pair.count);
        }
        if self.search.is_none() && self.reference.count > 0.0 && self.has_changed(&round, rate) {
            return;
        }
        self.reference.add(&round);
        self.reference
            .fade((8 * round_size(self.base)).max(200) as f64);
        self.note_lightest(Some((self.base, self.reference)));
        if self.reference.count >= (2 * self.base).max(6) as f64 {
            self.look();
        }
    }

    fn note_lightest(&mut self, seen: Option<(usize, Tally)>) {
        let per_slot =
            |(limit, tally): &(usize, Tally)| tally.log_rate(&self.line) - (*limit as f64).ln();
        let rate = self.lightest.as_ref().map_or(f64::MIN, per_slot);
        if seen.as_ref().is_some_and(|seen| per_slot(seen) > rate) {
            self.lightest = seen;
        }
    }

    /// Whether two rounds in a row were clearly faster or slower than what was known: then the
    /// server is another one now, and the search begins anew.
    fn has_changed(&mut self, round: &Tally, rate: f64) -> bool {
        let change = rate - self.reference.log_rate(&self.line);
        let error = self.noise.error(round.count, self.reference.count);
        let slower = change < 0.0;
        if change.abs() < (3.5 * error).max(0.15) {
            self.unlike = (0, false, Tally::default());
            return false;
        }
        if self.unlike.0 > 0 && self.unlike.1 != slower {
            self.unlike = (0, false, Tally::default());
        }
        self.unlike.0 += 1;
        self.unlike.1 = slower;
        self.unlike.2.add(round);
        if self.unlike.0 < 2 {
            return true;
        }
        self.reference = self.unlike.2;
        self.unlike = (0, false, Tally::default());
        self.wait = [UP_WAIT.0, DOWN_WAIT.0];
        self.search = Some(Search::new(!slower));
        true
    }

    /// Stays at `base`, which keeps what is known about it if it is the old one.
    fn settle(&mut self, base: usize) {
        self.fallback = None;
        self.base = base;
        self.limit = base;
        self.mode = Mode::Hold;
        self.meter = Meter::new(base, self.now);
        self.noise.interrupt();
        self.pair = Tally::default();
        self.failures = Failures::default();
        self.unlike = (0, false, Tally::default());
    }

    fn start_search(&mut self, base: usize, up: bool) {
        self.reference = Tally::default();
        self.search = Some(Search::new(up));
        self.settle(base.clamp(1, self.max));
    }
}
