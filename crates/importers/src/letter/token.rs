//! The tokens of an answer, and the letters that they spell.

use serde::Deserialize;
use sureness_questions::letter_index;
use sureness_scorers::{ScoreError, log_sum_exp};

use crate::error::printable;
use crate::imported::RowScores;

/// Log-probabilities above zero by less than this are rounding errors.
const ROUNDING: f64 = 1e-3;
/// Probabilities with a larger sum are malformed.
const MAX_TOTAL: f64 = 1.01;
/// Servers write lower values for "not available".
const NOT_AVAILABLE: f64 = -9000.0;
/// Two values of one token differ by less; servers round the list to six digits.
const AGREES: f64 = 1e-5;
/// Signs that dress a letter: `**B**`, `(B)`, `$B$`, `"B"`, `B.`
const DRESS: &str = "*_`()[]{}<>\"'.,:;$!\\|’‘“”：";

/// A token of the answer.
#[derive(Debug, Deserialize)]
#[expect(
    clippy::struct_field_names,
    reason = "the fields are named as in the log"
)]
pub(crate) struct Token {
    #[serde(default)]
    pub(crate) token: String,
    pub(crate) logprob: Option<f64>,
    pub(crate) top_logprobs: Option<Vec<Top>>,
    /// Whether the list has tokens that were asked for by their ids, in place of the most probable ones.
    #[serde(skip)]
    pub(crate) by_id: bool,
}

/// One of the most probable tokens at a place.
#[derive(Debug, Deserialize)]
pub(crate) struct Top {
    #[serde(default)]
    pub(crate) token: String,
    pub(crate) logprob: Option<f64>,
}

/// A letter as the label of an option, in either case.
pub(crate) fn option_of(letter: char) -> Option<usize> {
    let mut bytes = [0; 4];
    letter_index(letter.to_ascii_uppercase().encode_utf8(&mut bytes))
}

/// Whether a sign may stand beside a letter without being part of a word.
pub(crate) fn is_dress(sign: char) -> bool {
    DRESS.contains(sign)
}

/// The text of a token, with the blanks that tokenizers write as signs.
pub(super) fn plain(token: &str) -> String {
    token.replace(['▁', 'Ġ'], " ").replace('Ċ', "\n")
}

/// The letter that a token consists of, without blanks and dress.
pub(super) fn letter_of(token: &str) -> Option<char> {
    let plain = plain(token);
    let mut bare = plain
        .trim_matches(|sign: char| sign.is_whitespace() || is_dress(sign))
        .chars();
    match (bare.next(), bare.next()) {
        (Some(letter), None) if letter.is_ascii_alphabetic() => Some(letter),
        _ => None,
    }
}

/// Scores of the first `options` letters at a token. Small letters count in `either_case`.
///
/// The bound of an unlisted option is the smaller of the last listed probability and the unlisted
/// remainder; of a list of tokens that were asked for, the remainder.
pub(super) fn scores(
    token: &Token,
    options: usize,
    either_case: bool,
) -> Result<RowScores, ScoreError> {
    let tops = token.top_logprobs.as_deref().unwrap_or_default();
    if tops.is_empty() {
        return Err(ScoreError::NoLogprobs);
    }
    let mut listed: Vec<(&str, f64)> = Vec::with_capacity(tops.len() + 1);
    for top in tops {
        listed.extend(checked(&top.token, top.logprob)?);
    }
    let ranked = listed.len();
    // The sampled token is usually one of the list; another token may have the same text.
    let sampled = checked(&token.token, token.logprob)?;
    listed.extend(sampled.filter(|(text, logprob)| {
        let is_it = |other: &(&str, f64)| other.0 == *text && (other.1 - logprob).abs() <= AGREES;
        !listed.iter().any(is_it)
    }));
    let total: f64 = listed.iter().map(|(_, logprob)| logprob.exp()).sum();
    if total > MAX_TOTAL {
        let message = format!(
            "the probabilities of the listed tokens add up to {total:.3}, which is above 1"
        );
        return Err(ScoreError::Malformed { message });
    }
    let mut spellings = vec![Vec::new(); options];
    for (text, logprob) in &listed {
        let letter = letter_of(text).filter(|it| either_case || it.is_ascii_uppercase());
        let option = letter.and_then(option_of);
        if let Some(spelling) = option.and_then(|option| spellings.get_mut(option)) {
            spelling.push(*logprob);
        }
    }
    let observed: Vec<bool> = spellings.iter().map(|it| !it.is_empty()).collect();
    if !observed.contains(&true) {
        return Err(ScoreError::NoOptionSeen {
            top_k: listed.len(),
            first: printable(listed.first().map_or("", |(text, _)| text)),
            chat: false,
        });
    }
    // A sampled token outside the list bounds no other token.
    let ranked = listed.iter().take(ranked);
    let last = ranked.map(|(_, logprob)| *logprob).fold(0.0, f64::min);
    let hidden_by_rounding = listed.len() as f64 * f64::from(f32::EPSILON);
    let rest = (1.0 - total).max(hidden_by_rounding).ln();
    let bound = if token.by_id { rest } else { last.min(rest) };
    let mass: f64 = spellings.iter().flatten().map(|it| it.exp()).sum();
    let logprobs = spellings
        .into_iter()
        .map(|spelling| match spelling.as_slice() {
            [] => bound,
            _ => log_sum_exp(spelling).min(0.0),
        });
    Ok(RowScores {
        logprobs: logprobs.collect(),
        observed,
        mass: Some(mass.min(1.0)),
    })
}

/// A listed token; `None` if its log-probability is not available.
fn checked(text: &str, logprob: Option<f64>) -> Result<Option<(&str, f64)>, ScoreError> {
    let Some(logprob) = logprob.filter(|value| *value > NOT_AVAILABLE) else {
        return Ok(None);
    };
    if !logprob.is_finite() || logprob > ROUNDING {
        let text = printable(text);
        let message = format!("{logprob} is not a log-probability (token {text:?})");
        return Err(ScoreError::Malformed { message });
    }
    Ok(Some((text, logprob.min(0.0))))
}
