//! Which of several models is better, found out question by question.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sureness_conformal::{Influence, Scores};

use crate::{Asymptotic, Bounded, Draws, Metric, burn_in};

/// One model's scores on one task.
#[derive(Debug, Clone)]
pub struct TaskScores {
    /// In each strategy, with the same rows.
    pub strategies: Vec<Scores>,
    /// Questions of the whole task.
    pub of: usize,
}

/// What one model answered so far.
#[derive(Debug, Clone, Copy)]
pub struct Answers<'a> {
    /// Its tasks; figures are means over these.
    pub tasks: &'a [TaskScores],
    /// The questions asked so far, in order: the task and the row in it.
    pub asked: &'a [(usize, usize)],
}

/// What is to be settled.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Probability that every verdict and every interval is right, at all times at once.
    pub confidence: f64,
    /// The figures, each with the difference below which models count as equal.
    pub metrics: Vec<(Metric, Option<f64>)>,
    /// Error rate of prediction sets.
    pub alpha: f64,
    /// Questions of each task, asked or not.
    pub of: Vec<usize>,
}

impl Question {
    /// Questions of all tasks.
    pub fn total(&self) -> usize {
        self.of.iter().sum()
    }

    /// How much more a question of this task counts than one of all questions drawn alike, since
    /// figures are means over tasks of their own sizes.
    fn weight(&self, task: usize) -> f64 {
        self.total() as f64 / (self.of.len() * self.of[task].max(1)) as f64
    }
}

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
    /// Not settled.
    Open,
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
    /// The difference a − b lies within, a fraction or options; `None` as long as nothing is known.
    pub interval: Option<[f64; 2]>,
}

/// Settles which of several models is better, while questions are asked in random order.
///
/// Every pair of models and every figure is a comparison of its own, each with an equal part of the
/// error probability (Bonferroni), so that all verdicts together are right with the stated
/// confidence, however often one looks and whenever one stops.
///
/// - Accuracy: differences of single questions are bets against a mean difference of zero, or of the
///   margin. Exact for any number of questions ([`Bounded`]).
/// - Set size and UAcc: the difference of the figures with the questions so far as both calibration
///   and test half, with the half-width of their influences ([`Asymptotic`], [`Influence`]). The
///   threshold is that of the whole set, so that the luck of a calibration half is part of the interval.
#[derive(Debug, Clone)]
pub struct Settling {
    question: Question,
    models: usize,
    pairs: Vec<PairVerdict>,
    /// Accuracy of each pair, in the order of the pairs.
    accuracy: Vec<Option<Bounded>>,
    seen: usize,
}

impl Settling {
    /// Nothing asked yet.
    pub fn new(question: Question, models: usize) -> Self {
        let mut pairs = Vec::new();
        let mut accuracy = Vec::new();
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
                        interval: None,
                    });
                    accuracy.push((metric == Metric::Acc).then(|| bets(&question, margin)));
                }
            }
        }
        Self {
            question,
            models,
            pairs,
            accuracy,
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

    /// Whether nothing is open.
    pub fn is_settled(&self) -> bool {
        self.pairs.iter().all(|pair| pair.verdict != Verdict::Open)
    }

    /// Whether a comparison of this model is open, so that it is to be asked further.
    pub fn concerns(&self, model: usize) -> bool {
        let open = self
            .pairs
            .iter()
            .filter(|pair| pair.verdict == Verdict::Open);
        open.clone().any(|pair| pair.a == model || pair.b == model)
    }

    /// Number of questions to ask before the next look: rounds grow with what is asked.
    pub fn next_round(&self) -> usize {
        let more = (self.seen / ROUND).max(FIRST_ROUND);
        (self.seen + more).min(self.question.total())
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
            if pair.verdict != Verdict::Open {
                continue;
            }
            let answers = [&models[pair.a], &models[pair.b]];
            if answers.iter().any(|answers| answers.asked.len() < asked) {
                continue;
            }
            self.pairs[index].asked = asked;
            if pair.metric == Metric::Acc {
                self.look_at_accuracy(index, answers);
            } else if let (Some(a), Some(b)) = (&figures[pair.a], &figures[pair.b]) {
                self.look_at_figures(index, a, b, asked);
            }
        }
        self.seen = asked;
    }

    fn open_asymptotic(&self, model: usize) -> bool {
        self.pairs.iter().any(|pair| {
            pair.verdict == Verdict::Open
                && pair.metric != Metric::Acc
                && (pair.a == model || pair.b == model)
        })
    }

    /// The error probability of one comparison.
    fn level(&self) -> f64 {
        (1.0 - self.question.confidence) / self.pairs.len().max(1) as f64
    }

    fn margin(&self, metric: Metric) -> Option<f64> {
        let mut metrics = self.question.metrics.iter();
        metrics.find(|(it, _)| *it == metric)?.1
    }

    fn look_at_accuracy(&mut self, index: usize, [a, b]: [&Answers<'_>; 2]) {
        let level = self.level();
        let margin = self.margin(Metric::Acc);
        let Some(bets) = &mut self.accuracy[index] else {
            return;
        };
        for place in bets.len()..a.asked.len() {
            let weight = self.question.weight(a.asked[place].0);
            bets.push(weight * (a.correct(place) - b.correct(place)));
        }
        let pair = &mut self.pairs[index];
        let zero = bets.sides(0, level);
        let is_equal = margin.is_some() && bets.sides(1, level).below && bets.sides(2, level).above;
        pair.verdict = match (zero.above, zero.below, is_equal) {
            (true, ..) => Verdict::A,
            (_, true, _) => Verdict::B,
            (.., true) => Verdict::Equal,
            _ => Verdict::Open,
        };
    }

    fn look_at_figures(&mut self, index: usize, a: &Figures, b: &Figures, asked: usize) {
        let of = self.question.total() as u64;
        let from = burn_in(self.question.alpha);
        let sequence = Asymptotic::new(Draws::Without { of }, self.level(), from);
        let margin = self.margin(self.pairs[index].metric);
        let pair = &mut self.pairs[index];
        let (difference, deviation, half_ranks) = a.minus(b, pair.metric);
        let mut half = sequence.half_width(asked, deviation);
        if asked < pair.of {
            half += half_ranks;
        }
        if half.is_infinite() {
            return;
        }
        let [low, high] = [difference - half, difference + half];
        pair.interval = Some([low, high]);
        let better = pair.metric.larger_is_better();
        pair.verdict = match (low > 0.0, high < 0.0) {
            (true, _) if better => Verdict::A,
            (_, true) if better => Verdict::B,
            (true, _) => Verdict::B,
            (_, true) => Verdict::A,
            _ if margin.is_some_and(|margin| -margin < low && high < margin) => Verdict::Equal,
            _ => Verdict::Open,
        };
    }

    /// Works out the intervals of accuracy, which take longer than verdicts, and returns all
    /// comparisons.
    pub fn finish(mut self) -> Vec<PairVerdict> {
        let level = self.level();
        for (pair, bets) in self.pairs.iter_mut().zip(&self.accuracy) {
            if let Some(bets) = bets.as_ref().filter(|bets| !bets.is_empty()) {
                pair.interval = Some(bets.interval(level));
            }
        }
        self.pairs
    }
}

