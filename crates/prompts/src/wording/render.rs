//! Fills the placeholders of an instruction.

use sureness_questions::{Background, Task};

/// Replaces `{title}` by the task's title and `{material}` by the parts of its questions. Other text
/// in braces may belong to the wording and stays.
pub(super) fn fill(text: &str, task: &Task) -> String {
    // "Any", since single questions of a task may come without background.
    let material = match task.background {
        Background::None => "question",
        Background::Context => "question and any context",
        Background::Dialogue => "question and any dialogue",
        Background::Document => "question and any document",
    };
    // The title goes in last, so that braces in a user's title are never taken for a placeholder.
    text.replace("{material}", material)
        .replace("{title}", &task.title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_other_braces_stay() {
        let mut task = Task::custom("x");
        task.title = "{material}".to_owned();
        assert_eq!(
            fill("{title} {material} {\"a\": 1}", &task),
            "{material} question and any context {\"a\": 1}"
        );
    }
}
