//! Ways to obtain scores from a server.

use std::collections::BTreeMap;

/// The ways to obtain scores, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Tier {
    /// vLLM's `logprob_token_ids`: each option's own tokens, on completions, lists and chat.
    TokenIds,
    /// `SGLang`'s `token_ids_logprob`, on its own route `/generate`.
    Generate,
    /// The most probable tokens. A second request to llama.cpp covers the options they leave out,
    /// with a bias that allows only the options' tokens; their ratio to an observed option gives
    /// their probability.
    Biased,
    /// The most probable tokens alone.
    TopTokens,
}

impl Tier {
    /// Whether requests name tokens by number.
    pub(in crate::http) fn asks_by_number(self) -> bool {
        matches!(self, Self::TokenIds | Self::Generate)
    }

    /// Whether every option is observed instead of bounded.
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

/// The token numbers that spell each label, the likelier first; empty if the server does not
/// report them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::http) struct Spellings(pub(in crate::http) BTreeMap<String, Vec<u32>>);

impl Spellings {
    /// At most `max_ids` token numbers that spell these labels, each with its option: all of them,
    /// or else the likelier one per label. Empty unless every label has one, since a partial list
    /// would make the other options look improbable.
    pub(in crate::http) fn of(&self, labels: &[String], max_ids: usize) -> Vec<(u32, usize)> {
        let mut found = Vec::new();
        for (option, label) in labels.iter().enumerate() {
            match self.0.get(label) {
                Some(ids) if !ids.is_empty() => found.extend(ids.iter().map(|&id| (id, option))),
                _ => return Vec::new(),
            }
        }
        if found.len() > max_ids {
            found.dedup_by_key(|(_, option)| *option);
        }
        if found.len() > max_ids {
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
        let of = |labels: &[&str], max_ids| {
            let labels: Vec<String> = labels.iter().map(|&l| l.to_owned()).collect();
            spellings.of(&labels, max_ids)
        };
        assert_eq!(of(&["B", "A"], 4), [(389, 0), (50, 0), (330, 1), (49, 1)]);
        assert_eq!(of(&["A", "B"], 3), [(330, 0), (389, 1)]);
        assert_eq!(of(&["A", "B"], 1), []);
        assert_eq!(of(&["A", "Z"], 9), []);
    }
}
