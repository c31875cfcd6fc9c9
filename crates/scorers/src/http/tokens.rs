//! From the most probable next tokens to the options.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::{OptionScores, ScoreError, Usage, log_sum_exp};

/// Log-probabilities may exceed zero by this much through rounding.
const ROUNDING: f64 = 1e-3;
/// Maximum sum of probabilities, with room for rounding.
const MAX_TOTAL: f64 = 1.01;
/// Maximum characters of a token shown in an error.
const SHOWN_CHARS: usize = 40;

/// Servers write smaller values for "not available", such as -9999 (vLLM).
const NOT_AVAILABLE: f64 = -9000.0;
/// Two values of one token differ by no more than this, through rounding.
const SAME_VALUE: f64 = 1e-3;

/// One token of a server's list.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TopToken<'a> {
    /// Token number, if the server reports it.
    pub(super) id: Option<u64>,
    /// Its text.
    pub(super) text: Cow<'a, str>,
    /// Its bytes, if the server reports them: the text may be mangled.
    pub(super) bytes: Option<Vec<u8>>,
    /// Natural log-probability.
    pub(super) logprob: f64,
}

/// Identifies the options among tokens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options<'a> {
    /// Their labels, in option order.
    pub(super) labels: &'a [String],
    /// Token numbers that spell a label, each with its option; empty if unknown.
    pub(super) ids: &'a [(u32, usize)],
    /// Whether the request named these tokens, so that each must be present.
    pub(super) exact: bool,
    /// Whether the model was asked through its chat template.
    pub(super) chat: bool,
}

impl<'a> TopToken<'a> {
    /// A token, or `None` if its value is not available: NaN, or too small to be one. vLLM may write
    /// the number instead of the text.
    pub(super) fn new(
        text: Cow<'a, str>,
        id: Option<u64>,
        bytes: Option<Vec<u8>>,
        logprob: f64,
    ) -> Option<Self> {
        let id = id.or_else(|| text.strip_prefix("token_id:")?.parse().ok());
        (logprob > NOT_AVAILABLE).then_some(Self {
            id,
            text,
            bytes,
            logprob,
        })
    }

    /// Rejects anything but a log-probability; rounds slightly positive values to zero.
    pub(super) fn checked(mut self) -> Result<Self, ScoreError> {
        if self.logprob.is_nan() || self.logprob > ROUNDING {
            return Err(ScoreError::Malformed {
                message: format!(
                    "{} is not a log-probability (token {:?})",
                    self.logprob,
                    shown(&self.text)
                ),
            });
        }
        self.logprob = self.logprob.min(0.0);
        Ok(self)
    }

    /// Whether both are the same token with the same value. Two tokens of a vocabulary may have one
    /// text, and only the value tells them apart where there are no numbers.
    fn is(&self, other: &Self) -> bool {
        let named_alike = match (self.id, other.id) {
            (Some(id), Some(other)) => id == other,
            _ => self.text == other.text,
        };
        named_alike && self.agrees_with(other.logprob)
    }

    fn agrees_with(&self, logprob: f64) -> bool {
        (self.logprob - logprob).abs() <= SAME_VALUE
    }

    /// The option this token spells: by its number, else by its bytes, else by its text.
    fn option(&self, options: Options<'_>) -> Option<usize> {
        let known = options.ids.iter();
        let mut known = known.filter(|(id, _)| Some(u64::from(*id)) == self.id);
        let spells = |bytes: &[u8]| {
            let bare = without_space(bytes);
            let labels = &mut options.labels.iter();
            labels.position(|label| label.as_bytes() == bare)
        };
        known
            .next()
            .map(|&(_, option)| option)
            .or_else(|| self.bytes.as_deref().and_then(spells))
            .or_else(|| spells(self.text.as_bytes()))
    }
}

/// Without one leading space, which vocabularies write as a space, `▁` or `Ġ`.
fn without_space(bytes: &[u8]) -> &[u8] {
    [" ", "▁", "Ġ"]
        .iter()
        .find_map(|space| bytes.strip_prefix(space.as_bytes()))
        .unwrap_or(bytes)
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS).collect()
}

