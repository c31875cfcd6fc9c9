//! Fills the placeholders of an instruction.

use sureness_questions::{Background, Task};

/// Puts the task's title for `{title}` and the word for its background for `{background}`.
/// Any other text in braces is left as it is: it may belong to the wording.
pub(super) fn fill(text: &str, task: &Task) -> String {
    let background = match task.background {
        Background::None => "question",
        Background::Context => "passage",
        Background::Dialogue => "dialogue",
        Background::Document => "document",
    };
    // The title goes in last, so that braces in a user's title are never taken for a placeholder.
    text.replace("{background}", background)
        .replace("{title}", &task.title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_other_braces_stay() {
        let mut task = Task::custom("x");
        task.title = "{background}".to_owned();
        assert_eq!(
            fill("{title} {background} {\"a\": 1}", &task),
            "{background} passage {\"a\": 1}"
        );
    }
}
