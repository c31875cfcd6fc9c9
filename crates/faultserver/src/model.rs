//! The simulated model, whose next token is a function of the prompt.
//!
//! Its vocabulary is the letters A to Z and a hundred other words. A prompt's hash sets the
//! letters' probabilities, so that an answer identifies its prompt. A to F have almost all of the
//! probability, as with a real model after a question of six options, and so are always among the
//! first ten tokens.

use crate::chance::unit_of;
use crate::script::Healthy;

pub(crate) const LETTERS: usize = 26;
/// Number of letters that a question offers.
pub(crate) const OFFERED: usize = 6;
/// Total probability of all letters.
const LETTER_MASS: f64 = 0.97;
/// The most probable of the offered letters has at most `e^SPREAD` times the least probable one.
const SPREAD: f64 = 3.0;
/// Relative probability of letters beyond the offered ones.
const RARE: f64 = 1e-3;
const OTHERS: usize = 100;

/// One possible next token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) id: usize,
    pub(crate) text: String,
    pub(crate) logprob: f64,
}

/// The natural log-probability of each label as the next token after `prompt`, exactly as a healthy
/// server reports it. Other labels than the letters A to Z have negative infinity: the server never
/// lists them.
pub fn logprobs_of<S: AsRef<str>>(prompt: &str, labels: &[S]) -> Vec<f64> {
    let letters = of_prompt(prompt, 0.0);
    labels
        .iter()
        .map(|label| match label.as_ref().as_bytes() {
            [letter @ b'A'..=b'Z'] => letters[usize::from(letter - b'A')],
            _ => f64::NEG_INFINITY,
        })
        .collect()
}

/// The `k` most probable tokens, best first. With `space`, each is spelled with a leading space,
/// as after a completions prompt that ends with a colon.
pub(crate) fn top_tokens(server: &Healthy, prompt: &str, k: usize, space: bool) -> Vec<Token> {
    let lead = if space { " " } else { "" };
    let letters = letters(server, prompt)
        .into_iter()
        .enumerate()
        .map(|(id, logprob)| Token {
            id,
            text: format!("{lead}{}", char::from(b'A' + id as u8)),
            logprob,
        });
    let others = (0..OTHERS).map(|n| Token {
        id: LETTERS + n,
        text: format!("{lead}word{n:02}"),
        // 1/2, 1/4, 1/8 … of what the letters leave over.
        logprob: (1.0 - LETTER_MASS).ln() - (n + 1) as f64 * std::f64::consts::LN_2,
    });
    let mut tokens: Vec<Token> = letters.chain(others).collect();
    tokens.sort_by(|a, b| b.logprob.total_cmp(&a.logprob));
    tokens.truncate(k);
    tokens
}

/// How many tokens a text has here: one per word.
pub(crate) fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

/// The log-probability of each letter: by the server's table, or else a function of the prompt.
pub(crate) fn letters(server: &Healthy, prompt: &str) -> [f64; LETTERS] {
    let Some(logits) = server.logits_of(prompt) else {
        return of_prompt(prompt, server.drift);
    };
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut weights = [f64::MIN_POSITIVE; LETTERS];
    for (weight, logit) in weights.iter_mut().zip(logits.iter()) {
        *weight = (logit - most).exp();
    }
    normalised(weights)
}

/// Each letter's logit is up to `drift` nats from that of the model without drift.
fn of_prompt(prompt: &str, drift: f64) -> [f64; LETTERS] {
    let mut random = [0; LETTERS * 16];
    blake3::Hasher::new()
        .update(prompt.as_bytes())
        .finalize_xof()
        .fill(&mut random);
    let (units, _) = random.as_chunks::<8>();
    let (own, drifts) = units.split_at(LETTERS);
    let mut weights = [0.0; LETTERS];
    for (letter, (weight, (&own, &other))) in
        weights.iter_mut().zip(own.iter().zip(drifts)).enumerate()
    {
        let rarity = if letter < OFFERED { 1.0 } else { RARE };
        let drifted = drift * (2.0 * unit_of(other) - 1.0);
        *weight = (SPREAD * unit_of(own) + drifted).exp() * rarity;
    }
    normalised(weights)
}

fn normalised(weights: [f64; LETTERS]) -> [f64; LETTERS] {
    let total: f64 = weights.iter().sum();
    weights.map(|weight| (LETTER_MASS * weight / total).ln())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LABELS: [&str; 6] = ["A", "B", "C", "D", "E", "F"];

    proptest! {
        #[test]
        fn the_tokens_are_a_distribution_and_hold_the_offered_letters(prompt in ".{0,60}") {
            let all = top_tokens(&Healthy::default(), &prompt, usize::MAX, true);
            let total: f64 = all.iter().map(|t| t.logprob.exp()).sum();
            prop_assert!((total - 1.0).abs() < 1e-9, "{total}");
            let ten = top_tokens(&Healthy::default(), &prompt, 10, true);
            for (label, wanted) in LABELS.iter().zip(logprobs_of(&prompt, &LABELS)) {
                let found = ten.iter().find(|t| t.text == format!(" {label}")).unwrap();
                prop_assert_eq!(found.logprob.to_bits(), wanted.to_bits());
            }
        }

        #[test]
        fn another_prompt_has_another_answer(a in ".{0,30}", b in ".{0,30}") {
            prop_assume!(a != b);
            prop_assert_ne!(logprobs_of(&a, &LABELS), logprobs_of(&b, &LABELS));
        }
    }

    #[test]
    fn drift_moves_each_answer_and_no_further() {
        for prompt in ["a", "b", "c"] {
            let moved = of_prompt(prompt, 0.0)
                .into_iter()
                .zip(of_prompt(prompt, 0.5));
            let most = moved.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!((0.05..=1.0).contains(&most), "{most}");
        }
    }

    #[test]
    fn other_labels_have_no_probability() {
        assert_eq!(logprobs_of("x", &["a", "", "AB"]), [f64::NEG_INFINITY; 3]);
    }
}