/// The options' log-probabilities, from the tokens that a server returned when asked for the
/// `top_k` most probable ones.
///
/// Every option is the sum over its spellings. An option with no spelling in the list is
/// **bounded**, not observed: no token outside the list is more probable than the last one
/// in it, nor than 1 minus the sum of the list. Where rounding makes that difference vanish, the bound is
/// what rounding can hide: half a unit in the last place of a 32-bit float for each returned
/// token, and as much again for the sum.
pub(super) fn option_scores(
    tokens: Vec<TopToken<'_>>,
    options: Options<'_>,
    top_k: usize,
    usage: Usage,
) -> Result<OptionScores, ScoreError> {
    let tokens = without_repeats(tokens)?;
    let total: f64 = tokens.iter().map(|token| token.logprob.exp()).sum();
    if total > MAX_TOTAL {
        return Err(ScoreError::Malformed {
            message: format!("the probabilities of the returned tokens add up to {total:.3}"),
        });
    }

    let mut spellings = vec![Vec::new(); options.labels.len()];
    for token in &tokens {
        if let Some(spelling) = token
            .option(options)
            .and_then(|option| spellings.get_mut(option))
        {
            spelling.push(token.logprob);
        }
    }
    if options.exact
        && let Some(missing) = spellings.iter().position(Vec::is_empty)
    {
        return Err(ScoreError::Malformed {
            message: format!(
                "the server left out the requested token for option {}",
                options.labels[missing]
            ),
        });
    }
    if spellings.iter().all(Vec::is_empty) {
        let first = tokens
            .iter()
            .max_by(|a, b| a.logprob.total_cmp(&b.logprob))
            .map_or_else(String::new, |token| shown(&token.text));
        return Err(ScoreError::NoOptionSeen {
            top_k: tokens.len(),
            first,
            chat: options.chat,
        });
    }

    let bound = bound(&tokens, top_k, total);
    let observed: Vec<bool> = spellings.iter().map(|s| !s.is_empty()).collect();
    let mass: f64 = spellings.iter().flatten().map(|l| l.exp()).sum();
    let logprobs = spellings
        .into_iter()
        .map(|spelling| {
            if spelling.is_empty() {
                bound
            } else {
                log_sum_exp(spelling).min(0.0)
            }
        })
        .collect();
    Ok(OptionScores {
        logprobs,
        observed,
        mass: mass.min(1.0),
        usage,
        words: None,
    })
}

/// A server's list with the sampled token, unless that is in the list.
pub(super) fn with_sampled<'a>(
    mut listed: Vec<TopToken<'a>>,
    sampled: Option<TopToken<'a>>,
) -> Vec<TopToken<'a>> {
    if let Some(sampled) = sampled
        && !listed.iter().any(|token| token.is(&sampled))
    {
        listed.push(sampled);
    }
    listed
}

/// Removes tokens whose number came before, and fails if the values differ. Without a number, every
/// entry is a token of its own.
pub(super) fn without_repeats(
    mut tokens: Vec<TopToken<'_>>,
) -> Result<Vec<TopToken<'_>>, ScoreError> {
    if tokens.iter().all(|token| token.id.is_none()) {
        return Ok(tokens);
    }
    let mut seen = HashMap::with_capacity(tokens.len());
    let mut contradiction = Ok(());
    tokens.retain(|token| {
        let earlier = token.id.and_then(|id| seen.insert(id, token.logprob));
        if let Some(earlier) = earlier
            && !token.agrees_with(earlier)
        {
            contradiction = Err(ScoreError::Malformed {
                message: format!(
                    "token {:?} comes with two log-probabilities, {earlier} and {}",
                    shown(&token.text),
                    token.logprob
                ),
            });
        }
        earlier.is_none()
    });
    contradiction.map(|()| tokens)
}

