//! How far the scores of a server can be trusted to be there.

use std::collections::BTreeMap;

/// The ways to ask, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Tier {
    /// vLLM's `logprob_token_ids`: each option's own tokens, on completions, lists and chat.
    TokenIds,
    /// `SGLang`'s `token_ids_logprob`, on its own route `/generate`.
    Generate,
    /// The most probable tokens; what they leave open is asked for again from llama.cpp, with a
    /// bias on the options' tokens that makes them the only ones. Their ratio to an option that
    /// was seen gives their probability.
    Biased,
    /// The most probable tokens alone.
    TopTokens,
}

impl Tier {
    /// Whether requests name the tokens that they want.
    pub(in crate::http) fn asks_by_number(self) -> bool {
        matches!(self, Self::TokenIds | Self::Generate)
    }

    /// Whether every option gets its own figure and not just a bound.
    pub(in crate::http) fn is_exact(self) -> bool {
        self != Self::TopTokens
    }

    /// The name in the model's identity.
    pub(in crate::http) fn name(self) -> &'static str {
        match self {
            Self::TokenIds => "token ids",
            Self::Generate => "token ids (generate)",
            Self::Biased => "top tokens, the rest by logit bias",
            Self::TopTokens => "top tokens",
        }
    }
}

/// Which token numbers spell each label, the likelier one first; empty where the server does not
/// tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::http) struct Spellings(pub(in crate::http) BTreeMap<String, Vec<u32>>);

impl Spellings {
    /// At most `most` numbers that spell these labels, each with its option: all of them, or else
    /// the likelier one of each label. None at all unless every label has one, as half a list
    /// would make the others look improbable.
    pub(in crate::http) fn of(&self, labels: &[String], most: usize) -> Vec<(u32, usize)> {
        let mut found = Vec::new();
        for (option, label) in labels.iter().enumerate() {
            match self.0.get(label) {
                Some(ids) if !ids.is_empty() => found.extend(ids.iter().map(|&id| (id, option))),
                _ => return Vec::new(),
            }
        }
        if found.len() > most {
            found.dedup_by_key(|(_, option)| *option);
        }
        if found.len() > most {
            found.clear();
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_one_each_or_none() {
        let known = [("A", vec![330, 49]), ("B", vec![389, 50])];
        let spellings = Spellings(known.map(|(l, ids)| (l.to_owned(), ids)).into());
        let of = |labels: &[&str], most| {
            let labels: Vec<String> = labels.iter().map(|&l| l.to_owned()).collect();
            spellings.of(&labels, most)
        };
        assert_eq!(of(&["B", "A"], 4), [(389, 0), (50, 0), (330, 1), (49, 1)]);
        assert_eq!(of(&["A", "B"], 3), [(330, 0), (389, 1)]);
        assert_eq!(of(&["A", "B"], 1), []);
        assert_eq!(of(&["A", "Z"], 9), []);
    }
}
