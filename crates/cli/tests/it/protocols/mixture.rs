//! Letters after thoughts, where the letters depend on the thought: the estimate is that of the mixture,
//! and its variance that of the letters' probabilities between thoughts, divided by their number.

use std::collections::HashMap;

use sureness_faultserver::{Healthy, Script, Thought, Thoughts, Words};
use sureness_store::Reader;
use sureness_testkit::{Case, text};

use crate::sampled::{OWN, QUESTIONS, case, question, unit};

/// Thoughts on each question, and words of each.
const THOUGHTS: u64 = 5;
const WORDS: usize = 20;
/// Letters of a question, both abstentions included.
const LETTERS: usize = 6;
/// Total probability that the server gives to letters.
const MASS: f64 = 0.97;

/// The thoughts on a question. The letters after each differ by a few nats.
fn thoughts(number: u64) -> Vec<Thought> {
    (0..THOUGHTS)
        .map(|thought| {
            let at = |purpose| unit(number * 100 + thought, purpose);
            let logits =
                (0..LETTERS as u64).map(|letter| 2.0 * unit(number, letter) + 1.5 * at(letter));
            Thought {
                text: vec![format!("musing{number}x{thought}"); WORDS].join(" "),
                weight: 0.5 + at(20),
                logits: logits.collect(),
            }
        })
        .collect()
}

/// The probabilities of the letters after a thought.
fn softmax(logits: &[f64]) -> Vec<f64> {
    let total: f64 = logits.iter().map(|logit| logit.exp()).sum();
    logits.iter().map(|logit| logit.exp() / total).collect()
}

/// What the law says of a question: the probabilities of its letters, their variance between thoughts,
/// and that of one drawn letter, summed over the letters.
struct Law {
    mixture: Vec<f64>,
    between: f64,
    of_one_letter: f64,
}

fn law(number: u64) -> Law {
    let all = thoughts(number);
    let total: f64 = all.iter().map(|thought| thought.weight).sum();
    let (mut mixture, mut squares) = (vec![0.0; LETTERS], 0.0);
    for thought in &all {
        let weight = thought.weight / total;
        for (sum, p) in mixture.iter_mut().zip(softmax(&thought.logits)) {
            *sum += weight * p;
            squares += weight * p * p;
        }
    }
    let square: f64 = mixture.iter().map(|p| p * p).sum();
    Law {
        between: squares - square,
        of_one_letter: 1.0 - square,
        mixture,
    }
}

fn script() -> Script {
    // Five more questions are examples.
    let thoughts: Thoughts = (0..QUESTIONS + 5)
        .map(|number| (question(number).0, thoughts(number)))
        .collect();
    Script {
        server: Healthy {
            thoughts: Some(thoughts),
            words: Some(Words::default()),
            ..Healthy::default()
        },
        ..Script::default()
    }
}

/// The probabilities of the letters that a run found, by the number of the question.
fn found(case: &Case, name: &str) -> HashMap<u64, Vec<f64>> {
    let reader = Reader::open(&case.path(name).join("sureness.sqlite")).unwrap();
    let mut found = HashMap::new();
    let rows = reader.rows(1, 0, |row| {
        let number = row.question.id.parse().unwrap();
        let drawn = row.drawn.unwrap();
        let chosen: u32 = drawn.chosen.iter().sum();
        let shares = if chosen > 0 {
            let share = |count: &u32| f64::from(*count) / f64::from(chosen);
            drawn.chosen.iter().map(share).collect()
        } else {
            let scores = row.scores.unwrap();
            scores
                .logprobs
                .iter()
                .map(|logprob| logprob.exp() / MASS)
                .collect()
        };
        found.insert(number, shares);
    });
    rows.unwrap();
    found
}

/// The squared error of each question, over its letters, with the law of the question.
fn errors(case: &Case, name: &str) -> Vec<(f64, Law)> {
    let found = found(case, name);
    assert_eq!(found.len() as u64, QUESTIONS);
    found
        .into_iter()
        .map(|(number, shares)| {
            let law = law(number);
            let apart = shares
                .iter()
                .zip(&law.mixture)
                .map(|(a, b)| (a - b) * (a - b));
            (apart.sum(), law)
        })
        .collect()
}

/// Asserts that squared errors have this mean, within four standard errors.
#[track_caller]
fn has_mean(errors: &[(f64, Law)], expected: impl Fn(&Law) -> f64, what: &str) {
    let apart: Vec<f64> = errors
        .iter()
        .map(|(error, law)| error - expected(law))
        .collect();
    let sum: f64 = apart.iter().sum();
    let spread = apart.iter().map(|apart| apart * apart).sum::<f64>().sqrt();
    assert!(
        sum.abs() <= 4.0 * spread,
        "{what}: {sum} with standard error {spread}"
    );
}

fn mean(errors: &[(f64, Law)]) -> f64 {
    errors.iter().map(|(error, _)| error).sum::<f64>() / errors.len() as f64
}

fn run(case: &Case, name: &str, flags: &str) -> u64 {
    case.server.clear_log();
    let output = case
        .asking(&format!("run {flags} {OWN}"), name)
        .output()
        .unwrap();
    assert!(output.status.success(), "{name}: {}", text(&output.stderr));
    case.server.counts().tokens.answer
}

#[test]
fn thoughts_are_averaged_with_the_variance_between_them() {
    for chat in ["", "--chat"] {
        let case = case(script(), QUESTIONS);
        let mut means = Vec::new();
        for k in [1_u32, 3, 9] {
            let name = format!("reasoned-{k}");
            run(
                &case,
                &name,
                &format!("{chat} --answers reasoned --thoughts {k}"),
            );
            let errors = errors(&case, &name);
            has_mean(
                &errors,
                |law| law.between / f64::from(k),
                &format!("{chat} {name}"),
            );
            means.push(mean(&errors));
        }
        assert!(
            means[0] > 2.25 * means[1] && means[1] > 2.25 * means[2],
            "{means:?}"
        );
    }
}

#[test]
fn letters_after_thoughts_need_fewer_tokens_than_counted_answers() {
    let case = case(script(), QUESTIONS);
    let tokens = run(&case, "reasoned", "--chat --answers reasoned --thoughts 4");
    let reasoned = errors(&case, "reasoned");
    // A counted answer has a thought before it, too: as many answers come to a few tokens more.
    let more = run(&case, "sampled", "--chat --answers sampled --samples 4");
    let sampled = errors(&case, "sampled");
    assert!(more as f64 > tokens as f64 * 0.95, "{more} and {tokens}");
    has_mean(&sampled, |law| law.of_one_letter / 4.0, "sampled");
    let of_law = |of: fn(&Law) -> f64| sampled.iter().map(|(_, law)| of(law)).sum::<f64>();
    let gain = of_law(|law| law.of_one_letter) / of_law(|law| law.between);
    let measured = mean(&sampled) / mean(&reasoned);
    assert!(gain > 8.0, "{gain}");
    assert!(
        (0.7..1.4).contains(&(measured / gain)),
        "{measured} where the law says {gain}"
    );
}