/// Upper bound of the log-probability of a token outside the list.
fn bound(tokens: &[TopToken<'_>], top_k: usize, total: f64) -> f64 {
    let mut logprobs: Vec<f64> = tokens.iter().map(|token| token.logprob).collect();
    logprobs.sort_by(|a, b| b.total_cmp(a));
    // A sampled token beyond the top k does not bound the others.
    logprobs.truncate(top_k.max(1));
    let last = logprobs.last().copied().unwrap_or(0.0);
    let hidden_by_rounding = tokens.len() as f64 * f64::from(f32::EPSILON);
    last.min((1.0 - total).max(hidden_by_rounding).ln())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str, logprob: f64) -> TopToken<'_> {
        TopToken {
            id: None,
            text: text.into(),
            bytes: None,
            logprob,
        }
    }

    fn labels(text: &str) -> Vec<String> {
        text.chars().map(String::from).collect()
    }

    fn scores(tokens: Vec<TopToken<'_>>, letters: &str) -> Result<OptionScores, ScoreError> {
        let top_k = tokens.len();
        let labels = labels(letters);
        option_scores(tokens, by_text(&labels), top_k, Usage::default())
    }

    fn by_text(labels: &[String]) -> Options<'_> {
        Options {
            labels,
            ids: &[],
            exact: false,
            chat: false,
        }
    }

    #[test]
    fn a_number_tells_the_option_and_what_was_asked_for_must_be_there() {
        let labels = labels("AB");
        let numbered = |id: u64, logprob| TopToken {
            id: Some(id),
            ..token("?", logprob)
        };
        let options = Options {
            ids: &[(330, 0), (49, 0), (389, 1)],
            exact: true,
            ..by_text(&labels)
        };
        let ask = |tokens| option_scores(tokens, options, 1, Usage::default());
        let p = |probability: f64| probability.ln();
        let all = vec![
            numbered(330, p(0.3)),
            numbered(49, p(0.2)),
            numbered(389, p(0.4)),
        ];
        let scores = ask(all).unwrap();
        assert!((scores.logprobs[0] - p(0.5)).abs() < 1e-12);
        assert!((scores.mass - 0.9).abs() < 1e-12);
        let error = ask(vec![numbered(330, p(0.3))]).unwrap_err();
        assert!(error.to_string().contains("option B"), "{error}");
        let named = TopToken::new("token_id:330".into(), None, None, -1.0).unwrap();
        assert_eq!(named.id, Some(330));
        assert_eq!(TopToken::new("x".into(), None, None, -9999.0), None);
    }

    #[test]
    fn all_spellings_of_a_letter_count_and_nothing_else_does() {
        let p = |probability: f64| probability.ln();
        let tokens = vec![
            token(" A", p(0.3)),
            token("A", p(0.1)),
            token("▁A", p(0.05)),
            token("ĠA", p(0.05)),
            token("  A", p(0.2)),
            token("a", p(0.1)),
            token("A.", p(0.1)),
        ];
        let scores = scores(tokens, "AB").unwrap();
        assert!((scores.logprobs[0] - 0.5f64.ln()).abs() < 1e-12);
        assert!((scores.mass - 0.5).abs() < 1e-12);
        assert_eq!(scores.observed, [true, false]);
    }

    #[test]
    fn bytes_tell_what_a_mangled_text_does_not() {
        let mut a = token("token_id:330", -1.0);
        a.bytes = Some(vec![32, 65]);
        let scores = scores(vec![a, token(" B", -1.5)], "AB").unwrap();
        assert_eq!(scores.logprobs, [-1.0, -1.5]);
    }

    #[test]
    fn every_entry_is_a_token_and_the_sampled_one_may_be_in_the_list() {
        let probability = |tokens| scores(tokens, "AB").unwrap().logprobs[0].exp();
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        let p = |logprob: f64| logprob.exp();
        let joined = |listed, sampled| probability(with_sampled(listed, Some(sampled)));
        // Two tokens with one text, and even with one value.
        let list = || vec![token("A", -1.2), token("A", -1.25)];
        assert!(near(probability(list()), p(-1.2) + p(-1.25)));
        assert!(near(
            probability(vec![token("A", -1.0), token("A", -1.0)]),
            2.0 * p(-1.0)
        ));
        // Sampled: one of them, or a third one.
        assert!(near(joined(list(), token("A", -1.25)), p(-1.2) + p(-1.25)));
        assert!(near(
            joined(vec![token("A", -6.2)], token("A", -0.11)),
            p(-6.2) + p(-0.11)
        ));
        let mut mangled = token("A", -1.25);
        mangled.bytes = Some(b"token_id:3".to_vec());
        assert!(near(joined(list(), mangled), p(-1.2) + p(-1.25)));
    }

    #[test]
    fn a_number_is_one_token_with_one_value() {
        let numbered = |id, logprob| TopToken {
            id: Some(id),
            ..token("A", logprob)
        };
        let scores_of = |tokens| Ok::<_, ScoreError>(scores(tokens, "AB")?.logprobs[0].exp());
        let listed = || vec![numbered(3, -1.0), numbered(4, -1.0), numbered(3, -1.0)];
        let both = scores_of(with_sampled(listed(), Some(numbered(4, -1.0)))).unwrap();
        assert!((both - 2.0 * (-1f64).exp()).abs() < 1e-9);
        let error = scores_of(with_sampled(listed(), Some(numbered(4, -2.0)))).unwrap_err();
        assert!(
            error.to_string().contains("two log-probabilities"),
            "{error}"
        );
    }

    #[test]
    fn an_absent_option_is_bounded_by_the_last_token_or_by_what_is_left() {
        let p = |probability: f64| probability.ln();
        // 0.55 is left over, the last token has 0.15.
        let by_last = scores(vec![token("A", p(0.3)), token("x", p(0.15))], "AB").unwrap();
        assert!((by_last.logprobs[1] - p(0.15)).abs() < 1e-12);
        // 0.1 is left over, the last token has 0.4.
        let by_rest = scores(vec![token("A", p(0.5)), token("x", p(0.4))], "AB").unwrap();
        assert!((by_rest.logprobs[1] - p(0.1)).abs() < 1e-9);
        assert!((by_rest.mass - 0.5).abs() < 1e-12);
    }

    #[test]
    fn rounding_leaves_a_finite_bound() {
        let sure = scores(vec![token("A", 0.0)], "AB").unwrap();
        assert!((sure.logprobs[1] - f64::from(f32::EPSILON).ln()).abs() < 1e-9);
        assert!((sure.mass - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_sampled_token_beyond_the_top_does_not_lower_the_bound() {
        let tokens = vec![token("z", -20.0), token("A", -1.0), token("x", -2.0)];
        let labels = labels("AB");
        let scores = option_scores(tokens, by_text(&labels), 2, Usage::default()).unwrap();
        assert!((scores.logprobs[1] - -2.0).abs() < 1e-12);
    }

    #[test]
    fn no_option_at_all_names_the_most_probable_token() {
        let error = scores(vec![token("x", -2.0), token("The", -0.5)], "AB").unwrap_err();
        let first = "The".to_owned();
        assert_eq!(
            error,
            ScoreError::NoOptionSeen {
                top_k: 2,
                first,
                chat: false
            }
        );
    }

    #[test]
    fn an_answer_without_tokens_is_said_to_end_at_once() {
        let error = scores(Vec::new(), "AB").unwrap_err();
        assert!(error.to_string().contains("end it at once"), "{error}");
        assert!(sureness_hint::Hint::hint(&error).contains("--chat"));
    }

    #[test]
    fn what_is_no_probability_is_refused() {
        for bad in [f64::NAN, f64::INFINITY, 0.002] {
            assert!(token("A", bad).checked().is_err(), "{bad}");
        }
        let rounded = token("A", 0.0005).checked().unwrap();
        assert!(rounded.logprob.abs() < f64::EPSILON);
        let twice = vec![token("A", -0.1), token("B", -0.1)];
        assert!(matches!(
            scores(twice, "AB"),
            Err(ScoreError::Malformed { .. })
        ));
    }
}
