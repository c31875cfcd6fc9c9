//! Log-probabilities of the options from the tokens of an answer.

use serde::Deserialize;
use sureness_questions::letter_index;
use sureness_scorers::{ScoreError, log_sum_exp};

use crate::error::printable;
use crate::imported::RowScores;

/// The word before the letter, as the solver `multiple_choice` requests it.
const MARK: &str = "ANSWER";
/// Log-probabilities above zero by less than this are rounding errors.
const ROUNDING: f64 = 1e-3;
/// Probabilities with a larger sum are malformed.
const MAX_TOTAL: f64 = 1.01;
/// Servers write lower values for "not available".
const NOT_AVAILABLE: f64 = -9000.0;

/// A token of the answer.
#[derive(Debug, Deserialize)]
#[expect(
    clippy::struct_field_names,
    reason = "the fields are named as in the log"
)]
pub(super) struct Token {
    #[serde(default)]
    token: String,
    logprob: Option<f64>,
    top_logprobs: Option<Vec<Top>>,
}

/// One of the most probable tokens at a place.
#[derive(Debug, Deserialize)]
struct Top {
    #[serde(default)]
    token: String,
    logprob: Option<f64>,
}

/// Scores of the first `options` letters, and the index of the token with the letter.
pub(super) fn scores(tokens: &[Token], options: usize) -> Result<(RowScores, usize), ScoreError> {
    let place = place(tokens, options)?;
    let token = tokens.get(place).ok_or(ScoreError::NoLogprobs)?;
    let listed = token.top_logprobs.as_deref().unwrap_or_default();
    if listed.is_empty() {
        return Err(ScoreError::NoLogprobs);
    }
    let sampled = (token.token.as_str(), token.logprob);
    let listed = listed.iter().map(|top| (top.token.as_str(), top.logprob));
    of_list(listed, sampled, options).map(|scores| (scores, place))
}

/// Index of the token with the answer's letter.
fn place(tokens: &[Token], options: usize) -> Result<usize, ScoreError> {
    if tokens.is_empty() {
        return Err(ScoreError::NoLogprobs);
    }
    let text: String = tokens.iter().map(|token| token.token.as_str()).collect();
    let (begin, marked) = match behind_mark(&text) {
        Some(begin) => (begin, true),
        None => (0, false),
    };
    let mut offset = 0;
    for (index, token) in tokens.iter().enumerate() {
        let (start, end) = (offset, offset + token.token.len());
        offset = end;
        // A bracket, a quote or a star may stand before the letter.
        let bare = token
            .token
            .trim()
            .trim_matches(|c: char| c.is_ascii_punctuation());
        if end <= begin || (bare.is_empty() && token.token.len() <= 4) {
            continue;
        }
        if start >= begin && letter(&token.token).is_some_and(|option| option < options) {
            return Ok(index);
        }
        if marked {
            return Err(ScoreError::Malformed {
                message: format!(
                    "expected an option letter after {MARK}:, found {:?}",
                    printable(&token.token)
                ),
            });
        }
        break;
    }
    Err(ScoreError::NoOptionSeen {
        top_k: tokens
            .first()
            .and_then(|token| token.top_logprobs.as_ref())
            .map_or(0, Vec::len),
        first: printable(tokens.first().map_or("", |token| &token.token)),
        chat: false,
    })
}

/// Byte offset of the text after `ANSWER:`, at the start of a line or else anywhere.
fn behind_mark(text: &str) -> Option<usize> {
    let mut anywhere = None;
    // Only ASCII changes, so byte offsets stay valid.
    let upper = text.to_ascii_uppercase();
    for (start, _) in upper.match_indices(MARK) {
        let behind = text.get(start + MARK.len()..)?;
        let Some(rest) = behind.trim_start().strip_prefix(':') else {
            continue;
        };
        let end = text.len() - rest.len();
        let before = text.get(..start)?.trim_end_matches([' ', '\t', '*', '#']);
        if before.is_empty() || before.ends_with('\n') {
            return Some(end);
        }
        anywhere = anywhere.or(Some(end));
    }
    anywhere
}

/// The option that a token spells: one capital letter, with or without a leading space.
fn letter(token: &str) -> Option<usize> {
    let bare = [" ", "▁", "Ġ"]
        .iter()
        .find_map(|space| token.strip_prefix(space))
        .unwrap_or(token);
    letter_index(bare.trim_end())
}

