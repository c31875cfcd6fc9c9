//! Fills the placeholders of an instruction.

use sureness_questions::{Background, Task};

/// Puts the task's title for `{title}` and what there is to read for `{material}`. Any other
/// text in braces is left as it is: it may belong to the wording.
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
