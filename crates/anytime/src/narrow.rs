//! How large the figures of models are, found out question by question.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::figures::Figures;
use crate::{Answers, Asymptotic, Bounded, Draws, Metric, Question, burn_in};

/// What is known of one figure of a model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Narrowed {
    /// Index of the model.
    pub model: usize,
    /// The figure.
    pub metric: Metric,
    /// The width that the interval is to have at most, from end to end: a fraction or options.
    pub width: f64,
    /// Whether it has.
    pub reached: bool,
    /// Questions asked when it was reached, or so far.
    pub asked: usize,
    /// Questions of the whole set.
    pub of: usize,
    /// The figure over the questions so far; `None` as long as nothing is known.
    pub value: Option<f64>,
    /// What the figure over all questions lies within, a fraction or options.
    pub interval: Option<[f64; 2]>,
}

/// Narrows the intervals of figures down while questions are asked in random order.
///
/// Every figure of every model has an equal part of the error probability (Bonferroni), so that all
/// intervals hold together, at all times at once.
///
/// - Accuracy, and coverage at thresholds that were set before: bets on the mean ([`Bounded`]), exact for any number of questions. Its
///   interval is the intersection of those of all times so far.
/// - Set size and UAcc: the figure with the questions so far as both calibration and test half, with the
///   half-width of their influences ([`Asymptotic`]).
#[derive(Debug, Clone)]
pub struct Narrowing {
    question: Question,
    models: usize,
    figures: Vec<Narrowed>,
    /// Of figures that are means over questions.
    shares: Vec<Option<Bounded>>,
    seen: usize,
}

impl Narrowing {
    /// Nothing asked yet. A figure without a width is never narrow enough.
    pub fn new(question: Question, models: usize) -> Self {
        let of = question.total();
        let mut figures = Vec::new();
        let mut shares = Vec::new();
        for model in 0..models {
            for &(metric, width) in &question.metrics {
                figures.push(Narrowed {
                    model,
                    metric,
                    width: width.unwrap_or(0.0),
                    reached: false,
                    asked: 0,
                    of,
                    value: None,
                    interval: None,
                });
                shares.push(metric.is_mean().then(|| shares_of(&question)));
            }
        }
        Self {
            question,
            models,
            figures,
            shares,
            seen: 0,
        }
    }

    /// All figures, narrow enough or not.
    pub fn figures(&self) -> &[Narrowed] {
        &self.figures
    }

    /// Questions asked so far of the models that are still asked.
    pub fn asked(&self) -> usize {
        self.seen
    }

    /// Whether all intervals are narrow enough.
    pub fn is_done(&self) -> bool {
        self.figures.iter().all(|figure| figure.reached)
    }

    /// Whether an interval of this model is too wide, so that it is to be asked further.
    pub fn concerns(&self, model: usize) -> bool {
        let mut figures = self.figures.iter();
        figures.any(|figure| figure.model == model && !figure.reached)
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
        for (model, answers) in models.iter().enumerate() {
            if answers.asked.len() == asked && self.concerns(model) {
                self.look_at(model, answers);
            }
        }
        self.seen = asked;
    }

    fn look_at(&mut self, model: usize, answers: &Answers<'_>) {
        let level = (1.0 - self.question.confidence) / self.figures.len().max(1) as f64;
        let open = |figure: &Narrowed| figure.model == model && !figure.reached;
        let needs_sets = |figure: &Narrowed| open(figure) && !figure.metric.is_mean();
        let sets = self.figures.iter().any(needs_sets);
        let sets = sets.then(|| Figures::of(answers, &self.question)).flatten();
        for (figure, shares) in self.figures.iter_mut().zip(&mut self.shares) {
            if !open(figure) {
                continue;
            }
            figure.asked = answers.asked.len();
            if let Some(shares) = shares {
                count(shares, figure.metric, answers, &self.question);
                figure.value = Some(shares.mean());
                figure.interval = Some(shares.interval(level));
            } else if let Some(sets) = &sets {
                figure.value = Some(sets.value(figure.metric));
                figure.interval = interval(sets, figure, level, self.question.alpha);
            }
            figure.reached = figure
                .interval
                .is_some_and(|[low, high]| high - low <= figure.width);
        }
    }
}

/// Nothing known of the answers; a question of a small task counts for more, since figures are means over
/// tasks.
fn shares_of(question: &Question) -> Bounded {
    let of = question.total() as u64;
    Bounded::new(Draws::Without { of }, 0.0, question.largest_weight())
}

/// Adds the answers that were not looked at before.
fn count(shares: &mut Bounded, metric: Metric, answers: &Answers<'_>, question: &Question) {
    for place in shares.len()..answers.asked.len() {
        let weight = question.weight(answers.asked[place].0);
        shares.push(weight * answers.share(metric, place));
    }
}

/// The interval of set size or UAcc; `None` where nothing is known yet.
fn interval(sets: &Figures, figure: &Narrowed, level: f64, alpha: f64) -> Option<[f64; 2]> {
    let of = figure.of as u64;
    let sequence = Asymptotic::new(Draws::Without { of }, level, burn_in(alpha));
    let estimate = sets.alone(figure.metric);
    let half = sequence.half_width(figure.asked, estimate.deviation);
    estimate.within(half, figure.asked >= figure.of)
}
