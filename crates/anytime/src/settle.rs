//! Which of several models is better, found out question by question.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::figures::Figures;
use crate::{Answers, Asymptotic, Bounded, Draws, Goal, Metric, Question, burn_in};

/// Which of two models is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The first.
    A,
    /// The second.
    B,
    /// The difference lies within the margin.
    Equal,
    /// The second is no worse by as much as the margin.
    NoWorse,
    /// Not settled.
    Open,
}

impl Verdict {
    /// Whether nothing more needs to be asked for it.
    pub fn is_final(self) -> bool {
        self != Self::Open
    }
}

/// What is known of one figure of two models.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairVerdict {
    /// Index of the first model.
    pub a: usize,
    /// Index of the second model.
    pub b: usize,
    /// The figure.
    pub metric: Metric,
    /// Which is better.
    pub verdict: Verdict,
    /// Questions asked when it was settled, or so far.
    pub asked: usize,
    /// Questions of the whole set.
    pub of: usize,
    /// The figures of both over the questions so far; `None` as long as nothing is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<[f64; 2]>,
    /// The difference a − b lies within, a fraction or options; `None` as long as nothing is known.
    pub interval: Option<[f64; 2]>,
}

/// Settles which of several models is better, while questions are asked in random order.
///
/// Every pair of models and every figure is a comparison of its own, each with an equal part of the
/// error probability (Bonferroni), so that all verdicts together are right with the stated
/// confidence, however often one looks and whenever one stops.
///
/// - Accuracy, and coverage at thresholds that were set before: differences of single questions are bets against a mean difference of zero, or of the
///   margin. Exact for any number of questions ([`Bounded`]).
/// - Set size and UAcc: the difference of the figures with the questions so far as both calibration
///   and test half, with the half-width of their influences ([`Asymptotic`], [`Influence`]). The
///   threshold is that of the whole set, so that the luck of a calibration half is part of the interval.
#[derive(Debug, Clone)]
pub struct Settling {
    question: Question,
    models: usize,
    pairs: Vec<PairVerdict>,
    /// Of figures that are means over questions, in the order of the pairs.
    shares: Vec<Option<Bounded>>,
    seen: usize,
}

impl Settling {
    /// Nothing asked yet.
    pub fn new(question: Question, models: usize) -> Self {
        let mut pairs = Vec::new();
        let mut shares = Vec::new();
        for a in 0..models {
            for b in a + 1..models {
                for &(metric, margin) in &question.metrics {
                    pairs.push(PairVerdict {
                        a,
                        b,
                        metric,
                        verdict: Verdict::Open,
                        asked: 0,
                        of: question.total(),
                        values: None,
                        interval: None,
                    });
                    shares.push(metric.is_mean().then(|| bets(&question, margin)));
                }
            }
        }
        Self {
            question,
            models,
            pairs,
            shares,
            seen: 0,
        }
    }

    /// Comparisons, settled and open.
    pub fn pairs(&self) -> &[PairVerdict] {
        &self.pairs
    }

    /// Questions asked so far of the models that are still asked.
    pub fn asked(&self) -> usize {
        self.seen
    }

    /// Whether nothing is open that matters: a gate is decided by one figure that is worse.
    pub fn is_settled(&self) -> bool {
        let is_worse = |pair: &PairVerdict| pair.verdict == Verdict::A;
        let is_gate = self.question.goal == Goal::Gate;
        self.pairs.iter().all(|pair| pair.verdict.is_final())
            || (is_gate && self.pairs.iter().any(is_worse))
    }

    /// Whether a comparison of this model is open, so that it is to be asked further.
    pub fn concerns(&self, model: usize) -> bool {
        let mut open = self.pairs.iter().filter(|pair| !pair.verdict.is_final());
        !self.is_settled() && open.any(|pair| pair.a == model || pair.b == model)
    }

    /// Number of questions to ask before the next look.
    pub fn next_round(&self) -> usize {
        self.question.next_round(self.seen)
    }

