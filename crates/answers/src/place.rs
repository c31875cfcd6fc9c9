//! Choices that their place makes: an option alone, or at the start.

use crate::claim::{Cue, Strength};
use crate::document::{Document, Follow};
use crate::lexicon::{
    ASIDES, CONCLUSIONS, CONTRASTS, FOLLOWERS, LEADS, NEGATIONS, PRONOUNS, REASONS,
};
use crate::mention::Mention;
use crate::options::Spelling;
use crate::token::Kind;

/// Words between a label and what denies it: `A. Incorrect`, `A. This is not …`
const DENIAL: usize = 3;

/// A mention that stands in its line, or in the answer, where a choice stands.
pub(crate) fn find(document: &Document, mention: &Mention) -> Option<Cue> {
    let (line, line_end) = document.line(mention);
    let place = Place {
        document,
        mention,
        line_end,
        first: (0..line).all(|at| document.kind(at) == Some(Kind::Break)),
        follow: document.follow(mention.end),
    };
    let opens = (line..mention.start).all(|at| place.is_opener(at));
    let chosen = match mention.label {
        None => place.is_chosen_text(),
        Some(Spelling::Loose) => place.is_chosen_loosely(),
        Some(Spelling::Exact) => place.is_chosen_label(),
    };
    (opens && chosen && !mention.listed).then_some(Cue {
        strength: Strength::Place,
        start: mention.start,
        any_case: true,
        shared: false,
    })
}

struct Place<'a> {
    document: &'a Document,
    mention: &'a Mention,
    line_end: usize,
    /// Whether the line is the first of the answer.
    first: bool,
    follow: Follow,
}

impl Place<'_> {
    /// Whether a token before the mention leaves it at the start of its line.
    fn is_opener(&self, at: usize) -> bool {
        let word = self.document.word(at);
        self.document.is_sign(at, "([{<-—→")
            || matches!(word, "option" | "choice" | "letter" | "both" | "either")
            || self.mention.label.is_none()
                && (LEADS.contains(word) || self.document.is_sign(at, ","))
            || self.first && (CONCLUSIONS.contains(word) || self.document.is_sign(at, ",!."))
    }

    /// Whether the line holds nothing else.
    fn is_alone(&self) -> bool {
        (self.mention.end..self.line_end).all(|at| self.document.is_sign(at, ".)]}>!,"))
    }

    fn ends(&self) -> bool {
        self.follow == Follow::End
    }

    fn is_small(&self, at: usize) -> bool {
        let raw = self.document.tokens.get(at).map_or("", |token| &token.raw);
        raw.starts_with(char::is_lowercase)
    }

    fn has_reason(&self, at: usize) -> bool {
        REASONS.contains(self.document.word(at))
    }

    /// `Paris`, `Paris, since …`
    fn is_chosen_text(&self) -> bool {
        let end = self.mention.end;
        let next = self.document.word(end + 1);
        let answers = matches!(
            self.document.word(self.mention.start),
            "yes" | "no" | "true" | "false"
        );
        // "Paris, in contrast to Rome, …"
        let goes_on = self.document.is_sign(end, ",")
            && !(answers
                || FOLLOWERS.contains(next)
                || PRONOUNS.contains(next)
                || matches!(next, "the" | "of"));
        let contrasted = goes_on || CONTRASTS.contains(next);
        // "Paris, i.e. option C"
        let labelled = || {
            let rest = self
                .document
                .mentions
                .iter()
                .filter(|other| other.label.is_some());
            rest.into_iter()
                .any(|other| (end..self.line_end).contains(&other.start))
        };
        self.is_alone()
            || self.first && !contrasted && (self.ends() || self.has_reason(end)) && !labelled()
    }

    /// `b`, `(b)`, `b) Paris`
    fn is_chosen_loosely(&self) -> bool {
        let mention = self.mention;
        let whole = self.first && self.line_end == self.document.tokens.len();
        self.is_alone() && (mention.bracketed || whole)
            || mention.has_text && (self.ends() || self.first && !self.is_denied())
    }

    /// `B`, `B. Paris`, `B, because …`
    fn is_chosen_label(&self) -> bool {
        let mention = self.mention;
        if self.is_alone() || mention.has_text && self.ends() {
            return true;
        }
        if !self.first {
            return false;
        }
        if mention.options.len() > 1 && self.ends() {
            return true;
        }
        let spoken_of = self.follow == Follow::Verb && !mention.has_text;
        let signed = mention.bracketed
            || !mention.ambiguous && (self.is_signed() || self.has_reason(mention.end));
        signed && !self.is_denied() && !spoken_of
    }

    /// Whether the label is that of a wrong option: `A. Incorrect`. `B, not A` denies the other one.
    fn is_denied(&self) -> bool {
        let end = self.mention.end;
        (end..end + DENIAL).any(|at| {
            let other = self.document.is_mentioned(at + 1) || self.document.is_mentioned(at + 2);
            NEGATIONS.contains(self.document.word(at)) && !other
        })
    }

    /// Whether a sign separates the label from what follows.
    fn is_signed(&self) -> bool {
        let at = self.mention.start;
        let word = matches!(self.document.word(at), "a" | "i");
        match self.document.kind(at + 1) {
            // "A, the first letter, …"
            Some(Kind::Sign(',' | '-' | '—')) => {
                !word && !ASIDES.contains(self.document.word(at + 2))
                    || self.has_reason(at + 2)
                    || PRONOUNS.contains(self.document.word(at + 2))
            }
            // "A: B" abbreviates "Answer: B".
            Some(Kind::Sign(':')) => !word,
            // "E. coli"
            Some(Kind::Sign('.')) => !self.is_small(at + 2) || self.has_reason(at + 2),
            Some(Kind::Sign(sign)) => ")]!".contains(sign),
            None | Some(Kind::Break) => true,
            _ => false,
        }
    }
}
