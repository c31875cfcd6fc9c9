//! Scores options outside the most probable tokens, from llama.cpp.
//!
//! A bias of +100 excludes all tokens but those of the options. With all samplers off, the
//! probabilities after sampling are then the options' relative ones. The log-probabilities that
//! llama.cpp reports otherwise ignore the bias, so that tokens in both answers show whether a
//! sampler is still on.

use serde_json::Value;

use super::super::answer::{malformed, only_choice};
use crate::{OptionScores, ScoreError};

/// Smaller probabilities are rounding errors of zero.
const NEGLIGIBLE: f64 = 1e-30;

/// How far two answers to one prompt may differ without contradicting each other, in nats: two
/// steps of a bfloat16 logit, and a multiple of the noise floor.
const SLACK_NATS: f64 = 0.25;
const NOISE_FACTOR: f64 = 3.0;

/// Log-probabilities of the options' tokens, by number.
pub(in crate::http) type Seen = Vec<(u32, f64)>;

/// The difference that is allowed with this noise floor, in nats.
pub(in crate::http) fn allowed(noise_nats: f64) -> f64 {
    SLACK_NATS + NOISE_FACTOR * noise_nats
}

/// How far two answers disagree about the ratios of the tokens in both, in nats; `None` if they
/// share fewer than two.
pub(in crate::http) fn disagreement(one: &Seen, other: &Seen) -> Option<f64> {
    let differences: Vec<f64> = one
        .iter()
        .filter_map(|(id, value)| {
            let (_, same) = other.iter().find(|(known, _)| known == id)?;
            Some(value - same)
        })
        .collect();
    let (_, _) = (differences.first()?, differences.get(1)?);
    let least = differences.iter().copied().fold(f64::INFINITY, f64::min);
    let most = differences
        .iter()
        .copied()
        .fold(f64::NEG_INFINITY, f64::max);
    Some(most - least)
}

/// The options' tokens in a biased answer, relative to all of them.
pub(in crate::http) fn shares(response: &Value, ids: &[(u32, usize)]) -> Result<Seen, ScoreError> {
    let listed = only_choice(response)?
        .after_sampling()
        .ok_or_else(|| malformed("no probabilities after sampling"))?;
    let mut shares = Seen::new();
    for entry in listed {
        let id = entry.get("id").and_then(Value::as_u64);
        let share = entry.get("prob").and_then(Value::as_f64);
        let (Some(id), Some(share)) = (id, share) else {
            return Err(malformed("an entry of `top_probs` has no `id` or `prob`"));
        };
        if !(0.0..=1.0 + 1e-3).contains(&share) {
            return Err(malformed("an entry of `top_probs` is not a probability"));
        }
        let known = ids.iter().find(|(known, _)| u64::from(*known) == id);
        if let Some(&(id, _)) = known
            && share > NEGLIGIBLE
        {
            shares.push((id, share.ln()));
        }
    }
    Ok(shares)
}

/// The share of each option, over its tokens.
fn by_option(shares: &Seen, ids: &[(u32, usize)], options: usize) -> Vec<f64> {
    let mut sums = vec![0.0; options];
    for (id, share) in shares {
        let known = ids.iter().find(|(known, _)| known == id);
        if let Some(sum) = known.and_then(|&(_, option)| sums.get_mut(option)) {
            *sum += share.exp();
        }
    }
    sums
}

/// Whether these shares cover every option.
pub(in crate::http) fn covers(shares: &Seen, ids: &[(u32, usize)], options: usize) -> bool {
    let shares = by_option(shares, ids, options);
    shares.iter().all(|share| *share > NEGLIGIBLE)
}

/// The first answer of a question, which the biased one completes.
pub(in crate::http) struct First {
    pub(in crate::http) scores: OptionScores,
    /// The options' tokens in it.
    pub(in crate::http) seen: Seen,
}

impl First {
    /// How far the biased answer disagrees with this one: by token, or by option where a server does
    /// not number the tokens of its list.
    pub(in crate::http) fn apart(&self, biased: &Seen, ids: &[(u32, usize)]) -> Option<f64> {
        disagreement(&self.seen, biased).or_else(|| {
            let scores = &self.scores;
            let shares = by_option(biased, ids, scores.logprobs.len());
            let numbered = |values: Vec<f64>| -> Seen { (0..).zip(values).collect() };
            let observed = numbered(scores.logprobs.clone());
            let observed = observed
                .into_iter()
                .filter(|&(option, _)| scores.observed[option as usize]);
            let present = shares.into_iter().map(f64::ln).collect();
            let mut present = numbered(present);
            present.retain(|(_, share)| share.is_finite());
            disagreement(&observed.collect(), &present)
        })
    }
}

