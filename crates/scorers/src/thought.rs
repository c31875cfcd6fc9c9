//! Where a thought goes in a prompt: between the question and the cue that asks for the letter.

use std::sync::Arc;

use sureness_prompts::Prompt;

use crate::said::Said;

/// What makes a model think that does not by itself.
const STEPS: &str = "Let's think step by step.";

/// The parts of a prompt between which a thought goes.
pub(crate) struct Parts {
    /// What the thought is asked by.
    pub(crate) question: Prompt,
    /// The prompt without its last line.
    head: String,
    /// Its last line, which asks for the letter.
    cue: String,
    prefix: Arc<str>,
}

impl Parts {
    /// Cuts a prompt, for a user's message of a chat or for a model that continues it.
    pub(crate) fn of(prompt: &Prompt, chat: bool) -> Self {
        let text = prompt.text();
        let (head, cue) = text.rsplit_once('\n').unwrap_or(("", &text));
        let gap = if chat { "\n\n" } else { "\n" };
        Self {
            question: behind(&prompt.prefix, format!("{head}{gap}{STEPS}")),
            head: head.to_owned(),
            cue: cue.to_owned(),
            prefix: Arc::clone(&prompt.prefix),
        }
    }

    /// The prompt that asks for the letter after a thought, for a model that continues it.
    pub(crate) fn after(&self, said: &Said) -> Prompt {
        let thought = [said.thought.as_deref(), Some(&*said.text)];
        let thought: String = thought.into_iter().flatten().collect();
        let (head, cue) = (&self.head, &self.cue);
        let text = format!("{head}\n{STEPS} {}\n{cue}", thought.trim());
        behind(&self.prefix, text)
    }

    /// The beginning of the assistant's message that asks for the letter after a thought, in a chat.
    /// A thought of the model's own that is `opened` by the template and not closed is closed.
    pub(crate) fn begun(&self, said: &Said, opened: bool) -> String {
        let mut begun = String::new();
        // A thought that the server reports apart goes back between the usual marks.
        if let Some(thought) = &said.thought {
            begun = format!("<think>\n{}\n</think>\n\n", thought.trim());
        }
        begun.push_str(said.text.trim());
        if (opened || said.text.contains("<think>")) && !said.text.contains("</think>") {
            begun.push_str("\n</think>");
        }
        begun.push_str("\n\n");
        begun.push_str(&self.cue);
        begun
    }
}

/// The text as a prompt with the prefix that its neighbours share.
fn behind(prefix: &Arc<str>, text: String) -> Prompt {
    match text.strip_prefix(&**prefix) {
        Some(suffix) => Prompt {
            prefix: Arc::clone(prefix),
            suffix: suffix.to_owned(),
        },
        None => Prompt {
            prefix: "".into(),
            suffix: text,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt() -> Prompt {
        Prompt {
            prefix: "Question: One?\nAnswer: A\n\n".into(),
            suffix: "Question: Two?\nA. x\nB. y\nAnswer:".into(),
        }
    }

    #[test]
    fn the_thought_goes_before_the_cue() {
        let said = Said {
            text: "y it is.".into(),
            ..Said::default()
        };
        let parts = Parts::of(&prompt(), false);
        assert_eq!(parts.question.prefix, prompt().prefix);
        assert!(
            parts
                .question
                .suffix
                .ends_with("B. y\nLet's think step by step.")
        );
        let after = parts.after(&said);
        assert_eq!(after.prefix, prompt().prefix);
        assert_eq!(
            after.suffix,
            "Question: Two?\nA. x\nB. y\nLet's think step by step. y it is.\nAnswer:"
        );
    }

    #[test]
    fn in_a_chat_the_assistant_goes_on() {
        let said = Said {
            text: "It is y.".into(),
            thought: Some("x or y?".into()),
            ..Said::default()
        };
        let begun = Parts::of(&prompt(), true).begun(&said, false);
        assert_eq!(begun, "<think>\nx or y?\n</think>\n\nIt is y.\n\nAnswer:");
    }

    #[test]
    fn a_thought_that_is_cut_is_closed() {
        let parts = Parts::of(&prompt(), true);
        let begun = |text: &str, opened| {
            let said = Said {
                text: text.into(),
                ..Said::default()
            };
            parts.begun(&said, opened)
        };
        assert_eq!(begun("x or", true), "x or\n</think>\n\nAnswer:");
        assert_eq!(
            begun("<think>x or", false),
            "<think>x or\n</think>\n\nAnswer:"
        );
        assert_eq!(begun("x</think>y", true), "x</think>y\n\nAnswer:");
        assert_eq!(begun("x", false), "x\n\nAnswer:");
    }

    #[test]
    fn a_prompt_that_is_one_line_has_no_head() {
        let prompt = Prompt {
            prefix: "Answer:".into(),
            suffix: String::new(),
        };
        let parts = Parts::of(&prompt, false);
        assert_eq!(parts.question.text(), "\nLet's think step by step.");
    }
}
