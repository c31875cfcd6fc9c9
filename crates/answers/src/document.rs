//! An answer as sentences and mentions of options.

use crate::lexicon::{COPULAS, FOLLOWERS, VERBS};
use crate::mention::Mention;
use crate::options::Options;
use crate::token::{Kind, Token};

/// Signs that end a clause.
const CLAUSE_ENDS: &str = ".,:;!?…—-([→/&";
/// Tokens on each side of a mention that are read for what they say of it. A bound on the work for
/// texts without an end.
const MAX_SENTENCE: usize = 100;

/// What follows a mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follow {
    /// The end of the clause.
    End,
    /// A word that may follow a choice.
    Soft,
    /// A verb that may say something of the option.
    Verb,
    /// Anything else.
    Prose,
}

/// The tokens of an answer with what is known of them.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) tokens: Vec<Token>,
    pub(crate) mentions: Vec<Mention>,
    /// The options whose text occurs anywhere.
    pub(crate) quoted: Vec<usize>,
    ends: Vec<bool>,
    inside: Vec<bool>,
}

impl Document {
    pub(crate) fn new(tokens: Vec<Token>, options: &Options) -> Self {
        let mut document = Self {
            ends: vec![false; tokens.len()],
            inside: vec![false; tokens.len()],
            tokens,
            mentions: Vec::new(),
            quoted: Vec::new(),
        };
        document.find_mentions(options);
        for mention in &document.mentions {
            for at in mention.start..mention.end {
                if let Some(inside) = document.inside.get_mut(at) {
                    *inside = true;
                }
            }
        }
        document.ends = (0..document.tokens.len())
            .map(|at| document.ends_sentence(at))
            .collect();
        document
    }

    pub(crate) fn word(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &token.text)
    }

    pub(crate) fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    pub(crate) fn is_sign(&self, at: usize, signs: &str) -> bool {
        matches!(self.kind(at), Some(Kind::Sign(sign)) if signs.contains(sign))
    }

    pub(crate) fn is_glued(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| token.glued)
    }

    pub(crate) fn is_glued_word(&self, at: usize) -> bool {
        self.is_glued(at) && self.kind(at) == Some(Kind::Word)
    }

    /// Whether a token belongs to a mention.
    pub(crate) fn is_mentioned(&self, at: usize) -> bool {
        self.inside.get(at).copied().unwrap_or_default()
    }

    /// The sentence around a mention: its first token, and the one that ends it.
    pub(crate) fn sentence(&self, mention: &Mention) -> (usize, usize) {
        self.around(mention, |at| self.ends.get(at).copied().unwrap_or_default())
    }

    /// The line around a mention, likewise.
    pub(crate) fn line(&self, mention: &Mention) -> (usize, usize) {
        self.around(mention, |at| {
            matches!(self.kind(at), Some(Kind::Break | Kind::Close))
        })
    }

    fn around(&self, mention: &Mention, is_end: impl Fn(usize) -> bool) -> (usize, usize) {
        let low = mention.start.saturating_sub(MAX_SENTENCE);
        let high = self.tokens.len().min(mention.end + MAX_SENTENCE);
        let before = (low..mention.start).rev().find(|at| is_end(*at));
        let behind = (mention.end..high).find(|at| is_end(*at));
        (before.map_or(low, |at| at + 1), behind.unwrap_or(high))
    }

    fn ends_sentence(&self, at: usize) -> bool {
        if self.is_mentioned(at) {
            return false;
        }
        match self.kind(at) {
            // The answer to "Which?" is B
            Some(Kind::Sign('?')) => !COPULAS.contains(self.word(at + 1)),
            Some(Kind::Close | Kind::Sign('!' | '…' | ';')) => true,
            Some(Kind::Sign('.')) => !self.is_glued_word(at + 1) && !self.is_sign(at + 1, ",."),
            Some(Kind::Break) => at.checked_sub(1).is_none_or(|before| {
                // "The answer is:" goes on in the next line.
                !self.is_sign(before, ":=")
                    && !COPULAS.contains(self.word(before))
                    && self.kind(before) != Some(Kind::Cue)
            }),
            _ => false,
        }
    }

    /// What follows at a token.
    pub(crate) fn follow(&self, from: usize) -> Follow {
        let mut at = from;
        while self.is_sign(at, ")]}>") {
            at += 1;
        }
        match self.kind(at) {
            Some(Kind::Sign(sign)) if !CLAUSE_ENDS.contains(sign) => Follow::Prose,
            Some(Kind::Word) if FOLLOWERS.contains(self.word(at)) => Follow::Soft,
            Some(Kind::Word) if VERBS.contains(self.word(at)) => Follow::Verb,
            Some(Kind::Word) if at == from => Follow::Prose,
            _ => Follow::End,
        }
    }
}
