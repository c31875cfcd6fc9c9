//! The questions from which the prior of the letters is estimated.

use std::convert::Infallible;
use std::io;
use std::num::NonZeroU32;

use super::Turn;
use crate::draw::Draw;
use crate::{Dataset, MAX_OPTIONS};

/// Questions that are taken at least, if there are as many with this number of own options.
const LEAST: usize = 10;
/// The purpose of the draw, which keeps it apart from others.
const PURPOSE: &str = "sureness prior 1";

impl Dataset {
    /// Marks the `share` of the questions that are asked in every order, at random among those with
    /// equally many own options that do not refer to each other, and 10 of each at least.
    ///
    /// Each question is drawn by its own hash with the seed and the task, as by [`Self::sample`], and
    /// apart from it.
    ///
    /// # Errors
    ///
    /// If the questions cannot be read back.
    pub fn prior_sample(&self, share: f64, seed: u64) -> io::Result<Vec<bool>> {
        let mut own = Vec::with_capacity(self.questions.len());
        for question in self.questions.iter() {
            let turn = Turn::of(&question?, NonZeroU32::MIN);
            own.push(if turn.orders() > 1 { turn.own() } else { 0 });
        }
        let draw = Draw::new(PURPOSE, seed, &self.task.id);
        marked(draw, &own, share, |index| {
            self.questions.content_digest(index)
        })
    }
}

/// The same as [`Dataset::prior_sample`] of questions with these content digests and numbers of own
/// options, 0 for a question that cannot be turned.
pub fn prior_sample(
    keys: &[[u8; 32]],
    own: &[usize],
    share: f64,
    seed: u64,
    task: &str,
) -> Vec<bool> {
    let digest = |index: usize| Ok::<_, Infallible>(keys.get(index).copied().unwrap_or_default());
    match marked(Draw::new(PURPOSE, seed, task), own, share, digest) {
        Ok(marked) => marked,
    }
}

fn marked<E>(
    draw: Draw<'_>,
    own: &[usize],
    share: f64,
    digest: impl Fn(usize) -> Result<[u8; 32], E>,
) -> Result<Vec<bool>, E> {
    // By number of own options; none of those with one order.
    let mut wanted = [0_usize; MAX_OPTIONS + 1];
    for (number, wanted) in wanted.iter_mut().enumerate().skip(1) {
        let all = own.iter().filter(|own| **own == number).count();
        *wanted = ((share * all as f64).ceil() as usize).max(LEAST).min(all);
    }
    let mut marked = vec![false; own.len()];
    for (_, index) in draw.ranked(own.len(), digest)? {
        let left = wanted.get_mut(own[index as usize]);
        if let Some(left) = left.filter(|left| **left > 0) {
            marked[index as usize] = true;
            *left -= 1;
        }
    }
    Ok(marked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bank, Question, Task, Unread};

    /// A third of the questions has three options, the others four; in one of fifty these refer to each
    /// other.
    fn question(number: usize) -> Question {
        let last = if number % 50 == 1 {
            "all of these"
        } else {
            "four"
        };
        let options = ["one", "two", "three", last];
        let shown = 3 + usize::from(!number.is_multiple_of(3));
        Question {
            id: number.to_string(),
            category: None,
            context: None,
            stem: format!("What is {number}?"),
            options: options[..shown].iter().map(|it| (*it).to_owned()).collect(),
            right: 0.into(),
            accepted: Vec::new(),
        }
    }

    fn dataset(numbers: impl Iterator<Item = usize>) -> Dataset {
        let questions: Vec<Question> = numbers.map(question).collect();
        Dataset {
            task: Task::custom("own"),
            source: "test".to_owned(),
            questions: Bank::of(&questions).unwrap(),
            examples: Vec::new(),
            split: None,
            unread: Unread::default(),
            left_out: 0,
            unshown: 0,
        }
    }

    #[test]
    fn a_share_of_each_number_of_options_is_drawn_and_none_that_cannot_be_turned() {
        let marked = dataset(0..600).prior_sample(0.1, 7).unwrap();
        let drawn = |is: &dyn Fn(usize) -> bool| {
            let places = marked.iter().enumerate();
            places.filter(|(at, marked)| **marked && is(*at)).count()
        };
        assert_eq!(drawn(&|at| at.is_multiple_of(3)), 20);
        // Of 400 with four options, 8 refer to each other.
        assert_eq!(drawn(&|at| !at.is_multiple_of(3)), 40);
        assert_eq!(drawn(&|at| !at.is_multiple_of(3) && at % 50 == 1), 0);
        let few = dataset(0..60).prior_sample(0.01, 7).unwrap();
        assert_eq!(few.iter().filter(|marked| **marked).count(), 20);
        let one = dataset([1, 2].into_iter()).prior_sample(0.5, 7).unwrap();
        assert_eq!(one, [false, true]);
    }

    #[test]
    fn the_draw_depends_on_seed_and_content_alone() {
        let one = dataset(0..300).prior_sample(0.2, 7).unwrap();
        assert_ne!(one, dataset(0..300).prior_sample(0.2, 8).unwrap());
        let mut turned = dataset((0..300).rev()).prior_sample(0.2, 7).unwrap();
        turned.reverse();
        assert_eq!(one, turned);
    }
}