/// Scores from the most probable tokens and the sampled one. The bound of an unlisted option is the
/// smaller of the last listed probability and the unlisted remainder.
fn of_list<'a>(
    tokens: impl Iterator<Item = (&'a str, Option<f64>)>,
    sampled: (&'a str, Option<f64>),
    options: usize,
) -> Result<RowScores, ScoreError> {
    let mut listed: Vec<(&str, f64)> = Vec::new();
    let mut ranked = 0;
    let marked = tokens.map(|token| (token, true)).chain([(sampled, false)]);
    for ((text, logprob), is_ranked) in marked {
        let Some(logprob) = logprob.filter(|value| *value > NOT_AVAILABLE) else {
            continue;
        };
        if !logprob.is_finite() || logprob > ROUNDING {
            return Err(ScoreError::Malformed {
                message: format!(
                    "{logprob} is not a log-probability (token {:?})",
                    printable(text)
                ),
            });
        }
        // The sampled token is usually among the most probable ones.
        if !listed.iter().any(|(other, _)| *other == text) {
            listed.push((text, logprob.min(0.0)));
            ranked += usize::from(is_ranked);
        }
    }
    let total: f64 = listed.iter().map(|(_, logprob)| logprob.exp()).sum();
    if total > MAX_TOTAL {
        return Err(ScoreError::Malformed {
            message: format!("the probabilities of the listed tokens add up to {total:.3}"),
        });
    }
    let mut spellings = vec![Vec::new(); options];
    for (text, logprob) in &listed {
        if let Some(spelling) = letter(text).and_then(|option| spellings.get_mut(option)) {
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
    let bound = last.min((1.0 - total).max(hidden_by_rounding).ln());
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

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str, top: &[(&str, f64)]) -> Token {
        Token {
            token: text.to_owned(),
            logprob: top
                .iter()
                .find(|(it, _)| *it == text)
                .map(|(_, value)| *value),
            top_logprobs: Some(
                top.iter()
                    .map(|(token, logprob)| Top {
                        token: (*token).to_owned(),
                        logprob: Some(*logprob),
                    })
                    .collect(),
            ),
        }
    }

    fn plain(text: &str) -> Token {
        token(text, &[(text, -0.001)])
    }

    #[test]
    fn the_letter_is_found_behind_the_mark() {
        let top: &[(&str, f64)] = &[(" B", -0.25), (" A", -2.0), ("B", -4.0), (" C", -5.0)];
        let answers: [&[&str]; 5] = [
            &["ANS", "WER", ":", " B"],
            &["A thought.", "\n", "answer", " :", " B", "."],
            &["**", "ANSWER", ":**", " B"],
            &["Answer:", " (", " B", ")"],
            &[" B"],
        ];
        for answer in answers {
            let tokens: Vec<Token> = answer
                .iter()
                .map(|text| {
                    if *text == " B" {
                        token(text, top)
                    } else {
                        plain(text)
                    }
                })
                .collect();
            let (scores, place) = scores(&tokens, 4).unwrap();
            assert_eq!(answer.get(place), Some(&" B"), "{answer:?}");
            assert_eq!(scores.top(), 1);
            assert_eq!(scores.observed, [true, true, true, false]);
            let b = ((-0.25_f64).exp() + (-4.0_f64).exp()).ln();
            assert!((scores.logprobs[1] - b).abs() < 1e-12);
            // D is no more probable than the last of the list.
            assert!((scores.logprobs[3] - -5.0).abs() < 1e-12);
            let mass: f64 = top.iter().map(|(_, value)| value.exp()).sum();
            assert!((scores.mass.unwrap() - mass).abs() < 1e-12);
        }
    }

    #[test]
    fn answers_without_a_letter_are_errors() {
        let error = |tokens: &[Token]| scores(tokens, 4).unwrap_err();
        assert!(matches!(
            error(&[plain("The"), plain(" answer"), plain(" is"), plain(" B")]),
            ScoreError::NoOptionSeen { .. }
        ));
        assert!(matches!(
            error(&[plain("ANSWER:"), plain(" none")]),
            ScoreError::Malformed { .. }
        ));
        // E is not among four options.
        assert!(matches!(
            error(&[plain("E")]),
            ScoreError::NoOptionSeen { .. }
        ));
        assert!(matches!(error(&[]), ScoreError::NoLogprobs));
        let bare = Token {
            token: "B".into(),
            logprob: Some(-0.1),
            top_logprobs: None,
        };
        assert!(matches!(error(&[bare]), ScoreError::NoLogprobs));
        let two = token("B", &[("B", -0.1), ("A", -0.1)]);
        assert!(matches!(error(&[two]), ScoreError::Malformed { .. }));
        let nan = token("B", &[("B", f64::NAN), ("A", -0.1)]);
        assert!(scores(&[nan], 4).is_ok_and(|(scores, _)| !scores.observed[1]));
    }
}
