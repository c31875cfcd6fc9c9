//! Encoding of scores in the file.

use std::io::Read;

use sureness_questions::Turn;
use sureness_record::RightOptions;
use sureness_scorers::{OptionScores, Reading, Usage, Words};

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

/// How options were shown, from the number in the file. `None` for a damaged one.
pub(crate) fn decode_turn(code: i64) -> Option<Turn> {
    u16::try_from(code).ok().and_then(Turn::from_code)
}

/// The readings, by their number in the file.
const READINGS: [Reading; 6] = [
    Reading::Option,
    Reading::Refused,
    Reading::Cut,
    Reading::Unreadable,
    Reading::Thought,
    Reading::Said,
];
/// Level of compression: texts are written once, and many.
const LEVEL: i32 = 3;
/// Longest text of an answer that is read back, in bytes.
const LONGEST: u64 = 64 << 20;

pub(crate) fn encode_reading(reading: Reading) -> i64 {
    let numbered = (0..).zip(READINGS);
    let mut same = numbered.filter(|(_, known)| *known == reading);
    same.next().map_or(-1, |(number, _)| number)
}

pub(crate) fn decode_reading(number: i64) -> Option<Reading> {
    usize::try_from(number)
        .ok()
        .and_then(|number| READINGS.get(number))
        .copied()
}

/// Text and thought, compressed; `None` where that fails.
pub(crate) fn encode_words(words: &Words) -> Option<Vec<u8>> {
    let (text, thought) = (&words.text, &words.thought);
    let json = match words.logprob {
        None => serde_json::to_vec(&(text, thought)),
        Some(logprob) => serde_json::to_vec(&(text, thought, logprob)),
    };
    let json = json.ok()?;
    zstd::bulk::compress(&json, LEVEL).ok()
}

/// An answer in words as it is kept, by the length of its list.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Kept {
    Text(String, Option<String>),
    WithLogprob(String, Option<String>, f64),
}

/// Text and thought; empty where they were not kept.
pub(crate) fn decode_words(bytes: Option<&[u8]>, reading: Reading) -> Words {
    let kept = bytes.and_then(|bytes| {
        let json = zstd::stream::read::Decoder::new(bytes).ok()?;
        serde_json::from_reader(json.take(LONGEST)).ok()
    });
    let (text, thought, logprob) = match kept {
        Some(Kept::Text(text, thought)) => (text, thought, None),
        Some(Kept::WithLogprob(text, thought, logprob)) => (text, thought, Some(logprob)),
        None => Default::default(),
    };
    Words {
        text,
        thought,
        logprob,
        reading,
    }
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
    if !rest.is_empty() {
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
        words: None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn words_come_back(
            text in ".{0,20}",
            thought in prop::option::of(".{0,20}"),
            logprob in prop::option::of(-40.0..0.0),
        ) {
            let words = Words { text, thought, logprob, reading: Reading::Said };
            let bytes = encode_words(&words).unwrap();
            prop_assert_eq!(decode_words(Some(&bytes), Reading::Said), words);
        }

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
