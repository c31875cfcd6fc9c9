//! How far questions have been asked, whoever asks them.

use sureness_anytime::{Narrowed, PairVerdict, Pursuit, Question};

use super::{Stopped, Stopping};

/// How far tasks that are settled together have been asked, whoever asks them.
#[derive(Debug, Clone)]
pub struct Course {
    /// What is found out so far.
    pub pursuit: Pursuit,
    order: Vec<(usize, usize)>,
    asked: Vec<usize>,
    most: usize,
}

impl Course {
    /// Nothing asked yet of so many models; `order` is that of [`order_of_asking`].
    pub fn new(
        question: Question,
        order: Vec<(usize, usize)>,
        stopping: &Stopping,
        models: usize,
    ) -> Self {
        let of = question.total();
        Self {
            pursuit: Pursuit::new(question, models),
            order,
            asked: vec![0; models],
            most: stopping.max_questions.map_or(of, |most| most.min(of)),
        }
    }

    /// Whether there is more to ask.
    pub fn is_open(&self) -> bool {
        !self.pursuit.is_done() && self.pursuit.asked() < self.most
    }

    /// Moves on to the next round, if there is one; models that nothing open concerns stay where they are.
    pub fn advance(&mut self) {
        if !self.is_open() {
            return;
        }
        let next = self.pursuit.next_round().min(self.most);
        for (model, asked) in self.asked.iter_mut().enumerate() {
            if self.pursuit.concerns(model) {
                *asked = next;
            }
        }
    }

    /// The questions that a model is asked up to this round, in order: task and position.
    ///
    /// # Panics
    /// If there is no such model.
    pub fn asked(&self, model: usize) -> &[(usize, usize)] {
        &self.order[..self.asked[model]]
    }

    /// What it came to; interrupted if there was more to ask.
    pub fn finish(self) -> Found {
        let of = self.order.len();
        let stopped = match (self.is_open(), self.pursuit.is_done()) {
            (true, _) => Stopped::Interrupted,
            (_, true) => Stopped::Settled,
            _ if self.most < of => Stopped::MaxQuestions,
            _ => Stopped::AllAsked,
        };
        let (pairs, figures) = match self.pursuit {
            Pursuit::Pairs(settling) => (settling.finish(), Vec::new()),
            Pursuit::Figures(narrowing) => (Vec::new(), narrowing.figures().to_vec()),
        };
        Found {
            stopped,
            asked: self.asked,
            of,
            pairs,
            figures,
        }
    }
}

/// What one set of tasks came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Why nothing more was asked.
    pub stopped: Stopped,
    /// Questions that each model was asked.
    pub asked: Vec<usize>,
    /// Questions of these tasks.
    pub of: usize,
    /// Every comparison.
    pub pairs: Vec<PairVerdict>,
    /// Every figure whose interval was to be narrow.
    pub figures: Vec<Narrowed>,
}
