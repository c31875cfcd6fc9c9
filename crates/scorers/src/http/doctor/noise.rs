//! Measures how reproducible the scores of a question are.
//!
//! Batching and prefix caches change the order of floating-point sums. Figures that differ by no
//! more than this noise are not different.

use std::time::Duration;

use sureness_prompts::{PromptBuilder, Strategy, Wording};
use sureness_questions::{Question, pack};
use sureness_record::Noise;

use super::super::exchange::Exchange;
use super::super::probe::Counted;
use super::super::transport::Transport;
use crate::{OptionScores, RequestKey, ScoreError, ScoreRequest};

/// Attempts at a question, and the pause between two.
const TRIES: usize = 6;
const PAUSE: Duration = Duration::from_millis(300);
/// Their task in the built-in pack: reading comprehension, whose prompts are long.
const TASK: &str = "rc";

/// Asks `count` questions one by one, all at once, and one by one again, now from the cache; and as one
/// list, if the server accepts lists. The first rounds and the list bypass the cache where the
/// server supports that (`uncached`), since cached prompts would leave nothing to evaluate
/// together. `None` if a question fails. An answer without log-probabilities is asked for again, as in
/// a run; `counted` counts all answers.
///
/// The prompts are those of a run: with five few-shot examples or, if the context is too short,
/// with none. Servers evaluate shorter prompts in one piece regardless of load, without noise.
pub(super) async fn measure(
    count: usize,
    exchange: &Exchange,
    uncached: &Exchange,
    transport: &Transport,
    lists: bool,
    counted: &mut Counted,
) -> Option<Noise> {
    for shots in [5, 0] {
        let questions = questions(count, shots)?;
        let rounds = rounds(exchange, uncached, transport, &questions, lists, counted).await;
        if let Some(rounds) = rounds {
            return Some(noise_between(&rounds));
        }
    }
    None
}

async fn rounds(
    exchange: &Exchange,
    uncached: &Exchange,
    transport: &Transport,
    questions: &[ScoreRequest],
    lists: bool,
    counted: &mut Counted,
) -> Option<Vec<Vec<OptionScores>>> {
    let (cold, one_by_one) = match singly(uncached, transport, questions, counted).await {
        Some(scores) => (uncached, scores),
        // A strict server may reject the unknown field.
        None => (
            exchange,
            singly(exchange, transport, questions, counted).await?,
        ),
    };
    let together = at_once(cold, transport, questions, false, counted).await?;
    let warm = singly(exchange, transport, questions, counted).await?;
    let mut rounds = vec![one_by_one, together, warm];
    if lists {
        // The server may reject a list this long.
        rounds.extend(at_once(cold, transport, questions, true, counted).await);
    }
    Some(rounds)
}

/// All questions at once; those whose failure may pass are asked again at once.
async fn at_once(
    exchange: &Exchange,
    transport: &Transport,
    questions: &[ScoreRequest],
    as_list: bool,
    counted: &mut Counted,
) -> Option<Vec<OptionScores>> {
    let mut scores: Vec<Option<OptionScores>> = vec![None; questions.len()];
    let mut open: Vec<usize> = (0..questions.len()).collect();
    for attempt in 0..TRIES {
        if attempt > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        let batch: Vec<_> = open.iter().map(|&place| questions[place].clone()).collect();
        let reply = exchange.score_batch(transport, &batch, as_list).await;
        let mut again = Vec::new();
        for (place, outcome) in open.into_iter().zip(reply.scores) {
            counted.add(&outcome);
            match outcome {
                Ok(answer) => scores[place] = Some(answer),
                Err(error) if error == ScoreError::NoLogprobs || error.is_retryable() => {
                    again.push(place);
                }
                Err(_) => return None,
            }
        }
        if again.is_empty() {
            return scores.into_iter().collect();
        }
        open = again;
    }
    None
}

/// The differences between rounds of the same questions. Each round has one entry per question.
pub fn noise_between(rounds: &[Vec<OptionScores>]) -> Noise {
    let questions = rounds.iter().map(Vec::len).min().unwrap_or(0);
    let mut noise = Noise {
        questions,
        ..Noise::default()
    };
    for question in 0..questions {
        let scores: Vec<_> = rounds.iter().map(|round| &round[question]).collect();
        for (place, one) in scores.iter().enumerate() {
            for other in &scores[place + 1..] {
                let moved = largest_difference(one, other);
                noise.largest_difference = noise.largest_difference.max(moved);
            }
        }
        let changed = scores.windows(2).any(|pair| top(pair[0]) != top(pair[1]));
        noise.changed_top_options += usize::from(changed);
    }
    noise
}

async fn singly(
    exchange: &Exchange,
    transport: &Transport,
    questions: &[ScoreRequest],
    counted: &mut Counted,
) -> Option<Vec<OptionScores>> {
    let mut scores = Vec::with_capacity(questions.len());
    for question in questions {
        let question = std::slice::from_ref(question);
        let answered = at_once(exchange, transport, question, false, counted).await?;
        scores.extend(answered);
    }
    Some(scores)
}

/// Over the options that both observed, since bounds are not comparable.
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
    // The first of equals, so that a tie is not a change.
    values
        .rev()
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(option, _)| option)
}

/// The first `count` questions of the built-in pack, each with `shots` few-shot examples.
fn questions(count: usize, shots: usize) -> Option<Vec<ScoreRequest>> {
    let data = pack::dataset(TASK, true)?;
    let wording = Wording::builtin();
    let builder =
        PromptBuilder::new(&data.task, Strategy::Base, &wording, &data.examples, shots).ok()?;
    let ask = |question: Question| {
        let prompt = builder.build(&question);
        let labels = builder.labels(&question);
        ScoreRequest {
            key: RequestKey::new(&[0; 32], &prompt, &labels),
            prompt,
            labels: labels.into(),
            draw: None,
        }
    };
    let first = data.questions.iter().take(count).flatten();
    Some(first.map(ask).collect())
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
            words: None,
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
    fn every_pair_of_rounds_counts() {
        let round = |a: f64, b: f64| vec![scores(&[a, b], &[true; 2])];
        let noise = noise_between(&[
            round(-1.0, -2.0),
            round(-1.0, -2.0),
            round(-1.5, -2.0),
            round(-2.0, -1.75),
        ]);
        assert_eq!((noise.questions, noise.changed_top_options), (1, 1));
        assert!((noise.largest_difference - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_questions_are_those_of_a_run() {
        for (shots, least) in [(5, 1500), (0, 60)] {
            let questions = questions(20, shots).unwrap();
            let texts: std::collections::HashSet<_> =
                questions.iter().map(|q| q.prompt.text()).collect();
            assert_eq!(texts.len(), 20);
            assert!(texts.iter().all(|text| text.len() >= least), "{shots}");
            assert!(questions.iter().all(|q| q.labels.len() == 6));
        }
    }
}
