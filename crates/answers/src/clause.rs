//! What a clause says of a mention behind it or before it.

use crate::claim::{Cue, Strength};
use crate::document::{Document, Follow};
use crate::lexicon::{
    CLAUSES, CONCESSIONS, CONCLUSIONS, DISTANCE, NEGATIONS, OTHERS, PREDICATE_NOUNS,
    PREDICATE_WORDS, PREDICATES, SELF,
};
use crate::mention::Mention;

/// A choice that follows the mention: `B is the correct answer`.
pub(crate) fn predicate(document: &Document, mention: &Mention, from: usize) -> Option<Cue> {
    let mut at = mention.end;
    while document.is_sign(at, ")]}") {
        at += 1;
    }
    let verb = document.follow(at) == Follow::Verb || document.word(at) == "as";
    if !verb || mention.is_loose() || !is_own_view(document, mention.start, from) {
        return None;
    }
    let mut shared = false;
    while PREDICATE_WORDS.contains(document.word(at)) {
        shared |= document.word(at) == "also";
        at += 1;
    }
    let ends = match document.follow(at + 1) {
        Follow::End | Follow::Soft => true,
        // "B is the best of all", but not "B is right of A"
        Follow::Verb | Follow::Prose => match document.word(at + 1) {
            "of" | "in" => document.word(at) != "right",
            word => PREDICATE_NOUNS.contains(word),
        },
    };
    // "B is the only city in France"
    let only = document.word(at - 1) == "only" && !document.word(at).is_empty();
    (only || PREDICATES.contains(document.word(at)) && ends).then_some(Cue {
        strength: Strength::Words,
        start: mention.start,
        any_case: false,
        shared,
    })
}

/// Whether the clause before a token neither denies what follows nor attributes it to others.
pub(crate) fn is_own_view(document: &Document, at: usize, from: usize) -> bool {
    for at in (from..at).rev().filter(|at| !document.is_mentioned(*at)) {
        let word = document.word(at);
        let before = document.word(at.wrapping_sub(1));
        if word == "doubt" && matches!(before, "no" | "a" | "any") {
            return true;
        }
        // "the only plausible answer"
        let singled_out =
            matches!(word, "possible" | "plausible") && matches!(before, "only" | "most");
        let distant = DISTANCE.contains(word) && !singled_out;
        if distant || NEGATIONS.contains(word) || CONCESSIONS.contains(word) {
            return false;
        }
        // "I do not think that the answer is B" denies it in one clause.
        if document.is_sign(at, ",:—(") || CLAUSES.contains(word) {
            // "According to some, the answer is B"
            return !OTHERS.contains(before);
        }
    }
    true
}

/// Whether the clause before a verb has the model as its subject, or none.
pub(crate) fn is_own_act(document: &Document, verb: usize, from: usize) -> bool {
    for at in (from..verb).rev() {
        let word = document.word(at);
        if document.is_sign(at, ",:—;") || CLAUSES.contains(word) {
            return true;
        }
        let own = SELF.contains(word) || CONCLUSIONS.contains(word);
        if !own || NEGATIONS.contains(word) {
            return false;
        }
    }
    true
}