    /// Looks at the answers of all models that are still asked, each to the same questions in the same
    /// order; those of others may end earlier.
    ///
    /// # Panics
    /// If the number of models is another, or a row does not exist.
    pub fn look(&mut self, models: &[Answers<'_>]) {
        assert_eq!(models.len(), self.models, "one list of answers per model");
        let asked = models.iter().map(|model| model.asked.len()).max();
        let asked = asked.unwrap_or(0);
        let figures: Vec<Option<Figures>> = (0..models.len())
            .map(|model| {
                let needed = self.open_asymptotic(model) && models[model].asked.len() == asked;
                needed
                    .then(|| Figures::of(&models[model], &self.question))
                    .flatten()
            })
            .collect();
        for index in 0..self.pairs.len() {
            let pair = self.pairs[index];
            if pair.verdict.is_final() {
                continue;
            }
            let answers = [&models[pair.a], &models[pair.b]];
            if answers.iter().any(|answers| answers.asked.len() < asked) {
                continue;
            }
            self.pairs[index].asked = asked;
            if pair.metric.is_mean() {
                self.look_at_shares(index, answers);
            } else if let (Some(a), Some(b)) = (&figures[pair.a], &figures[pair.b]) {
                self.look_at_figures(index, a, b, asked);
            }
        }
        self.seen = asked;
    }

    fn open_asymptotic(&self, model: usize) -> bool {
        self.pairs.iter().any(|pair| {
            !pair.verdict.is_final()
                && !pair.metric.is_mean()
                && (pair.a == model || pair.b == model)
        })
    }

    /// The error probability of one comparison.
    fn level(&self) -> f64 {
        (1.0 - self.question.confidence) / self.pairs.len().max(1) as f64
    }

    fn look_at_shares(&mut self, index: usize, [a, b]: [&Answers<'_>; 2]) {
        let level = self.level();
        let metric = self.pairs[index].metric;
        let margin = self.question.bound(metric);
        let Some(bets) = &mut self.shares[index] else {
            return;
        };
        for place in bets.len()..a.asked.len() {
            let weight = self.question.weight(a.asked[place].0);
            bets.push(weight * (a.share(metric, place) - b.share(metric, place)));
        }
        let zero = bets.sides(0, level);
        let below_margin = margin.is_some() && bets.sides(1, level).below;
        let pair = &mut self.pairs[index];
        pair.values = Some([a, b].map(|answers| mean(answers, metric, &self.question)));
        pair.verdict = match self.question.goal {
            Goal::Gate => gate(below_margin, zero.above),
            _ if zero.above => Verdict::A,
            _ if zero.below => Verdict::B,
            _ if below_margin && bets.sides(2, level).above => Verdict::Equal,
            _ => Verdict::Open,
        };
    }

    fn look_at_figures(&mut self, index: usize, a: &Figures, b: &Figures, asked: usize) {
        let of = self.question.total() as u64;
        let from = burn_in(self.question.alpha);
        let sequence = Asymptotic::new(Draws::Without { of }, self.level(), from);
        let margin = self.question.bound(self.pairs[index].metric);
        let pair = &mut self.pairs[index];
        pair.values = Some([a, b].map(|figures| figures.value(pair.metric)));
        let difference = a.minus(b, pair.metric);
        let half = sequence.half_width(asked, difference.deviation);
        let Some(interval) = difference.within(half, asked >= pair.of) else {
            return;
        };
        pair.interval = Some(interval);
        // How much better the first is.
        let [least, most] = if pair.metric.larger_is_better() {
            interval
        } else {
            [-interval[1], -interval[0]]
        };
        pair.verdict = match (self.question.goal, margin) {
            (Goal::Gate, margin) => gate(margin.is_some_and(|margin| most < margin), least > 0.0),
            _ if least > 0.0 => Verdict::A,
            _ if most < 0.0 => Verdict::B,
            (_, Some(margin)) if -margin < least && most < margin => Verdict::Equal,
            _ => Verdict::Open,
        };
    }

    /// Works out the intervals of means, which take longer than verdicts, and returns all
    /// comparisons.
    pub fn finish(mut self) -> Vec<PairVerdict> {
        let level = self.level();
        for (pair, bets) in self.pairs.iter_mut().zip(&self.shares) {
            if let Some(bets) = bets.as_ref().filter(|bets| !bets.is_empty()) {
                pair.interval = Some(bets.interval(level));
            }
        }
        self.pairs
    }
}

/// The verdict of a gate, where the first model is shown not to be better by as much as the margin, or to
/// be better.
fn gate(is_within: bool, is_better: bool) -> Verdict {
    match (is_within, is_better) {
        (true, _) => Verdict::NoWorse,
        (_, true) => Verdict::A,
        _ => Verdict::Open,
    }
}

/// Bets on the difference of accuracies: against zero and against either end of the margin.
fn bets(question: &Question, margin: Option<f64>) -> Bounded {
    let most = question.largest_weight();
    let of = question.total() as u64;
    let bets = Bounded::new(Draws::Without { of }, -most, most).watching(0.0);
    match margin {
        Some(margin) => bets.watching(margin).watching(-margin),
        None => bets,
    }
}

/// The mean over the questions so far, as if all were drawn alike.
fn mean(answers: &Answers<'_>, metric: Metric, question: &Question) -> f64 {
    let of_place =
        |place: usize| question.weight(answers.asked[place].0) * answers.share(metric, place);
    let asked = answers.asked.len();
    (0..asked).map(of_place).sum::<f64>() / asked.max(1) as f64
}
