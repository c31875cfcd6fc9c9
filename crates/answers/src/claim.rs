//! Choices of options: where an answer says that one is right.

use crate::clause;
use crate::cue;
use crate::document::Document;
use crate::lexicon::{
    CASES, CONDITIONS, CONTRASTS, COPULAS, INFERENCES, MATCHES, OTHER_CASES, PRONOUNS, WRONG,
};
use crate::mention::{Mention, merge};
use crate::place;

/// How clearly an option is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Strength {
    /// By prose that ends in its text: `The capital is Paris.`
    Prose,
    /// By its place: alone in a line, or at the start.
    Place,
    /// In words: `the answer is B`.
    Words,
}

/// What makes a mention a choice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cue {
    pub(crate) strength: Strength,
    /// The first token of the words that choose.
    pub(crate) start: usize,
    /// Whether letters in the other case count: `Answer: b`.
    pub(crate) any_case: bool,
    /// Whether another option is chosen too: `B is also correct`.
    pub(crate) shared: bool,
}

/// A choice of an option.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    /// The options; several where they are chosen together.
    pub(crate) options: Vec<usize>,
    pub(crate) cue: Cue,
    /// Behind its last token.
    pub(crate) end: usize,
    /// The first token of its sentence.
    pub(crate) sentence: usize,
}

/// The choices of an answer, in order.
pub(crate) fn claims(document: &Document) -> Vec<Claim> {
    let mentions = document.mentions.iter();
    mentions
        .filter_map(|mention| claim(document, mention))
        .collect()
}

fn claim(document: &Document, mention: &Mention) -> Option<Claim> {
    let (from, to) = document.sentence(mention);
    // "B or something else"
    let comma = usize::from(document.is_sign(mention.end, ","));
    let open = document.word(mention.end + comma) == "or";
    let asked = document.is_sign(to, "?");
    if open
        || asked
        || is_conditional(document, mention, from, to)
        || is_taken_back(document, mention, to)
    {
        return None;
    }
    let cue = clause::predicate(document, mention, from)
        .or_else(|| cue::find(document, mention, from))
        .or_else(|| place::find(document, mention))?;
    Some(Claim {
        options: options_of(document, mention, cue, from),
        cue,
        end: mention.end,
        sentence: from,
    })
}

/// The options of a mention, and of the text that it explains: `Paris, which is option C`.
fn options_of(document: &Document, mention: &Mention, cue: Cue, from: usize) -> Vec<usize> {
    let mut options = mention.options.clone();
    let first = document.word(cue.start);
    if mention.label.is_some() && (PRONOUNS.contains(first) || MATCHES.contains(first)) {
        let behind = document
            .mentions
            .partition_point(|other| other.end <= cue.start);
        let before = behind
            .checked_sub(1)
            .and_then(|at| document.mentions.get(at));
        if let Some(text) = before.filter(|other| other.start >= from && other.label.is_none()) {
            merge(&mut options, text.options.clone());
        }
    }
    options
}

/// Whether the sentence speaks of a condition, and not of what follows from it.
fn is_conditional(document: &Document, mention: &Mention, from: usize, to: usize) -> bool {
    let first = document.word(from);
    let would = || (from..to).any(|at| document.word(at) == "would");
    if OTHER_CASES.contains(first) || CASES.contains(first) && would() {
        return true;
    }
    let inference = (from..mention.start)
        .rev()
        .find(|at| INFERENCES.contains(document.word(*at)));
    (inference.unwrap_or(from)..to)
        .any(|at| !document.is_mentioned(at) && CONDITIONS.contains(document.word(at)))
}

/// `The answer is A, but that is wrong.`, `The answer is A (no, C).`
fn is_taken_back(document: &Document, mention: &Mention, to: usize) -> bool {
    (mention.end..to).any(|at| {
        let word = document.word(at);
        if word == "no" && document.is_sign(at - 1, "(—") {
            return true;
        }
        let contrast = CONTRASTS.contains(document.word(at.wrapping_sub(1)));
        (word == "which" || contrast && PRONOUNS.contains(word))
            && COPULAS.contains(document.word(at + 1))
            && WRONG.contains(document.word(at + 2))
    })
}
