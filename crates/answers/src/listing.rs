//! Lists of options, which state no choice.

use crate::claim::Claim;
use crate::document::{Document, Follow};
use crate::mention::Mention;
use crate::token::Kind;

/// Marks the mentions that are items of a list: labels in their order, each at the start of its line,
/// or each with its text in one line.
pub(crate) fn mark(document: &mut Document) {
    let by_line = lists(document);
    let in_line = runs(document, |document, before, mention| {
        let same_line = before.is_none_or(|before| {
            (before.end..mention.start).all(|at| document.kind(at) != Some(Kind::Break))
        });
        same_line && (is_item(document, mention) || (mention.has_text && mention.label.is_some()))
    });
    // "The answer is (A) Paris, (B) is wrong" is no list: a list begins with the first option.
    let whole = in_line.into_iter().filter(|run| {
        let first = run.first().and_then(|at| document.mentions.get(*at));
        first.is_some_and(|first| first.options == [0])
    });
    let listed: Vec<usize> = by_line.into_iter().chain(whole).flatten().collect();
    for at in listed {
        if let Some(mention) = document.mentions.get_mut(at) {
            mention.listed = true;
        }
    }
}

/// Where a list of options begins that are not those of this question: behind a choice, or behind a
/// question.
pub(crate) fn other_question(document: &Document, claims: &[Claim]) -> Option<usize> {
    let starts = lists(document).into_iter().filter_map(|run| {
        let items = || run.iter().filter_map(|at| document.mentions.get(*at));
        let other = items().all(|item| !item.has_text);
        items().next().filter(|_| other).map(|item| item.start)
    });
    starts.into_iter().find(|start| {
        let mut before = (0..*start)
            .rev()
            .filter(|at| document.kind(*at) != Some(Kind::Break) && !document.is_sign(*at, "([-—"));
        let asked = before.next().is_some_and(|at| document.is_sign(at, "?"));
        asked || claims.iter().any(|claim| claim.end <= *start)
    })
}

/// Lists with an option a line.
fn lists(document: &Document) -> Vec<Vec<usize>> {
    runs(document, |document, _, mention| {
        let (line, _) = document.line(mention);
        is_item(document, mention) && opens(document, line, mention.start)
    })
}

/// Whether only brackets stand before the mention in its line.
fn opens(document: &Document, line: usize, start: usize) -> bool {
    (line..start).all(|at| {
        document.is_sign(at, "([-—") || matches!(document.word(at), "option" | "choice" | "answer")
    })
}

/// Whether a label is followed by a sign and a text: `A. Paris`, `(A) Paris`, `A: Paris`.
fn is_item(document: &Document, mention: &Mention) -> bool {
    let [_] = mention.options.as_slice() else {
        return false;
    };
    let signed = mention.bracketed || document.is_sign(mention.start + 1, ".):]-—");
    // "(B)", and in the next line "(C) is in Italy"
    let spoken_of = !mention.has_text && document.follow(mention.end) == Follow::Verb;
    mention.label.is_some() && signed && !spoken_of
}

/// Runs of at least two items whose options follow each other. `is_item` gets the item before, too.
fn runs(
    document: &Document,
    is_item: impl Fn(&Document, Option<&Mention>, &Mention) -> bool,
) -> Vec<Vec<usize>> {
    let mut runs: Vec<Vec<usize>> = Vec::new();
    for (at, mention) in document.mentions.iter().enumerate() {
        let last = runs.last().and_then(|run| run.last());
        let before = last.and_then(|last| document.mentions.get(*last));
        let expected = before
            .and_then(|before| before.options.first())
            .map(|it| it + 1);
        if expected.is_some()
            && expected == mention.options.first().copied()
            && is_item(document, before, mention)
        {
            if let Some(run) = runs.last_mut() {
                run.push(at);
            }
        } else if is_item(document, None, mention) {
            runs.push(vec![at]);
        }
    }
    runs.retain(|run| run.len() > 1);
    runs
}
