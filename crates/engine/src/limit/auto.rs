//! The adaptive limit's state machine. The reasons are in the module's documentation.

mod decide;
mod pressure;

use std::time::Duration;

use super::ledger::Ledger;
use super::meter::{Meter, Noise, Tally, near};
use super::saturation::Saturation;
use super::slow_start::SlowStart;
use super::work::CostLine;
use super::{Hints, Outcome, Phase, Sample, Serving};

/// Failures (5xx) are counted over about so many answers.
const FAILURE_WINDOW: usize = 40;
/// A round this many standard errors off, and by at least so much (in logarithms), is unlike what
/// was known.
const SURPRISING: f64 = 3.5;
const LEAST_CHANGE: f64 = 0.15;
/// A look upwards is broken off when, after the time in which so many times its limit should have
/// been answered, less than this share was.
const PATIENCE: f64 = 1.25;
const FUTILE: f64 = 0.8;
/// More failures than this share, with answers in between, are overload and no outage.
const TOO_MANY: f64 = 0.12;
/// An expected gain (in logarithms) by a second slot that makes slow start the right beginning.
const IDLE: f64 = 0.2;
/// A server that works in steps is given so many at first: half of them are worked on while the
/// other half waits for the next step, and more gain little.
const STEPS_BEGIN: usize = 32;
/// Requests should not wait longer than this share of their timeout, or so many times the shortest
/// latency, whichever is more.
const WITHIN_TIMEOUT: f64 = 0.3;
const SLOW_ANYWAY: f64 = 3.0;
/// A refusal is forgiven after so long: the server may have grown since.
const FORGIVEN_AFTER: Duration = Duration::from_secs(40);

#[derive(Debug, Clone)]
enum Mode {
    SlowStart(SlowStart),
    /// Measuring.
    Hold,
    /// On the way to another limit, until a round is over there.
    Probe(Probe),
    /// Back up to what the server refused last, after a cut.
    Climb {
        /// The last limit that a whole round went well with.
        good: usize,
        left: usize,
    },
}

#[derive(Debug, Clone, Copy)]
struct Probe {
    from: usize,
    target: usize,
    began: Duration,
    /// Answers since.
    answers: f64,
}

#[derive(Debug, Clone)]
pub(super) struct Auto {
    max: usize,
    hints: Hints,
    /// The shortest latency so far, in seconds.
    quickest: f64,
    /// The highest limit so far.
    widest: usize,
    limit: usize,
    /// The best limit known.
    best: usize,
    mode: Mode,
    now: Duration,
    meter: Meter,
    line: CostLine,
    noise: Noise,
    /// Rounds for the next lesson on noise. Within one round's time answers scatter more than
    /// over several, since who returns late in one leaves early in the next.
    pair: Tally,
    ledger: Ledger,
    saturation: Saturation,
    /// Whether it has told something.
    sized_up: bool,
    /// Attempts still to come, where that is known.
    left: usize,
    /// Answers when the search began: at the start, or when the server changed.
    began_after: u64,
    unlike: Unlike,
    /// The lowest number in flight that the server refused lately.
    ceiling: Option<usize>,
    /// Attempts sent before this ran under a limit that was cut since.
    cut_at: Duration,
    rejected_at: Duration,
    /// Answers so far, and how many there must be before the next look upwards.
    answers: u64,
    answers_needed: u64,
    failures: Failures,
    /// Share of failures when the limit is left alone.
    usual_failures: f64,
    /// Suspicions of overload by 5xx since a higher limit went well.
    suspicions: u32,
    /// Answers when the limit was last cut.
    cut_after: u64,
    /// What went well before the limit was raised to just below a refusal.
    fallback: Option<usize>,
}

