//! Whether a model answers a question with the letter of an option.

use serde_json::Value;

use super::super::answer::only_choice;
use super::super::report::Letters;
use super::super::tokens::{Options, option_scores};
use crate::{ScoreError, Usage};

/// A question that every model can answer with a letter. Without few-shot examples, so that it costs
/// little.
pub(super) const QUESTION: &str = "Which of these is a colour?\n\
    A. seven\nB. red\nC. a chair\nD. slowly\n\
    Reply with the letter of the right option alone.\nThe right option is";
const LABELS: [&str; 4] = ["A", "B", "C", "D"];

/// What an answer to [`QUESTION`] shows; `None` if it cannot be understood.
pub(super) fn letters(response: &Value, top: u32, chat: bool) -> Option<Letters> {
    let choice = only_choice(response).ok()?;
    let tokens = choice.tokens().ok()?;
    let most = tokens.iter().max_by(|a, b| a.logprob.total_cmp(&b.logprob));
    let first = most.map_or_else(String::new, |token| token.text.to_string());
    let labels = LABELS.map(str::to_owned);
    let options = Options {
        labels: &labels,
        ids: &[],
        exact: false,
        chat,
    };
    let mass = match option_scores(tokens, options, top as usize, Usage::default()) {
        Ok(scores) => scores.mass,
        Err(ScoreError::NoOptionSeen { .. }) => 0.0,
        Err(_) => return None,
    };
    let thinks = choice.has_reasoning();
    Some(Letters {
        mass,
        first,
        thinks,
        after_thought: thinks && choice.has_text(),
        chat,
    })
}
