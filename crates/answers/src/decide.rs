//! Which of an answer's choices counts.

use crate::claim::{Claim, Strength};
use crate::document::Document;
use crate::lexicon::{COPULAS, CORRECTIONS, INTERJECTIONS, PRONOUNS, RETRACTIONS, WRONG};
use crate::token::Kind;
use crate::{Reading, Why};

/// Statements further apart than this many tokens are not made in one breath.
const NEAR: usize = 20;

/// The reading of an answer's choices: the last one in words, or else the only one.
pub(crate) fn reading(document: &Document, claims: &[Claim]) -> Option<Reading> {
    let kept: Vec<&Claim> = claims.iter().skip(retracted(document, claims)).collect();
    let strongest = kept.iter().map(|claim| claim.cue.strength).max()?;
    let of_strength = |strength: Strength| {
        kept.iter()
            .filter(move |claim| claim.cue.strength == strength)
    };
    let last = of_strength(strongest).next_back()?;
    let [option] = last.options.as_slice() else {
        return Some(Reading::Unreadable(Why::Several));
    };
    if last.cue.shared {
        return Some(Reading::Unreadable(Why::Several));
    }
    let contradicts = |other: &&&Claim| other.options != last.options;
    let disputed = match strongest {
        // Later statements correct earlier ones, unless they are made in one breath.
        Strength::Words => {
            let in_one_breath = of_strength(Strength::Words)
                .filter(contradicts)
                .filter(|other| other.cue.start >= last.sentence.saturating_sub(NEAR))
                .any(|other| in_one_breath(document, other, last));
            let unclear = of_strength(Strength::Place)
                .filter(contradicts)
                .any(|other| other.cue.start >= last.end);
            in_one_breath || unclear
        }
        Strength::Place | Strength::Prose => {
            of_strength(strongest).any(|other| contradicts(&other))
        }
    };
    Some(if disputed {
        Reading::Unreadable(Why::Several)
    } else {
        Reading::Option(*option)
    })
}

/// Whether two statements differ without a word of correction between them.
fn in_one_breath(document: &Document, first: &Claim, second: &Claim) -> bool {
    let wordless = (first.end..second.cue.start).all(|at| document.kind(at) != Some(Kind::Word));
    let corrected =
        (first.end..=second.cue.start).any(|at| CORRECTIONS.contains(document.word(at)));
    !corrected && (wordless || first.sentence == second.sentence)
}

/// The number of choices that a later sentence takes back.
fn retracted(document: &Document, claims: &[Claim]) -> usize {
    let mut count = 0;
    let mut made = 0;
    let mut starts = true;
    for at in 0..document.tokens.len() {
        let begins = RETRACTIONS.iter().any(|words| {
            words
                .iter()
                .enumerate()
                .all(|(index, word)| document.word(at + index) == *word)
        });
        while claims.get(made).is_some_and(|claim| claim.end <= at) {
            made += 1;
        }
        if starts && begins {
            count = made;
        }
        // "That is wrong", right behind the sentence with the choice.
        let last = made.checked_sub(1).and_then(|last| claims.get(last));
        if starts
            && PRONOUNS.contains(document.word(at))
            && COPULAS.contains(document.word(at + 1))
            && WRONG.contains(document.word(at + 2))
            && last.is_some_and(|last| {
                (last.end..at).rev().all(|at| {
                    INTERJECTIONS.contains(document.word(at))
                        || document.kind(at) != Some(Kind::Word)
                })
            })
        {
            count = made;
        }
        if document.kind(at) == Some(Kind::Word) {
            // "No, that is wrong"
            starts &= INTERJECTIONS.contains(document.word(at));
        } else if !document.is_sign(at, ",([{") {
            starts = true;
        }
    }
    count
}
