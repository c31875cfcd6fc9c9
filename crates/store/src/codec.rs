//! Encoding of scores in the file.

use sureness_record::RightOptions;
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

/// The right option's index; of several, their mask negated, so that a version that knows of one alone
/// refuses the row.
pub(crate) fn encode_right(right: RightOptions) -> i64 {
    match right.only() {
        // One of 26.
        Some(only) => i64::from(only as u8),
        None => -i64::from(right.mask()),
    }
}

/// The inverse of [`encode_right`].
pub(crate) fn decode_right(column: i64) -> Option<RightOptions> {
    match usize::try_from(column) {
        Ok(only) => Some(only.into()),
        Err(_) => RightOptions::from_mask(u32::try_from(column.checked_neg()?).ok()?),
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn right_options_come_back(mask in 1_u32..1 << 26) {
            let right = RightOptions::from_mask(mask).unwrap();
            let column = encode_right(right);
            prop_assert_eq!(decode_right(column), Some(right));
            // As earlier versions wrote one, and as none of them reads several.
            prop_assert_eq!(usize::try_from(column).ok(), right.only());
        }
    }
}
