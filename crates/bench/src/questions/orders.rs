//! The orders in which a task's options are shown.

use std::num::NonZeroU32;

use sureness_analysis::number::{count, counted};
use sureness_questions::{Dataset, Turn};
use sureness_record::Orders;

use crate::error::Failure;

/// The orders of one task's questions.
#[derive(Debug, Clone)]
pub(super) struct Ordering {
    task: String,
    /// The number of orders.
    most: u32,
    /// By question, in how many different orders it can be shown.
    of_question: Vec<u8>,
    /// By question, whether it is asked in every order; `None` where all are.
    sampled: Option<Vec<bool>>,
    questions: usize,
    /// Questions whose options refer to each other.
    fixed: usize,
    /// Questions with fewer options of their own than there are orders.
    fewer: usize,
}

impl Ordering {
    /// The orders of a data set; `None` where each question is asked as it is.
    pub(super) fn of(
        dataset: &Dataset,
        orders: Option<Orders>,
        seed: u64,
    ) -> Result<Option<Self>, Failure> {
        let Some(orders) = orders else {
            return Ok(None);
        };
        let mut turns = Vec::with_capacity(dataset.questions.len());
        for question in dataset.questions.iter() {
            let question = question.map_err(Failure::new)?;
            if question.is_open() {
                return Err(refuse_open(&dataset.task.id));
            }
            turns.push(Turn::of(&question, NonZeroU32::MIN));
        }
        let most_possible = turns.iter().map(|turn| turn.orders()).max().unwrap_or(1) as u32;
        let (most, sampled) = match orders {
            Orders::Each(most) => (most.get(), None),
            Orders::Auto { share } => {
                let sampled = dataset.prior_sample(share, seed).map_err(Failure::new)?;
                (most_possible, Some(sampled))
            }
        };
        let ordering = Self {
            task: dataset.task.id.clone(),
            most,
            of_question: turns.iter().map(|turn| turn.orders() as u8).collect(),
            sampled,
            questions: turns.len(),
            fixed: turns.iter().filter(|turn| turn.is_fixed()).count(),
            fewer: turns
                .iter()
                .filter(|turn| !turn.is_fixed() && (turn.orders() as u32) < most)
                .count(),
        };
        ordering.check(most_possible)?;
        Ok(Some(ordering))
    }

    fn check(&self, possible: u32) -> Result<(), Failure> {
        let task = &self.task;
        if possible < 2 {
            return Err(Failure::new(format!(
                "--orders: no question of task {task} can be shown in another order"
            ))
            .hint("leave out --orders; options that refer to each other are never turned"));
        }
        if self.most > possible {
            return Err(Failure::new(format!(
                "--orders {}: no question of task {task} has more than {possible} options of its own to turn",
                self.most
            ))
            .hint(format!("give at most --orders {possible}")));
        }
        Ok(())
    }

    /// Keeps the questions of a shard.
    pub(super) fn keep(&mut self, kept: &[u32]) {
        let of = kept.iter().map(|&place| self.of_question[place as usize]);
        self.of_question = of.collect();
        if let Some(sampled) = &mut self.sampled {
            *sampled = kept.iter().map(|&place| sampled[place as usize]).collect();
        }
    }

    /// How many answers each question takes in this order, 1 or 0; `None` where all take one.
    pub(super) fn wanted(&self, order: Option<NonZeroU32>) -> Option<Vec<u32>> {
        let order = order.map_or(1, NonZeroU32::get);
        let sampled = self.sampled.as_ref()?;
        let each = sampled.iter().zip(&self.of_question);
        let wants = |(sampled, orders): (&bool, &u8)| {
            u32::from(order == 1 || (*sampled && order <= u32::from(*orders)))
        };
        Some(each.map(wants).collect())
    }

    /// What a reader should know of the questions that are not turned as far as others.
    pub(super) fn note(&self) -> Option<String> {
        let of = counted(self.questions, "question");
        let fixed = (self.fixed > 0).then(|| {
            format!(
                "in {} of {of}, options refer to each other, so that these are asked in one order",
                count(self.fixed)
            )
        });
        let fewer = (self.fewer > 0).then(|| {
            format!(
                "{} of {of} have fewer than {} options of their own and as many orders as options",
                count(self.fewer),
                self.most
            )
        });
        let parts: Vec<String> = fixed.into_iter().chain(fewer).collect();
        (!parts.is_empty()).then(|| format!("task {}: {}", self.task, parts.join("; ")))
    }
}

/// The refusal of open questions.
fn refuse_open(task: &str) -> Failure {
    Failure::new(format!(
        "--orders: task {task} has open questions, which show no options"
    ))
    .hint("leave out --orders, or name other tasks with --tasks")
}

/// The numbers of the orders in which a task is asked; `None` for its only one.
pub(super) fn numbers(ordering: Option<&Ordering>) -> Vec<Option<NonZeroU32>> {
    match ordering {
        None => vec![None],
        Some(ordering) => (1..=ordering.most).map(NonZeroU32::new).collect(),
    }
}

/// A part of the first line about a run's questions.
pub(super) fn describe(orders: &[Ordering]) -> String {
    let most = orders.iter().map(|ordering| ordering.most).max();
    let sampled = orders
        .iter()
        .filter_map(|ordering| ordering.sampled.as_ref());
    let sampled: usize = sampled.map(|it| it.iter().filter(|it| **it).count()).sum();
    match most {
        None => String::new(),
        Some(most) if sampled > 0 => format!(
            " × up to {most} orders of the options ({} in every order)",
            counted(sampled, "question")
        ),
        Some(most) => format!(" × {most} orders of the options"),
    }
}