/// Successive rounds that were unlike what was known, all of them slower or all faster.
#[derive(Debug, Clone, Copy, Default)]
struct Unlike {
    rounds: u32,
    slower: bool,
    seen: Tally,
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
    pub(super) fn new(max: usize, hints: Hints) -> Self {
        let (limit, mode) = match hints.serving {
            Serving::Unknown => (1, Mode::SlowStart(SlowStart::at(1))),
            // Each further slot costs a cold cache, so each must be worth a look.
            Serving::Slots => (1, Mode::Hold),
            Serving::Steps => (STEPS_BEGIN.min(max), Mode::Hold),
        };
        Self {
            max,
            hints,
            quickest: f64::INFINITY,
            widest: limit,
            limit,
            best: limit,
            mode,
            now: Duration::ZERO,
            meter: Meter::new(limit, Duration::ZERO),
            line: CostLine::default(),
            noise: Noise::new(),
            pair: Tally::default(),
            ledger: Ledger::new(hints.serving),
            saturation: Saturation::default(),
            sized_up: false,
            left: usize::MAX,
            began_after: 0,
            unlike: Unlike::default(),
            ceiling: None,
            cut_at: Duration::ZERO,
            rejected_at: Duration::ZERO,
            answers: 0,
            answers_needed: 0,
            failures: Failures::default(),
            usual_failures: 0.0,
            suspicions: 0,
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
            Mode::Hold if self.limit == self.best => Phase::Steady,
            Mode::Hold | Mode::Probe(_) => Phase::Probing,
            Mode::Climb { .. } => Phase::BackedOff,
        }
    }

    pub(super) fn finished(&mut self, sample: &Sample) {
        self.now = self.now.max(sample.ended);
        self.left = sample.left.unwrap_or(usize::MAX);
        match sample.outcome {
            Outcome::Answered => self.answered(sample),
            Outcome::Throttled | Outcome::TimedOut => self.throttled(sample),
            Outcome::ServerFailed | Outcome::Unreachable => self.failed(sample),
            // It took a slot and a moment, but tells nothing about load.
            Outcome::Refused => {}
        }
    }

    /// Puts what a server's time goes into in the place of a guess.
    fn size_up(&mut self, sample: &Sample) {
        self.saturation.warm(sample);
        let Some(gain) = self.saturation.gain() else {
            return;
        };
        self.ledger.expect_gain(gain);
        if !std::mem::replace(&mut self.sized_up, true)
            && gain > IDLE
            && self.limit == 1
            && matches!(self.mode, Mode::Hold)
        {
            // Mostly idle: its size is best found as that of any server.
            self.mode = Mode::SlowStart(SlowStart::at(1));
        }
    }

    pub(super) fn finished_cold(&mut self, sample: &Sample) {
        if sample.outcome == Outcome::Answered && self.hints.serving == Serving::Slots {
            self.saturation.cold(sample);
        }
    }

