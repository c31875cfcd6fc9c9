//! How much the same question's scores move.
//!
//! A server that answers several prompts at once may add up in another order, and one that takes
//! a prompt from its cache may too. Figures that differ by no more than this floor are the same.

use std::sync::Arc;

use sureness_prompts::Prompt;

use super::super::exchange::Exchange;
use super::super::transport::Transport;
use super::report::Noise;
use crate::{OptionScores, RequestKey, ScoreRequest};

/// How many questions.
const QUESTIONS: usize = 20;
/// What the questions are about: letters and their neighbours, so that no answer is certain.
const ALPHABET: &[u8; 26] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Asks one by one, all together, and once more one by one, now from the cache. The first two
/// rounds go without a cache where the server can be told so (`uncached`): what was asked before
/// would otherwise leave nothing to be evaluated together. `None` if a question fails.
pub(super) async fn measure(
    exchange: &Exchange,
    uncached: &Exchange,
    transport: &Transport,
) -> Option<Noise> {
    let questions = questions();
    let (cold, one_by_one) = match singly(uncached, transport, &questions).await {
        Some(scores) => (uncached, scores),
        // A strict server may refuse the wish.
        None => (exchange, singly(exchange, transport, &questions).await?),
    };
    let together = cold.converse(transport, &questions, false).await;
    let together: Option<Vec<_>> = together.scores.into_iter().map(Result::ok).collect();
    let together = together?;
    let warm = singly(exchange, transport, &questions).await?;
    Some(Noise::between(&[one_by_one, together, warm]))
}

impl Noise {
    /// How much the scores of the same questions differ between three rounds: one by one, all
    /// together, and one by one again. Each round has one entry per question.
    pub fn between(rounds: &[Vec<OptionScores>; 3]) -> Self {
        let [first, together, again] = rounds;
        let mut noise = Self {
            questions: first.len(),
            largest_difference: 0.0,
            changed_top_options: 0,
        };
        for ((first, together), again) in first.iter().zip(together).zip(again) {
            for (one, other) in [(first, together), (first, again), (together, again)] {
                let moved = largest_difference(one, other);
                noise.largest_difference = noise.largest_difference.max(moved);
            }
            if [together, again]
                .iter()
                .any(|other| top(other) != top(first))
            {
                noise.changed_top_options += 1;
            }
        }
        noise
    }
}

async fn singly(
    exchange: &Exchange,
    transport: &Transport,
    questions: &[ScoreRequest],
) -> Option<Vec<OptionScores>> {
    let mut scores = Vec::with_capacity(questions.len());
    for question in questions {
        let reply = exchange
            .converse(transport, std::slice::from_ref(question), false)
            .await;
        scores.push(reply.scores.into_iter().next()?.ok()?);
    }
    Some(scores)
}

/// Over the options that both observed: a bound is no figure.
fn largest_difference(a: &OptionScores, b: &OptionScores) -> f64 {
    let both = a.observed.iter().zip(&b.observed);
    let values = a.logprobs.iter().zip(&b.logprobs);
    both.zip(values)
        .filter(|((a, b), _)| **a && **b)
        .map(|(_, (a, b))| (a - b).abs())
        .fold(0.0, f64::max)
}

fn top(scores: &OptionScores) -> Option<usize> {
    let values = scores.logprobs.iter().enumerate();
    // The first of several equal ones, so that a tie is no change.
    values
        .rev()
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(option, _)| option)
}

/// Short questions with a shared opening, each with four letters to choose from.
fn questions() -> Vec<ScoreRequest> {
    let prefix: Arc<str> = "Answer with the letter of the right choice.\n\n".into();
    let labels: Arc<[String]> = ["A", "B", "C", "D"].map(str::to_owned).into();
    let letter = |place: usize| char::from(ALPHABET[place % ALPHABET.len()]);
    let question = |number: usize| {
        let (right, before) = (letter(number + 1), letter(number));
        let (far, further) = (letter(number + 7), letter(number + 12));
        let suffix = format!(
            "Question: Which letter of the alphabet comes right after {before}?\nChoices:\n\
             A. {far}\nB. {right}\nC. {further}\nD. {before}\nAnswer:"
        );
        let prompt = Prompt {
            prefix: Arc::clone(&prefix),
            suffix,
        };
        ScoreRequest {
            key: RequestKey::new(&[0; 32], &prompt, &labels),
            prompt,
            labels: Arc::clone(&labels),
        }
    };
    (0..QUESTIONS).map(question).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Usage;

    fn scores(logprobs: &[f64], observed: &[bool]) -> OptionScores {
        OptionScores {
            logprobs: logprobs.to_vec(),
            observed: observed.to_vec(),
            mass: 0.5,
            usage: Usage::default(),
        }
    }

    #[test]
    fn bounds_do_not_count_and_ties_are_no_change() {
        let a = scores(&[-1.0, -1.0, -3.0], &[true, true, false]);
        let b = scores(&[-1.0, -1.25, -9.0], &[true, true, true]);
        assert!((largest_difference(&a, &b) - 0.25).abs() < 1e-12);
        assert_eq!((top(&a), top(&b)), (Some(0), Some(0)));
    }

    #[test]
    fn no_two_questions_are_the_same() {
        let texts: std::collections::HashSet<_> =
            questions().into_iter().map(|q| q.prompt.suffix).collect();
        assert_eq!(texts.len(), QUESTIONS);
    }
}
