//! Scores options outside the most probable tokens, from llama.cpp.
//!
//! A bias of +100 excludes all tokens but those of the options. With all samplers off, the
//! probabilities after sampling are then the options' relative ones. The log-probabilities that
//! llama.cpp reports otherwise ignore the bias.

use serde_json::Value;

use super::super::answer::{malformed, only_choice};
use crate::{OptionScores, ScoreError};

/// Smaller probabilities are rounding errors of zero.
const NEGLIGIBLE: f64 = 1e-30;

/// The probability of each option relative to all of them.
fn shares(response: &Value, ids: &[(u32, usize)], options: usize) -> Result<Vec<f64>, ScoreError> {
    let listed = only_choice(response)?
        .after_sampling()
        .ok_or_else(|| malformed("no probabilities after sampling"))?;
    let mut shares = vec![0.0; options];
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
        if let Some(sum) = known.and_then(|&(_, option)| shares.get_mut(option)) {
            *sum += share;
        }
    }
    Ok(shares)
}

/// Whether an answer scores every option.
pub(in crate::http) fn covers(response: &Value, ids: &[(u32, usize)], options: usize) -> bool {
    shares(response, ids, options)
        .is_ok_and(|shares| shares.iter().all(|share| *share > NEGLIGIBLE))
}

/// Fills in the options that `scores` did not observe: their ratio to an observed option is the
/// same in both answers. The observed option with the largest share is the least rounded one.
pub(super) fn complete(
    response: &Value,
    ids: &[(u32, usize)],
    mut scores: OptionScores,
) -> Result<OptionScores, ScoreError> {
    let shares = shares(response, ids, scores.logprobs.len())?;
    let seen = (0..shares.len()).filter(|&option| scores.observed[option]);
    let anchor = seen.max_by(|&a, &b| shares[a].total_cmp(&shares[b]));
    let Some(anchor) = anchor.filter(|&anchor| shares[anchor] > NEGLIGIBLE) else {
        return Err(malformed(
            "no observed option has a probability after sampling",
        ));
    };
    let scale = scores.logprobs[anchor] - shares[anchor].ln();
    for (option, share) in shares.iter().enumerate() {
        if scores.observed[option] || *share <= NEGLIGIBLE {
            continue;
        }
        // The first answer's bound holds regardless of the second.
        let logprob = (share.ln() + scale).min(scores.logprobs[option]);
        scores.logprobs[option] = logprob;
        scores.observed[option] = true;
        scores.mass = (scores.mass + logprob.exp()).min(1.0);
    }
    if let Some(missing) = scores.observed.iter().position(|seen| !seen) {
        return Err(malformed(&format!(
            "option {missing} (from 0) has no probability after sampling"
        )));
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

    fn half_seen() -> OptionScores {
        let p = |probability: f64| probability.ln();
        OptionScores {
            logprobs: vec![p(0.3), p(0.15), p(0.01)],
            observed: vec![true, true, false],
            mass: 0.45,
            usage: Usage::default(),
        }
    }

    #[test]
    fn the_ratio_to_a_seen_option_gives_the_rest() {
        // 0.3 : 0.15 : 0.0045, of which the last was too rare to be listed.
        let total = 0.4545;
        let response = answer([0.3 / total, 0.15 / total, 0.0045 / total]);
        let scores = complete(&response, &IDS, half_seen()).unwrap();
        assert!((scores.logprobs[2] - 0.0045f64.ln()).abs() < 1e-9);
        assert!((scores.mass - total).abs() < 1e-9);
        assert_eq!(scores.observed, [true; 3]);
        // What was seen stays as it was, and the bound stays a bound.
        let moved = complete(&answer([0.2, 0.1, 0.7]), &IDS, half_seen()).unwrap();
        assert_eq!(moved.logprobs, half_seen().logprobs);
    }

    #[test]
    fn an_answer_that_leaves_one_out_is_no_answer() {
        let error = complete(&answer([0.6, 0.4, 0.0]), &IDS, half_seen()).unwrap_err();
        assert_eq!(error.kind(), "malformed");
        assert!(!covers(&answer([0.6, 0.4, 0.0]), &IDS, 3));
        assert!(covers(&answer([0.6, 0.3, 0.1]), &IDS, 3));
        assert!(!covers(&answer([0.6, 0.3, 7.0]), &IDS, 3));
    }
}