/// Questions of the first rounds, and the part of those asked that each further round adds.
const FIRST_ROUND: usize = 10;
const ROUND: usize = 20;

/// Bets on the difference of accuracies: against zero and against either end of the margin.
fn bets(question: &Question, margin: Option<f64>) -> Bounded {
    let weights = (0..question.of.len()).map(|task| question.weight(task));
    let most = weights.fold(1.0, f64::max);
    let of = question.total() as u64;
    let bets = Bounded::new(Draws::Without { of }, -most, most).watching(0.0);
    match margin {
        Some(margin) => bets.watching(margin).watching(-margin),
        None => bets,
    }
}

impl Answers<'_> {
    /// The share of strategies in which the answer to the question asked at this place is right.
    fn correct(&self, place: usize) -> f64 {
        let (task, row) = self.asked[place];
        let strategies = &self.tasks[task].strategies;
        let right = strategies.iter().filter(|scores| scores.correct(row));
        right.count() as f64 / strategies.len().max(1) as f64
    }
}

/// Means over tasks and strategies: of set size, and of UAcc.
struct Figures {
    values: [f64; 2],
    /// The influence of each question, as if all were drawn alike.
    influences: [Vec<f64>; 2],
    /// How much they move if thresholds move by half a rank: a threshold lies on a score, and not between
    /// two.
    half_ranks: [f64; 2],
}

impl Figures {
    /// `None` where a threshold is infinite.
    fn of(answers: &Answers<'_>, question: &Question) -> Option<Self> {
        let mut all = Self {
            values: [0.0; 2],
            influences: [(); 2].map(|()| vec![0.0; answers.asked.len()]),
            half_ranks: [0.0; 2],
        };
        for (task, scores) in answers.tasks.iter().enumerate() {
            let asked = answers.asked.iter().enumerate();
            let (places, rows): (Vec<usize>, Vec<usize>) = asked
                .filter(|(_, (of, _))| *of == task)
                .map(|(place, &(_, row))| (place, row))
                .unzip();
            for strategy in &scores.strategies {
                let found = Influence::of(strategy, &rows, question.alpha)?;
                let share = 1.0 / (answers.tasks.len() * scores.strategies.len()) as f64;
                let weight = question.weight(task) / scores.strategies.len() as f64;
                let level = strategy
                    .view()
                    .protocol
                    .level(question.of[task], question.alpha);
                let values = found.at_level(level.unwrap_or(found.level));
                let moved = found.at_level(found.level + 0.5 / rows.len() as f64);
                let whole = [found.set_size, found.uacc];
                for figure in 0..2 {
                    all.values[figure] += share * values[figure];
                    all.half_ranks[figure] += share * (moved[figure] - whole[figure]).abs();
                }
                all.add(&found, &places, weight);
            }
        }
        Some(all)
    }

    fn add(&mut self, found: &Influence, places: &[usize], weight: f64) {
        let influences = [&found.on_set_size, &found.on_uacc];
        for (sums, influences) in self.influences.iter_mut().zip(influences) {
            for (&place, influence) in places.iter().zip(influences) {
                sums[place] += weight * influence;
            }
        }
    }

    /// The difference of a figure, the standard deviation of one question's influence on it, and what
    /// half a rank of each threshold makes.
    fn minus(&self, other: &Self, metric: Metric) -> (f64, f64, f64) {
        let figure = usize::from(metric == Metric::Uacc);
        let both = self.influences[figure]
            .iter()
            .zip(&other.influences[figure]);
        let n = self.influences[figure].len() as f64;
        let squares: f64 = both.map(|(a, b)| (a - b).powi(2)).sum();
        // One imagined question that differs by an option, or by all of UAcc: sets that are all alike
        // so far may still differ.
        let deviation = ((squares + 1.0) / n).sqrt();
        let half_ranks = self.half_ranks[figure] + other.half_ranks[figure];
        let difference = self.values[figure] - other.values[figure];
        (difference, deviation, half_ranks)
    }
}
