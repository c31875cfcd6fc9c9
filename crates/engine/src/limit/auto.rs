//! The adaptive limit's state machine. The reasons are in the module's documentation.

use std::time::Duration;

use super::meter::{Meter, Noise, Tally, near, round_size};
use super::slow_start::SlowStart;
use super::work::CostLine;
use super::{Outcome, Phase, Sample};

/// A higher limit must raise throughput by this much (in logarithms) to be preferred.
const WORTH: f64 = 0.009;
/// A gain (in logarithms) that justifies another doubling.
const BOLD: f64 = 0.06;
/// Failures (5xx) are counted over about so many answers.
const FAILURE_WINDOW: usize = 40;
/// A look upwards is broken off when, after the time in which so many times its limit should have
/// been answered, less than this share was.
const PATIENCE: f64 = 1.25;
const FUTILE: f64 = 0.75;
/// Share of the time that looks at worse limits may cost.
const BUDGET: f64 = 0.015;
/// More failures than this share, with answers in between, are overload and no outage.
const TOO_MANY: f64 = 0.12;
/// Standard errors that settle a comparison before its sample is full.
const SURE: f64 = 2.0;
/// The same for staying, which is no great loss where it is wrong: the next look comes soon.
const SURE_TO_STAY: f64 = 1.3;
/// A cut leaves this share of the limit.
const CUT: f64 = 0.8;
/// Waits between two looks in the same direction, doubling between these bounds.
const UP_WAIT: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(15));
const DOWN_WAIT: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(60));
/// Answers to be had for each rejection that a look upwards has cost, before the next one…
const ANSWERS_PER_REJECTION: u64 = 120;
/// …unless so much time has passed, in which the server may have grown.
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
        expected > PATIENCE * self.target as f64 && self.answers < FUTILE * expected
    }
}

