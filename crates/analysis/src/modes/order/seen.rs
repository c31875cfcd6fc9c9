//! A question's probabilities and answers in each order.

use sureness_conformal::{ProbabilityView, Row, View, averaged_orders};

use crate::OrderedQuestion;

/// What a model made of one question in several orders.
pub(super) struct Seen<'a> {
    pub(super) question: &'a OrderedQuestion,
    /// By order, the probability of each option.
    pub(super) probabilities: Vec<Vec<f64>>,
    /// By order, the most probable option.
    pub(super) tops: Vec<usize>,
    /// The mean probability of each option over the orders.
    pub(super) mean: Vec<f64>,
    /// The most probable option by these.
    pub(super) mean_top: usize,
}

impl<'a> Seen<'a> {
    pub(super) fn of(question: &'a OrderedQuestion, view: &View) -> Self {
        let mut rows = ProbabilityView::new(view);
        let mut look = |logits: &[f64]| {
            rows.load(&row_of(question, logits));
            (rows.probabilities().to_vec(), rows.order().top())
        };
        let each = question.logits.iter().map(|logits| look(logits));
        let (probabilities, tops) = each.unzip();
        let (mean, mean_top) = look(&averaged_orders(question.logits.iter().map(Vec::as_slice)));
        Self {
            question,
            probabilities,
            tops,
            mean,
            mean_top,
        }
    }

    /// Whether the answer is another one in some order.
    pub(super) fn changes(&self) -> bool {
        self.tops.iter().any(|top| *top != self.tops[0])
    }

    /// The share of pairs of orders with different answers.
    pub(super) fn disagreement(&self) -> f64 {
        let orders = self.tops.len();
        let alike = |top: &usize| self.tops.iter().filter(|other| *other == top).count() - 1;
        let agreeing: usize = self.tops.iter().map(alike).sum();
        1.0 - agreeing as f64 / (orders * (orders - 1)) as f64
    }

    /// Whether the right option is chosen in the order in which it stands at `letter`. `None` if there
    /// is no such order, or several options are right.
    pub(super) fn right_at(&self, letter: usize) -> Option<bool> {
        let right = self.question.right.only()?;
        let turns = self.question.turns.iter();
        let order = turns
            .clone()
            .position(|turn| turn.place_of(right) == letter)?;
        Some(self.tops.get(order) == Some(&right))
    }

    /// The mean probability of a letter over the orders, if the question has it.
    pub(super) fn letter(&self, letter: usize) -> Option<f64> {
        let orders = self.question.turns.iter().zip(&self.probabilities);
        let at = orders.map(|(turn, probabilities)| {
            let option = (0..probabilities.len()).find(|it| turn.place_of(*it) == letter)?;
            probabilities.get(option).copied()
        });
        let values = at.collect::<Option<Vec<f64>>>()?;
        Some(values.iter().sum::<f64>() / values.len() as f64)
    }
}

/// A row of a question with these scores of its options.
pub(super) fn row_of<'a>(question: &'a OrderedQuestion, logits: &'a [f64]) -> Row<'a> {
    Row {
        key: &question.key,
        cluster: Some(&question.cluster),
        logits: logits.into(),
        right: question.right,
        dont_know: None,
        none_of_the_above: None,
    }
}
