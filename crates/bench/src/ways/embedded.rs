//! The way of asking for a GGUF file.

use sureness_record::{Answers, Reasoned};

use crate::error::Failure;

const LETTERS: &str = "a model in this process has the log-probabilities of its letters";

/// The way for this file or catalogue name: letters, or after a thought where the chat template opens one.
#[cfg(feature = "llama")]
pub(super) fn way(
    name: &str,
    chat: bool,
    reasoned: Reasoned,
) -> Result<(Answers, &'static str), Failure> {
    let opens = chat && opens_a_thought(name)?;
    Ok(if opens {
        let because = "the chat template of the file opens a thought";
        (Answers::Reasoned(reasoned), because)
    } else {
        (Answers::Letters, LETTERS)
    })
}

#[cfg(feature = "llama")]
fn opens_a_thought(name: &str) -> Result<bool, Failure> {
    let path = crate::models::ensure(name, |line| tracing::info!("{line}"))?;
    let template = crate::models::open::chat_template(&path)?;
    let text = template.render_user("Which letter comes first?")?;
    Ok(text.trim_end().ends_with("<think>"))
}

/// Letters; such a file is refused when it is opened.
#[cfg(not(feature = "llama"))]
#[expect(
    clippy::unnecessary_wraps,
    reason = "the same signature as with the feature"
)]
pub(super) fn way(_: &str, _: bool, _: Reasoned) -> Result<(Answers, &'static str), Failure> {
    Ok((Answers::Letters, LETTERS))
}