/// Fills in the options that the first answer did not observe: their ratio to an observed option is
/// the same in both answers. The observed option with the largest share is the least rounded one.
///
/// Where the answers contradict each other by more than `allowed` nats, in the ratios of the tokens
/// that both have or in the bound of the first, something bends one of them: the options stay
/// bounded.
pub(super) fn complete(
    response: &Value,
    ids: &[(u32, usize)],
    first: First,
    allowed: f64,
) -> Result<OptionScores, ScoreError> {
    let tokens = shares(response, ids)?;
    let apart = first.apart(&tokens, ids);
    let mut scores = first.scores;
    if let Some(nats) = apart.filter(|nats| *nats > allowed) {
        tracing::debug!(nats, allowed, "the biased answer contradicts the first one");
        return Ok(scores);
    }
    let shares = by_option(&tokens, ids, scores.logprobs.len());
    let observed = (0..shares.len()).filter(|&option| scores.observed[option]);
    let anchor = observed.max_by(|&a, &b| shares[a].total_cmp(&shares[b]));
    let Some(anchor) = anchor.filter(|&anchor| shares[anchor] > NEGLIGIBLE) else {
        return Err(malformed(
            "no observed option has a probability after sampling",
        ));
    };
    let scale = scores.logprobs[anchor] - shares[anchor].ln();
    let open = |option: &usize| !scores.observed[*option];
    let open: Vec<usize> = (0..shares.len()).filter(open).collect();
    if let Some(missing) = open.iter().find(|&&option| shares[option] <= NEGLIGIBLE) {
        return Err(malformed(&format!(
            "option {missing} (from 0) has no probability after sampling"
        )));
    }
    let value = |option: usize| shares[option].ln() + scale;
    if open
        .iter()
        .any(|&option| value(option) > scores.logprobs[option] + allowed)
    {
        tracing::debug!(
            allowed,
            "the biased answer exceeds the bound of the first one"
        );
        return Ok(scores);
    }
    for option in open {
        // The first answer's bound holds regardless of the second.
        let logprob = value(option).min(scores.logprobs[option]);
        scores.logprobs[option] = logprob;
        scores.observed[option] = true;
        scores.mass = (scores.mass + logprob.exp()).min(1.0);
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Usage;

    const IDS: [(u32, usize); 3] = [(330, 0), (389, 1), (340, 2)];

    fn answer(probs: [f64; 3]) -> Value {
        let listed: Vec<Value> = IDS
            .iter()
            .zip(probs)
            .map(|((id, _), prob)| json!({"id": id, "token": "x", "prob": prob}))
            .collect();
        json!({"completion_probabilities": [{"top_probs": listed}]})
    }

    fn half_seen() -> First {
        let p = |probability: f64| probability.ln();
        First {
            scores: OptionScores {
                logprobs: vec![p(0.3), p(0.15), p(0.01)],
                observed: vec![true, true, false],
                mass: 0.45,
                usage: Usage::default(),
                words: None,
            },
            seen: vec![(330, p(0.3)), (389, p(0.15))],
        }
    }

    fn complete(response: &Value) -> Result<OptionScores, ScoreError> {
        super::complete(response, &IDS, half_seen(), allowed(0.0))
    }

    fn covered(response: &Value) -> bool {
        shares(response, &IDS).is_ok_and(|shares| covers(&shares, &IDS, 3))
    }

    #[test]
    fn the_ratio_to_a_seen_option_gives_the_rest() {
        // 0.3 : 0.15 : 0.0045, of which the last was too rare to be listed.
        let total = 0.4545;
        let response = answer([0.3 / total, 0.15 / total, 0.0045 / total]);
        let scores = complete(&response).unwrap();
        assert!((scores.logprobs[2] - 0.0045f64.ln()).abs() < 1e-9);
        assert!((scores.mass - total).abs() < 1e-9);
        assert_eq!(scores.observed, [true; 3]);
        // Observed options stay as they were.
        assert_eq!(scores.logprobs[..2], half_seen().scores.logprobs[..2]);
    }

    #[test]
    fn contradicting_answers_leave_bounds() {
        // The seen options are as 2 to 1, then as 3 to 1: 0.41 nats apart.
        let bent = complete(&answer([0.6, 0.2, 0.2])).unwrap();
        assert_eq!(bent, half_seen().scores);
        // The third option exceeds the bound of the first answer.
        let bent = complete(&answer([0.2, 0.1, 0.7])).unwrap();
        assert_eq!(bent, half_seen().scores);
        // Within the noise, the fill stays, and the bound is kept.
        let noisy = complete(&answer([0.63, 0.34, 0.024])).unwrap();
        assert_eq!(noisy.observed, [true; 3]);
        assert!(noisy.logprobs[2] <= 0.01_f64.ln());
    }

    #[test]
    fn tokens_in_both_answers_are_compared_by_their_ratios() {
        let one = vec![(1, -1.0), (2, -2.0), (3, -9.0)];
        assert_eq!(disagreement(&one, &vec![(1, -0.5), (2, -1.5)]), Some(0.0));
        assert_eq!(disagreement(&one, &vec![(2, -1.5), (1, -1.5)]), Some(1.0));
        assert_eq!(disagreement(&one, &vec![(1, -0.5), (7, -1.5)]), None);
    }

    #[test]
    fn an_answer_that_leaves_one_out_is_no_answer() {
        let error = complete(&answer([0.66, 0.34, 0.0])).unwrap_err();
        assert_eq!(error.kind(), "malformed");
        assert!(!covered(&answer([0.6, 0.4, 0.0])));
        assert!(covered(&answer([0.6, 0.3, 0.1])));
        assert!(!covered(&answer([0.6, 0.3, 7.0])));
    }
}
