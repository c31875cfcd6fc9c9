//! Lists of options, which state no choice.

use crate::document::Document;
use crate::mention::Mention;

/// Marks the mentions that are items of a list: labels in their order, each at the start of its line,
/// or each with its text in one line.
pub(crate) fn mark(document: &mut Document) {
    let by_line = runs(document, |document, mention| {
        let (line, _) = document.line(mention);
        is_item(document, mention) && opens(document, line, mention.start)
    });
    let in_line = runs(document, |document, mention| {
        is_item(document, mention) || (mention.has_text && mention.label.is_some())
    });
    for run in &by_line {
        set(document, run);
    }
    for run in &in_line {
        // "The answer is (A) Paris, (B) is wrong" is no list: a list begins with the first option.
        let first = run.first().and_then(|at| document.mentions.get(*at));
        if first.is_some_and(|first| first.options == [0]) {
            set(document, run);
        }
    }
}

fn set(document: &mut Document, run: &[usize]) {
    for at in run {
        if let Some(mention) = document.mentions.get_mut(*at) {
            mention.listed = true;
        }
    }
}

/// Whether only brackets stand before the mention in its line.
fn opens(document: &Document, line: usize, start: usize) -> bool {
    (line..start)
        .all(|at| document.is_sign(at, "([-—") || matches!(document.word(at), "option" | "choice"))
}

/// Whether a label is followed by a sign and a text: `A. Paris`, `(A) Paris`, `A: Paris`.
fn is_item(document: &Document, mention: &Mention) -> bool {
    let [_] = mention.options.as_slice() else {
        return false;
    };
    let signed = mention.bracketed || document.is_sign(mention.start + 1, ".):]-—");
    mention.label.is_some() && signed
}

/// Runs of at least two items whose options follow each other.
fn runs(document: &Document, is_item: impl Fn(&Document, &Mention) -> bool) -> Vec<Vec<usize>> {
    let mut runs: Vec<Vec<usize>> = Vec::new();
    let mut run: Vec<usize> = Vec::new();
    let mut expected = None;
    for (at, mention) in document.mentions.iter().enumerate() {
        let option = mention.options.first().copied();
        if is_item(document, mention) {
            if expected.is_none() || option != expected {
                runs.push(std::mem::take(&mut run));
            }
            run.push(at);
            expected = option.map(|option| option + 1);
        }
    }
    runs.push(run);
    runs.retain(|run| run.len() > 1);
    runs
}
