//! What was found out, with the names of models and tasks.

use std::collections::BTreeMap;

use sureness_anytime::{Goal, Metric, Narrowed, PairVerdict, Verdict};
use sureness_conformal::{Config, Nonconformity};

use super::{Found, Settled, SettledFigure, SettledPair, Stopped, Stopping};
use crate::gate::{Gate, GateCheck, GateVerdict};

impl Settled {
    /// Nothing yet.
    pub fn new(stopping: &Stopping, config: &Config) -> Self {
        Self {
            goal: stopping.goal,
            confidence: stopping.confidence,
            score: Nonconformity::Lac.name(),
            evaluation: *config,
            thresholds: stopping.deployed.as_ref().map(|it| it.source.clone()),
            stopped: Stopped::Settled,
            pairs: Vec::new(),
            figures: Vec::new(),
            asked: BTreeMap::new(),
            of: 0,
        }
    }

    /// Adds what a set of tasks came to; `task` names it where each task is settled on its own.
    pub fn add(&mut self, found: Found, stopping: &Stopping, names: &[&str], task: Option<&str>) {
        if found.stopped != Stopped::Settled {
            self.stopped = found.stopped;
        }
        for (name, asked) in names.iter().zip(found.asked) {
            *self.asked.entry((*name).to_owned()).or_default() += asked;
        }
        self.of += found.of;
        let margin = |metric: Metric| stopping.metrics.iter().find(|it| it.0 == metric)?.1;
        let pairs = found.pairs.into_iter();
        self.pairs.extend(pairs.map(|pair| SettledPair {
            margin: margin(pair.metric),
            ..SettledPair::of(&pair, names, task)
        }));
        let figures = found.figures.into_iter();
        self.figures
            .extend(figures.map(|figure| SettledFigure::of(&figure, names, task)));
    }

    /// Comparisons or figures that are open, and how many there are.
    pub fn open(&self) -> (usize, usize) {
        let pairs = self.pairs.iter().filter(|pair| !pair.verdict.is_final());
        let figures = self.figures.iter().filter(|figure| !figure.reached);
        (
            pairs.count() + figures.count(),
            self.pairs.len() + self.figures.len(),
        )
    }

    /// The outcome of a gate, whose base is the first model; `None` of runs with another goal.
    pub fn gate(&self) -> Option<Gate> {
        let first = self.pairs.first().filter(|_| self.goal == Goal::Gate)?;
        let checks: Vec<GateCheck> = self.pairs.iter().map(SettledPair::check).collect();
        let any = |verdict| checks.iter().any(|check| check.verdict == verdict);
        Some(Gate {
            base: first.a.clone(),
            candidate: first.b.clone(),
            questions: self.asked.values().min().copied().unwrap_or(0),
            of: Some(self.of),
            confidence: self.confidence,
            evaluation: self.evaluation,
            verdict: if any(GateVerdict::Worse) {
                GateVerdict::Worse
            } else if any(GateVerdict::Undecided) {
                GateVerdict::Undecided
            } else {
                GateVerdict::Pass
            },
            checks,
        })
    }
}

impl SettledPair {
    fn of(pair: &PairVerdict, names: &[&str], task: Option<&str>) -> Self {
        Self {
            a: names[pair.a].to_owned(),
            b: names[pair.b].to_owned(),
            task: task.map(str::to_owned),
            metric: pair.metric,
            margin: None,
            verdict: pair.verdict,
            asked: pair.asked,
            of: pair.of,
            values: pair.values,
            interval: pair.interval,
        }
    }

    /// The same as a check of a gate, whose differences are candidate minus base.
    fn check(&self) -> GateCheck {
        GateCheck {
            task: self.task.clone(),
            metric: self.metric,
            base: self.values.map(|values| values[0]),
            candidate: self.values.map(|values| values[1]),
            margin: self.margin.unwrap_or(0.0),
            interval: self.interval.map(|[low, high]| [-high, -low]),
            verdict: match self.verdict {
                Verdict::NoWorse | Verdict::B | Verdict::Equal => GateVerdict::Pass,
                Verdict::A => GateVerdict::Worse,
                Verdict::Open => GateVerdict::Undecided,
            },
        }
    }
}

impl SettledFigure {
    fn of(figure: &Narrowed, names: &[&str], task: Option<&str>) -> Self {
        Self {
            model: names[figure.model].to_owned(),
            task: task.map(str::to_owned),
            metric: figure.metric,
            width: figure.width,
            reached: figure.reached,
            asked: figure.asked,
            of: figure.of,
            value: figure.value,
            interval: figure.interval,
        }
    }
}
