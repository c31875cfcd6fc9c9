//! Encoding of scores in the file.

use sureness_scorers::{OptionScores, Usage};

/// Log-probabilities as little-endian f64.
pub(crate) fn encode_logprobs(logprobs: &[f64]) -> Vec<u8> {
    logprobs.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// Observed flags as bits.
pub(crate) fn encode_observed(observed: &[bool]) -> i64 {
    observed
        .iter()
        .enumerate()
        .fold(0, |bits, (i, &seen)| bits | (i64::from(seen) << i))
}

/// Decodes scores; `None` if the bytes are not log-probabilities.
pub(crate) fn decode(
    logprobs: &[u8],
    observed: i64,
    mass: f64,
    usage: Usage,
) -> Option<OptionScores> {
    let (values, rest) = logprobs.as_chunks::<8>();
    if values.is_empty() || !rest.is_empty() {
        return None;
    }
    let logprobs: Vec<f64> = values
        .iter()
        .map(|bytes| f64::from_le_bytes(*bytes))
        .collect();
    let observed = (0..logprobs.len())
        .map(|i| observed >> i & 1 == 1)
        .collect();
    Some(OptionScores {
        logprobs,
        observed,
        mass,
        usage,
    })
}