    fn answered(&mut self, sample: &Sample) {
        if self.hints.serving == Serving::Slots {
            self.size_up(sample);
        }
        self.answers += 1;
        self.widest = self.widest.max(self.limit);
        self.quickest = self.quickest.min(sample.latency());
        self.ledger.tick(self.now);
        self.failures.answers += 1;
        if self.failures.count > 0 && sample.started > self.failures.first {
            self.failures.amid += 1;
        }
        if self.failures.answers >= FAILURE_WINDOW.max(self.limit) {
            let share = self.failures.count as f64 / self.failures.answers as f64;
            self.usual_failures += 0.2 * (share.min(TOO_MANY) - self.usual_failures);
            self.failures = Failures::default();
        }
        self.line.learn(sample);
        self.noise.expect(self.line.scatter());
        let may_grow = near(sample.in_flight, self.limit)
            && self.failures.pause == 0
            && sample.latency() < self.patience();
        self.failures.pause = self.failures.pause.saturating_sub(1);
        match &mut self.mode {
            Mode::SlowStart(start) => {
                if may_grow && self.limit < self.max {
                    self.limit += 1;
                }
                if near(sample.in_flight, start.limit())
                    && let Some(round) = start.record(sample, self.now, self.limit, &self.line)
                {
                    self.ledger.add(round.limit, &round.seen);
                    if !round.pays || self.limit >= self.max {
                        self.decide();
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
                if let Some(round) = self.meter.record(sample) {
                    self.held(round);
                }
            }
            Mode::Probe(probe) => {
                probe.answers += 1.0;
                let probe = *probe;
                if self.limit < probe.target {
                    if may_grow {
                        self.limit += 1;
                        self.meter = Meter::new(self.limit, self.now);
                    }
                } else if let Some(round) = self.meter.record(sample) {
                    self.tried(probe, &round);
                    return;
                }
                if probe.target > probe.from && self.is_futile(probe) {
                    let seconds = self.now.saturating_sub(probe.began).as_secs_f64();
                    let seen = Tally {
                        count: probe.answers,
                        length: probe.answers * CostLine::length(sample),
                        seconds,
                    };
                    self.ledger.add(self.limit, &seen);
                    self.decide();
                } else if self.meter.discarded > 3 {
                    // There is too little to do for the question to matter.
                    self.settle(probe.from.min(probe.target));
                }
            }
        }
    }

    /// How long a request should wait at most, in seconds: well within its timeout. A server that
    /// is as slow without a crowd is not left alone for it.
    fn patience(&self) -> f64 {
        let timeout = self
            .hints
            .timeout
            .map_or(f64::INFINITY, |t| t.as_secs_f64());
        (timeout * WITHIN_TIMEOUT).max(SLOW_ANYWAY * self.quickest)
    }

    /// Whether the server has become so much slower on the way up that there is no need to wait
    /// for a round: more in flight may take a while to bring more answers, but must not bring
    /// fewer.
    fn is_futile(&self, probe: Probe) -> bool {
        let Some(before) = self.ledger.seen(probe.from) else {
            return false;
        };
        let elapsed = self.now.saturating_sub(probe.began).as_secs_f64();
        let expected = before.count / before.seconds.max(1e-9) * elapsed;
        // Work that has begun on what was added is no answer yet.
        let begun = (probe.target - probe.from) as f64;
        expected > PATIENCE * probe.target as f64
            && probe.answers + begun + expected.sqrt() < FUTILE * expected
    }

    fn learn_noise(&mut self, round: &Tally) {
        self.pair.add(round);
        if self.pair.count > 1.5 * round.count {
            let pair = std::mem::take(&mut self.pair);
            self.noise.learn(pair.log_rate(&self.line), pair.count);
        }
    }

    /// Longer prompts are no slower server: what is known is put in their terms.
    pub(super) fn note_other_work(&mut self, round: &Tally) {
        if self.ledger.is_other_work(round) {
            let curve = self.ledger.curve(self.limit, &self.line, &self.noise);
            let gain = round.log_rate(&self.line) - curve.mean(self.limit);
            self.ledger.rescale(gain, round.mean_length(), &self.line);
            self.interrupt_noise();
        }
    }

    fn held(&mut self, round: Tally) {
        self.note_other_work(&round);
        self.learn_noise(&round);
        if self.has_changed(&round) {
            return;
        }
        self.ledger.add(self.limit, &round);
        self.decide();
    }

    /// Whether two rounds in a row were clearly faster or slower than what was known: then the
    /// server is another one now, and the search begins anew.
    fn has_changed(&mut self, round: &Tally) -> bool {
        let Some(known) = self
            .ledger
            .seen(self.limit)
            .filter(|seen| seen.count >= 8.0)
        else {
            return false;
        };
        let change = round.log_rate(&self.line) - known.log_rate(&self.line);
        let error = self.noise.variance(round.count) + self.noise.variance(known.count);
        let slower = change < 0.0;
        if change.abs() < (SURPRISING * error.sqrt()).max(LEAST_CHANGE) {
            self.unlike = Unlike::default();
            return false;
        }
        if self.unlike.rounds > 0 && self.unlike.slower != slower {
            self.unlike = Unlike::default();
        }
        self.unlike.rounds += 1;
        self.unlike.slower = slower;
        self.unlike.seen.add(round);
        if self.unlike.rounds < 2 {
            return true;
        }
        let seen = std::mem::take(&mut self.unlike).seen;
        self.ledger.change(self.limit, &seen, &self.line);
        self.began_after = self.answers;
        self.decide();
        true
    }

    /// Stays at this limit until more is known.
    fn settle(&mut self, limit: usize) {
        self.limit = limit.clamp(1, self.max);
        self.mode = Mode::Hold;
        self.begin_measuring();
    }

    /// Forgets what was counted at another limit.
    fn begin_measuring(&mut self) {
        self.meter = Meter::new(self.limit, self.now);
        self.fallback = None;
        self.failures = Failures::default();
        self.unlike = Unlike::default();
        self.interrupt_noise();
    }

    fn interrupt_noise(&mut self) {
        self.noise.interrupt();
        self.pair = Tally::default();
    }
}
