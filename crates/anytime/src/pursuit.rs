//! Asking until a goal is reached, whichever it is.

use crate::{Answers, Goal, Narrowing, Question, Settling};

/// What is found out while questions are asked.
#[derive(Debug, Clone)]
pub enum Pursuit {
    /// Verdicts about pairs of models.
    Pairs(Settling),
    /// Intervals of each model's figures.
    Figures(Narrowing),
}

impl Pursuit {
    /// Nothing asked yet of so many models.
    pub fn new(question: Question, models: usize) -> Self {
        match question.goal {
            Goal::Settled | Goal::Gate => Self::Pairs(Settling::new(question, models)),
            Goal::Width => Self::Figures(Narrowing::new(question, models)),
        }
    }

    /// Questions asked so far of the models that are still asked.
    pub fn asked(&self) -> usize {
        match self {
            Self::Pairs(settling) => settling.asked(),
            Self::Figures(narrowing) => narrowing.asked(),
        }
    }

    /// Whether nothing is left to find out.
    pub fn is_done(&self) -> bool {
        match self {
            Self::Pairs(settling) => settling.is_settled(),
            Self::Figures(narrowing) => narrowing.is_done(),
        }
    }

    /// Whether this model is to be asked further.
    pub fn concerns(&self, model: usize) -> bool {
        match self {
            Self::Pairs(settling) => settling.concerns(model),
            Self::Figures(narrowing) => narrowing.concerns(model),
        }
    }

    /// Number of questions to ask before the next look.
    pub fn next_round(&self) -> usize {
        match self {
            Self::Pairs(settling) => settling.next_round(),
            Self::Figures(narrowing) => narrowing.next_round(),
        }
    }

    /// Looks at the answers; see [`Settling::look`] and [`Narrowing::look`].
    ///
    /// # Panics
    /// If the number of models is another, or a row does not exist.
    pub fn look(&mut self, models: &[Answers<'_>]) {
        match self {
            Self::Pairs(settling) => settling.look(models),
            Self::Figures(narrowing) => narrowing.look(models),
        }
    }

    /// Comparisons or figures that are found out, and how many there are.
    pub fn standing(&self) -> (usize, usize) {
        match self {
            Self::Pairs(settling) => {
                let pairs = settling.pairs();
                (
                    pairs.iter().filter(|it| it.verdict.is_final()).count(),
                    pairs.len(),
                )
            }
            Self::Figures(narrowing) => {
                let figures = narrowing.figures();
                (
                    figures.iter().filter(|it| it.reached).count(),
                    figures.len(),
                )
            }
        }
    }
}