/// One look after the other while they pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Search {
    up: bool,
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
            up,
            moved: false,
            turned: false,
            bold: true,
        }
    }

    fn turn(self) -> Self {
        Self {
            up: !self.up,
            turned: true,
            bold: false,
            ..self
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
                        self.lightest = start.lightest(&self.line);
                        let seen = start.seen_at(base);
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

    // ---- at the best limit known

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
        let per_slot =
            |limit: usize, tally: &Tally| tally.log_rate(&self.line) - (limit as f64).ln();
        let lighter = self.lightest.as_ref().is_none_or(|(limit, tally)| {
            per_slot(self.base, &self.reference) > per_slot(*limit, tally)
        });
        if lighter {
            self.lightest = Some((self.base, self.reference));
        }
        if self.reference.count >= 6.0 {
            self.look();
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

    /// Begins a look at another limit, if it is time for one.
    fn look(&mut self) {
        if let Some(mut search) = self.search {
            if self.can_look(search.up) {
                self.search = Some(search);
                self.probe(search.up, search.bold);
                return;
            }
            if !search.moved && !search.turned {
                search = search.turn();
                self.search = Some(search);
                if self.can_look(search.up) {
                    self.probe(search.up, search.bold);
                    return;
                }
            }
            self.search = None;
        } else if self.now >= self.next[1] && self.can_look(false) {
            self.probe(false, false);
        } else if self.now >= self.next[0] && self.can_look(true) {
            self.probe(true, false);
        }
    }

    fn can_look(&self, up: bool) -> bool {
        if up {
            let forgiven = self.answers >= self.answers_needed
                || self.now >= self.rejected_at + FORGIVEN_AFTER;
            return self.base < self.max && forgiven;
        }
        // Fewer in flight can only do as well if each of them is then answered sooner. Where
        // nobody waits for anybody there is nothing to gain, and a look would cost a quarter of
        // the throughput.
        let waiting = self.lightest.as_ref().is_some_and(|(limit, tally)| {
            let lightest = tally.log_rate(&self.line) - (*limit as f64).ln();
            let here = self.reference.log_rate(&self.line) - (self.base as f64).ln();
            here < lightest - 0.22
        });
        self.base > 1 && waiting
    }

    // ---- comparing

    fn probe(&mut self, up: bool, bold: bool) {
        let step = |part: usize| (self.base / part).max(1);
        let target = if !up {
            self.base - step(4)
        } else if bold {
            self.base * 2
        } else {
            self.base + step(if self.careful { 4 } else { 2 })
        };
        let target = target.clamp(1, self.max);
        self.failures = Failures::default();
        if !up {
            self.limit = target;
        }
        self.meter = Meter::new(target, self.now);
        self.mode = Mode::Probe(Probe {
            target,
            began: self.now,
            reached: self.now,
            answers: 0.0,
            seen: Tally::default(),
        });
    }

    fn compare(&mut self) {
        let Mode::Probe(Probe { target, seen, .. }) = self.mode else {
            return;
        };
        let rate = seen.log_rate(&self.line);
        let difference = rate - self.reference.log_rate(&self.line);
        let up = target > self.base;
        let gain_of_higher = if up { difference } else { -difference };
        let error = self.noise.error(seen.count, self.reference.count);
        let score = (gain_of_higher - WORTH) / error;
        let (rounds, answers) = match self.search {
            Some(search) if search.bold => (2, 12),
            Some(_) => (3, 24),
            None => (8, 200),
        };
        let enough = (rounds * round_size(target)).max(answers) as f64;
        let moves = (score > 0.0) == up;
        let sure = if moves { SURE } else { SURE_TO_STAY };
        if score.abs() < sure && seen.count < enough {
            return;
        }
        // The burden of proof is on the higher limit: where nothing is to be gained, chance must
        // not make it wander upwards.
        let higher = score
            > match (up, self.search.is_some_and(|search| search.bold)) {
                (true, true) => 0.3,
                (true, false) => 0.6,
                (false, _) => 0.0,
            };
        self.conclude(higher == up, difference);
    }

    /// Ends a look: goes to its target or back.
    fn conclude(&mut self, moved: bool, difference: f64) {
        let Mode::Probe(Probe {
            target,
            seen,
            began,
            ..
        }) = self.mode
        else {
            return;
        };
        let up = target > self.base;
        let index = usize::from(!up);
        let bounds = [UP_WAIT, DOWN_WAIT][index];
        if moved {
            self.wait[index] = bounds.0;
        } else {
            self.wait[index] = (self.wait[index] * 2).min(bounds.1);
        }
        // What a look has cost must be a small share of the time until the next one.
        let lost = if moved { 0.0 } else { 1.0 - difference.exp() };
        let price = self
            .now
            .saturating_sub(began)
            .mul_f64(lost.clamp(0.0, 1.0) / BUDGET);
        let wait = self.wait[index].max(price.min(FORGIVEN_AFTER));
        self.next[index] = self.now + wait;
        self.careful = !moved && difference < -0.05;
        match &mut self.search {
            Some(search) if moved => search.moved = true,
            Some(search) if search.moved || search.turned => self.search = None,
            Some(search) => *search = search.turn(),
            None if moved => {
                self.search = Some(Search {
                    moved: true,
                    ..Search::new(up)
                });
            }
            None => {}
        }
        if let Some(search) = &mut self.search {
            search.bold &= difference.abs() > BOLD;
        }
        if moved {
            self.base = target;
            self.reference = seen;
            self.settle(target);
            self.look();
        } else {
            self.settle(self.base);
        }
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

    // ---- when the server asks for less

    fn throttled(&mut self, sample: &Sample) {
        self.rejected_at = self.now;
        self.answers_needed = self.answers_needed.max(self.answers) + ANSWERS_PER_REJECTION;
        if sample.started < self.cut_at {
            if sample.outcome == Outcome::Throttled {
                self.ceiling = self.ceiling.map(|c| c.min(sample.in_flight.max(1)));
            }
            return;
        }
        // A refusal names the number that was too high; a timeout does not.
        let refused = match sample.outcome {
            Outcome::Throttled => sample.in_flight,
            _ => self.limit,
        };
        self.cut(refused, true);
    }

    fn cut(&mut self, refused: usize, asked: bool) {
        let limit = self.limit;
        self.ceiling = Some(refused.clamp(1, limit + 1));
        let below = refused
            .saturating_sub(1)
            .min(limit.saturating_sub(1))
            .max(1);
        self.cut_at = self.now;
        self.search = None;
        match self.mode {
            // Growing found the edge: what is just below it went well a moment ago.
            Mode::SlowStart(ref start) => {
                self.lightest = start.lightest(&self.line);
                self.start_search(below.max(limit / 2), !asked);
            }
            Mode::Probe(ref probe) if probe.target > self.base => {
                let base = below.max(self.base);
                self.wait[0] = (self.wait[0] * 2).min(UP_WAIT.1);
                self.next[0] = self.now + self.wait[0];
                let fallback = (base != self.base).then_some(self.base);
                if fallback.is_some() {
                    self.reference = Tally::default();
                }
                self.settle(base);
                self.fallback = fallback;
            }
            Mode::Climb { good, .. } if good < limit => {
                self.reference = Tally::default();
                self.settle(below.max(good));
            }
            // So it was too high after all.
            Mode::Hold if self.fallback.is_some_and(|good| good < limit) => {
                self.reference = Tally::default();
                self.settle(self.fallback.unwrap_or(limit));
            }
            // One refusal after a long time without is an edge brushed, not a server that shrank.
            Mode::Hold if self.answers > self.cut_after + (8 * round_size(limit)) as u64 => {
                self.settle(limit - limit.div_ceil(16).min(limit - 1));
            }
            _ => {
                let cut = ((limit as f64 * CUT) as usize).max(1);
                self.reference = Tally::default();
                self.settle(cut);
                self.mode = Mode::Climb {
                    good: cut,
                    left: 2 * round_size(cut),
                };
            }
        }
        self.cut_after = self.answers;
    }

    fn climb_on(&mut self) {
        let top = self.ceiling.map_or(self.limit, |c| c.saturating_sub(1));
        if self.limit >= top.min(self.max) {
            self.reference = Tally::default();
            self.settle(self.limit);
            return;
        }
        let good = self.limit;
        self.limit += (top.min(self.max) - self.limit).div_ceil(2);
        self.base = self.limit;
        self.mode = Mode::Climb {
            good,
            left: round_size(self.limit),
        };
    }

    fn failed(&mut self, sample: &Sample) {
        let failures = &mut self.failures;
        if failures.count == 0 {
            failures.first = sample.ended;
            failures.lowest = sample.in_flight;
        }
        failures.count += 1;
        failures.lowest = failures.lowest.min(sample.in_flight).max(1);
        failures.pause = self.limit.min(8);
        let growing = match &self.mode {
            Mode::SlowStart(_) | Mode::Climb { .. } => true,
            Mode::Probe(probe) => probe.target > self.base,
            Mode::Hold => false,
        };
        let usual = self.usual_failures * (failures.answers + failures.count) as f64;
        let count = failures.count as f64;
        let too_many = if growing {
            count >= 3.0 + 2.0 * usual + 3.0 * usual.sqrt()
        } else {
            count >= 5.0
                && count > TOO_MANY * failures.answers as f64
                && count > 4.0 * usual
                && failures.amid >= 2
        };
        if too_many && sample.started >= self.cut_at {
            let lowest = failures.lowest;
            self.rejected_at = self.now;
            self.answers_needed =
                self.answers + ANSWERS_PER_REJECTION * 2 / 3 * failures.count as u64;
            self.cut(lowest, false);
        }
    }
}
