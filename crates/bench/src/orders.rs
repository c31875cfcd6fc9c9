//! Groups that are made of several orders of the options: probabilities averaged over all orders, or
//! without the prior of the letters.
//!
//! A store holds what was asked, so that these are formed whenever rows are read.

use std::collections::HashMap;

use sureness_conformal::{LetterPrior, averaged_orders};
use sureness_questions::Turn;
use sureness_record::{OrderOf, Orders};
use sureness_scorers::{OptionScores, Usage};
use sureness_store::{Reader, RunInfo, StoreError, StoredRow};

/// One task in one prompt strategy, asked in several orders.
#[derive(Debug)]
pub(crate) struct OrderedGroup {
    /// Task id.
    pub(crate) task: String,
    /// The prompt strategy.
    pub(crate) strategy: String,
    /// The run's groups, by order; the first has the questions as they are.
    pub(crate) groups: Vec<usize>,
    run: i64,
    how: How,
}

/// What a question's scores are made of.
#[derive(Debug)]
enum How {
    /// Its probabilities in each order.
    Averaged,
    /// Those of the question as it is, without the prior of the letters, by number of own options.
    Corrected(HashMap<usize, LetterPrior>),
}

impl OrderedGroup {
    /// Those of a run, in the order of its groups; none of a run in one order.
    pub(crate) fn all(reader: &Reader, info: &RunInfo) -> Result<Vec<Self>, StoreError> {
        let Some(orders) = info.settings.run().and_then(|settings| settings.orders) else {
            return Ok(Vec::new());
        };
        let mut found: Vec<Self> = Vec::new();
        for (index, (task, name)) in info.groups.iter().enumerate() {
            let (strategy, order) = OrderOf::split(name);
            let is_same = |of: &&mut Self| of.task == *task && of.strategy == strategy;
            match (order, found.iter_mut().find(is_same)) {
                (OrderOf::Number(_), Some(of)) => of.groups.push(index),
                (OrderOf::AsIs, None) => found.push(Self {
                    task: task.clone(),
                    strategy: strategy.to_owned(),
                    groups: vec![index],
                    run: info.id,
                    how: How::Averaged,
                }),
                _ => {}
            }
        }
        if let Orders::Auto { .. } = orders {
            for group in &mut found {
                group.how = How::Corrected(group.priors(reader)?);
            }
        }
        Ok(found)
    }

    /// The name that its figures have, such as `base/averaged`.
    pub(crate) fn name(&self) -> String {
        let order = match self.how {
            How::Averaged => OrderOf::Averaged,
            How::Corrected(_) => OrderOf::Corrected,
        };
        order.name(&self.strategy)
    }

    /// Calls `visit` with each question, in order. Scores are in the order of its options, as ever.
    pub(crate) fn rows(
        &self,
        reader: &Reader,
        mut visit: impl FnMut(StoredRow),
    ) -> Result<(), StoreError> {
        match &self.how {
            How::Averaged => reader.rows_together(self.run, &self.groups, |rows| {
                visit(averaged(rows, self.groups.len()));
            }),
            How::Corrected(priors) => {
                let as_is = self.groups.first().copied().unwrap_or(0);
                reader.rows(self.run, as_is, |row| visit(corrected(row, priors)))
            }
        }
    }

    /// Calls `visit` with the rows of each question, one for each order in which it was asked, different
    /// ones alone.
    pub(crate) fn orders(
        &self,
        reader: &Reader,
        mut visit: impl FnMut(Vec<StoredRow>),
    ) -> Result<(), StoreError> {
        reader.rows_together(self.run, &self.groups, |rows| visit(different(rows)))
    }

    /// The letters' priors, by number of own options, from the questions that were asked in every order.
    fn priors(&self, reader: &Reader) -> Result<HashMap<usize, LetterPrior>, StoreError> {
        let mut by_own: HashMap<usize, Vec<Vec<Vec<f64>>>> = HashMap::new();
        self.orders(reader, |rows| {
            let Some(turn) = rows.first().and_then(|row| row.turn) else {
                return;
            };
            let letters: Vec<Vec<f64>> = rows.iter().filter_map(by_letter).collect();
            if letters.len() > 1 && letters.len() == turn.orders() {
                by_own.entry(turn.own()).or_default().push(letters);
            }
        })?;
        let priors = by_own.iter().filter_map(|(own, questions)| {
            let questions = questions.iter();
            let questions = questions.map(|orders| orders.iter().map(Vec::as_slice));
            Some((*own, LetterPrior::of(*own, questions)?))
        });
        Ok(priors.collect())
    }
}

/// The rows that show different orders.
fn different(rows: Vec<StoredRow>) -> Vec<StoredRow> {
    let mut seen = Vec::with_capacity(rows.len());
    let mut rows = rows;
    rows.retain(|row| {
        let places = row.turn.map_or(0, Turn::places);
        let is_new = !seen.contains(&places);
        seen.push(places);
        is_new
    });
    rows
}

/// A question's log-probabilities by letter, if it was answered.
fn by_letter(row: &StoredRow) -> Option<Vec<f64>> {
    let mut letters = row.scores.as_ref()?.logprobs.clone();
    row.turn?.show(&mut letters);
    Some(letters)
}

