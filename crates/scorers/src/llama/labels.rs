//! Turns the logits of one position into log-probabilities of the options.

use std::{collections::HashMap, sync::Arc};

use llama_cpp_2::vocab::LlamaVocab;

use crate::{ScoreError, log_sum_exp};

/// Ids of the tokens that spell one label.
type Tokens = Arc<[usize]>;

/// The tokens that spell each label, looked up in the vocabulary once per label.
#[derive(Debug, Default)]
pub(super) struct Spellings {
    known: HashMap<String, Tokens>,
}

impl Spellings {
    /// The spellings of each label, in the order of the labels.
    pub(super) fn of(
        &mut self,
        labels: &[String],
        vocab: &LlamaVocab<'_>,
    ) -> Result<Vec<Tokens>, ScoreError> {
        if labels.iter().any(|label| !self.known.contains_key(label)) {
            self.learn(labels, vocab);
        }
        labels
            .iter()
            .map(|label| match self.known.get(label) {
                Some(tokens) if !tokens.is_empty() => Ok(Arc::clone(tokens)),
                _ => Err(ScoreError::Backend {
                    message: format!(
                        "the option label {label:?} is not a single token of this model"
                    ),
                }),
            })
            .collect()
    }

    fn learn(&mut self, labels: &[String], vocab: &LlamaVocab<'_>) {
        let mut found: HashMap<&[u8], Vec<usize>> = labels
            .iter()
            .map(|label| (label.as_bytes(), Vec::new()))
            .collect();
        for (id, token) in vocab.tokens().enumerate() {
            // Control tokens have an empty piece, so that a label never matches one.
            let piece = vocab.token_to_piece(token, false, None);
            if let Some(ids) = found.get_mut(bare(&piece)) {
                ids.push(id);
            }
        }
        for (label, ids) in found {
            self.known
                .insert(String::from_utf8_lossy(label).into_owned(), ids.into());
        }
    }
}

/// A token's text without the one space that many tokens begin with. llama.cpp returns a
/// plain space; the marks for it in vocabularies are removed too.
fn bare(piece: &[u8]) -> &[u8] {
    [" ", "▁", "Ġ"]
        .iter()
        .find_map(|space| piece.strip_prefix(space.as_bytes()))
        .unwrap_or(piece)
}

/// Log-probability of each option over the whole vocabulary, summed over its spellings, and the
/// total probability of the options.
pub(super) fn log_probabilities(
    logits: &[f32],
    options: &[Tokens],
) -> Result<(Vec<f64>, f64), ScoreError> {
    let total = log_sum_exp(logits.iter().copied().map(f64::from));
    if !total.is_finite() {
        return Err(ScoreError::Backend {
            message: "the model returned logits that are not numbers; the file may be damaged"
                .into(),
        });
    }
    let logprobs: Vec<f64> = options
        .iter()
        .map(|tokens| {
            let spellings = tokens
                .iter()
                .filter_map(|&id| logits.get(id).copied())
                .map(f64::from);
            log_sum_exp(spellings) - total
        })
        .collect();
    let mass = logprobs.iter().copied().map(f64::exp).sum::<f64>();
    Ok((logprobs, mass.min(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_leading_space_is_taken_off_in_any_writing() {
        for piece in ["A", " A", "▁A", "ĠA"] {
            assert_eq!(bare(piece.as_bytes()), b"A");
        }
        assert_eq!(bare(b"  A"), b" A");
        assert_eq!(bare(b"A "), b"A ");
    }

    #[test]
    fn spellings_are_summed_and_the_rest_of_the_vocabulary_counts() {
        let logits = [0.0, 1.0, 2.0, 3.0];
        let options: [Tokens; 2] = [Arc::from([0, 1]), Arc::from([2])];
        let (logprobs, mass) = log_probabilities(&logits, &options).unwrap();
        let e = std::f64::consts::E;
        let total = 1.0 + e + e.powi(2) + e.powi(3);
        assert!((logprobs[0].exp() - (1.0 + e) / total).abs() < 1e-12);
        assert!((logprobs[1].exp() - e.powi(2) / total).abs() < 1e-12);
        assert!((mass - (1.0 + e + e.powi(2)) / total).abs() < 1e-12);
    }

    #[test]
    fn logits_that_are_no_numbers_are_no_answer() {
        let options: [Tokens; 1] = [Arc::from([0])];
        assert!(log_probabilities(&[f32::NAN; 3], &options).is_err());
        assert!(log_probabilities(&[0.0, f32::NAN, 1.0], &options).is_err());
    }
}
