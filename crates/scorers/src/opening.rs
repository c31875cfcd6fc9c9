//! What a model begins with where it does not begin with the letter of an option.

/// Words in the marks that open a thought, such as `<think>`, `<|channel|>` and `[THINK]`.
const THOUGHT: [&str; 5] = ["think", "thought", "reason", "channel", "analysis"];
/// Words in the marks that end a text, such as `<|im_end|>`, `</s>` and `<eos>`.
const END: [&str; 4] = ["end", "eos", "eot", "/s"];

/// The kind of the most probable first token, where the letters are improbable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// A mark that opens a thought.
    Thought,
    /// A mark that ends the text.
    End,
    /// Formatting or a line break.
    Format,
    /// Words.
    Prose,
}

impl Opening {
    /// The kind of this token.
    pub fn of(first: &str) -> Self {
        let text = first.trim().to_lowercase();
        let is_mark = text.starts_with(|c: char| !c.is_alphanumeric());
        let holds = |words: &[&str]| is_mark && words.iter().any(|word| text.contains(word));
        if holds(&THOUGHT) {
            Self::Thought
        } else if holds(&END) {
            Self::End
        } else if text.contains(char::is_alphanumeric) {
            Self::Prose
        } else {
            Self::Format
        }
    }

    /// What to do. `chat` is whether the model was asked through its chat template.
    pub fn hint(self, chat: bool) -> &'static str {
        match (self, chat) {
            (Self::Thought, true) => {
                "switch thinking off: --extra-body '{\"chat_template_kwargs\": {\"enable_thinking\": false}}' \
                 where the chat template knows it, or an option of the server (llama-server: \
                 --reasoning-budget 0); or use a model that answers at once"
            }
            (Self::Thought, false) => {
                "ask through the chat template with thinking switched off: --chat --extra-body \
                 '{\"chat_template_kwargs\": {\"enable_thinking\": false}}'; or use a model that answers at once"
            }
            (_, true) => {
                "ask for the letter alone in the text of the prompts (--prompts), or show few-shot \
                 examples (--shots); a base model is asked without --chat"
            }
            (_, false) => {
                "show few-shot examples (--shots), or ask for the letter alone in the text of the \
                 prompts (--prompts); an instruct model is asked with --chat"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_line_breaks_and_words_are_told_apart() {
        for (first, opening) in [
            ("<think>", Opening::Thought),
            ("<|channel|>", Opening::Thought),
            ("[THINK]", Opening::Thought),
            ("◁think▷", Opening::Thought),
            ("<|im_end|>", Opening::End),
            ("</s>", Opening::End),
            ("**", Opening::Format),
            ("\n\n", Opening::Format),
            (" (", Opening::Format),
            ("", Opening::Format),
            ("Okay", Opening::Prose),
            (" I think", Opening::Prose),
        ] {
            assert_eq!(Opening::of(first), opening, "{first:?}");
        }
    }

    #[test]
    fn what_was_given_is_not_offered() {
        for opening in [
            Opening::Thought,
            Opening::End,
            Opening::Format,
            Opening::Prose,
        ] {
            assert!(!opening.hint(true).contains("with --chat"));
            assert!(opening.hint(false).contains("--chat"));
        }
    }
}