/// The mean over the orders of a question. It has an answer if it has one in every order: a mean over
/// some of them would leave in what the others take out.
fn averaged(rows: Vec<StoredRow>, orders: usize) -> StoredRow {
    let mut rows = different(rows);
    let expected = rows.first().and_then(|row| row.turn);
    let expected = expected.map_or(1, |turn| turn.orders().min(orders));
    let unanswered = rows.iter().position(|row| row.scores.is_none());
    if let Some(unanswered) = unanswered {
        return rows.swap_remove(unanswered);
    }
    let is_whole = rows.len() == expected;
    let scores: Vec<&OptionScores> = rows.iter().filter_map(|row| row.scores.as_ref()).collect();
    let scores = mean(&scores);
    let first = rows.swap_remove(0);
    StoredRow {
        scores: is_whole.then_some(scores),
        error: None,
        ..first
    }
}

fn mean(orders: &[&OptionScores]) -> OptionScores {
    let count = orders.len().max(1) as f64;
    let logprobs = averaged_orders(orders.iter().map(|scores| &*scores.logprobs));
    let seen = |option| {
        let mut orders = orders.iter();
        orders.all(|scores| scores.observed.get(option) == Some(&true))
    };
    OptionScores {
        observed: (0..logprobs.len()).map(seen).collect(),
        mass: orders.iter().map(|scores| scores.mass).sum::<f64>() / count,
        logprobs,
        usage: Usage::default(),
        words: None,
    }
}

/// A question's scores without the prior of its letters.
fn corrected(row: StoredRow, priors: &HashMap<usize, LetterPrior>) -> StoredRow {
    let mut row = row;
    let prior = row.turn.and_then(|turn| priors.get(&turn.own()));
    if let (Some(prior), Some(scores)) = (prior, &mut row.scores) {
        prior.correct(&mut scores.logprobs);
    }
    row
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use sureness_questions::Question;
    use sureness_record::QuestionRecord;
    use sureness_scorers::ScoreError;

    use super::*;

    /// A question of three options in this order, with these probabilities in its own order.
    fn row(order: u32, probabilities: Option<[f64; 3]>) -> StoredRow {
        let question = Question {
            id: "1".into(),
            category: None,
            context: None,
            stem: "Which?".into(),
            options: ["one", "two", "three"].map(str::to_owned).into(),
            right: 1.into(),
            accepted: Vec::new(),
        };
        StoredRow {
            position: 0,
            question: QuestionRecord {
                id: "1".into(),
                content: [1; 32],
                cluster: None,
                category: None,
                options: 3,
                right: 1.into(),
                dont_know: None,
                none_of_the_above: None,
            },
            scores: probabilities.map(|it| OptionScores {
                logprobs: it.map(|probability| probability.ln() - 0.5).into(),
                observed: vec![true, order != 2, true],
                mass: 0.3 * f64::from(order),
                usage: Usage::default(),
                words: None,
            }),
            error: probabilities
                .is_none()
                .then_some(ScoreError::TimedOut { seconds: 3 }),
            drawn: None,
            turn: NonZeroU32::new(order).map(|order| Turn::of(&question, order)),
        }
    }

    #[test]
    fn probabilities_are_averaged_over_different_orders() {
        // The fourth order is the first once more.
        let rows = [
            row(1, Some([0.6, 0.3, 0.1])),
            row(2, Some([0.2, 0.5, 0.3])),
            row(3, Some([0.1, 0.7, 0.2])),
            row(4, Some([0.6, 0.3, 0.1])),
        ];
        let scores = averaged(rows.into(), 4).scores.unwrap();
        for (logprob, mean) in scores.logprobs.iter().zip([0.3, 0.5, 0.2]) {
            assert!((logprob.exp() - mean).abs() < 1e-12);
        }
        assert_eq!(scores.observed, [true, false, true]);
        assert!((scores.mass - 0.6).abs() < 1e-12);
    }

    #[test]
    fn a_question_without_an_answer_in_one_order_has_none_together() {
        let even = Some([0.4, 0.3, 0.3]);
        let failed = averaged(vec![row(1, even), row(2, None), row(3, even)], 3);
        assert!(failed.scores.is_none() && failed.error.is_some());
        // As in a run that ended before its second order.
        let unasked = averaged(vec![row(1, even), row(3, even)], 3);
        assert!(unasked.scores.is_none() && unasked.error.is_none());
        // Two orders of three that were asked for.
        assert!(
            averaged(vec![row(1, even), row(2, even)], 2)
                .scores
                .is_some()
        );
    }

    #[test]
    fn a_number_of_options_without_a_prior_stays_as_it_is() {
        let as_is = row(1, Some([0.6, 0.3, 0.1]));
        let kept = corrected(as_is.clone(), &HashMap::new());
        assert_eq!(kept.scores, as_is.scores);
        let letters = [vec![0.0, -1.0, -1.0], vec![0.0, -1.0, -1.0]];
        let prior = LetterPrior::of(3, [letters.iter().map(Vec::as_slice)]).unwrap();
        let priors = HashMap::from([(3, prior)]);
        let scores = corrected(as_is, &priors).scores.unwrap();
        let first = scores.logprobs[0] - scores.logprobs[1];
        assert!((first - ((0.6_f64 / 0.3).ln() - 1.0)).abs() < 1e-12);
    }
}
