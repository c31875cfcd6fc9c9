//! Which questions serve as worked examples.

use std::collections::HashMap;

use crate::Question;
use crate::digest::Digest;

/// Indices of `questions`, best worked example first.
///
/// The first `spread` are chosen one by one: each from a category, then with an answer letter,
/// that came least often so far. Among equals, and after them, the order is a random one that
/// depends on the seed and on what the questions say, not on where they stand.
pub(crate) fn best_first(questions: &[Question], spread: usize, seed: u64) -> Vec<usize> {
    let mut rest: Vec<_> = questions
        .iter()
        .enumerate()
        .map(|(index, question)| {
            let rank = Digest::new("sureness examples 1")
                .number(seed)
                .bytes(&question.content_digest());
            (rank.finish(), index)
        })
        .collect();
    rest.sort_unstable();
    let mut rest: Vec<usize> = rest.into_iter().map(|(_, index)| index).collect();

    let mut order = Vec::with_capacity(questions.len());
    let mut categories: HashMap<Option<&str>, usize> = HashMap::new();
    let mut answers: HashMap<usize, usize> = HashMap::new();
    while order.len() < spread {
        let times = |index: usize| {
            let question = &questions[index];
            let category = categories.get(&question.category.as_deref());
            (
                category.copied().unwrap_or(0),
                answers.get(&question.answer).copied().unwrap_or(0),
            )
        };
        // `min_by_key` takes the first of equals, which is the first in the random order.
        let Some(place) = (0..rest.len()).min_by_key(|&place| times(rest[place])) else {
            break;
        };
        let index = rest.remove(place);
        let question = &questions[index];
        *categories.entry(question.category.as_deref()).or_default() += 1;
        *answers.entry(question.answer).or_default() += 1;
        order.push(index);
    }
    order.append(&mut rest);
    order
}

/// Sets worked examples aside from the questions themselves, at most half of them.
pub(crate) fn set_aside(
    questions: Vec<Question>,
    wanted: usize,
    seed: u64,
) -> (Vec<Question>, Vec<Question>) {
    let count = wanted.min(questions.len() / 2);
    let chosen = best_first(&questions, count, seed);
    take(questions, &chosen[..count])
}

/// Splits off the questions at `chosen`, in that order; returns the others and the chosen.
pub(crate) fn take(questions: Vec<Question>, chosen: &[usize]) -> (Vec<Question>, Vec<Question>) {
    let mut slots: Vec<_> = questions.into_iter().map(Some).collect();
    let taken = chosen
        .iter()
        .filter_map(|&index| slots.get_mut(index).and_then(Option::take))
        .collect();
    (slots.into_iter().flatten().collect(), taken)
}
