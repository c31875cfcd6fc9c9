//! Chat templates, which wrap a prompt for an instruction-tuned model.

mod environment;
mod generation;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::Date;
use minijinja::{Environment, context};

use crate::{Prompt, PromptError};

/// The day that templates see unless told otherwise: the one that Llama's templates print without a
/// clock.
pub const FIXED_DATE: Date = jiff::civil::date(2024, 7, 26);

/// Name under which the template is known to the engine.
const NAME: &str = "chat";

/// A model's own Jinja template, from its GGUF file or its server.
///
/// Renders as Hugging Face does: blocks are trimmed, Python's string methods work, and one user
/// message is followed by the generation prompt.
#[derive(Debug)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    bos_token: String,
    eos_token: String,
    strip_bos: bool,
    /// Input prefix to rendered prefix. One entry per (task, strategy), as prefixes are shared.
    prefixes: Mutex<HashMap<Arc<str>, Arc<str>>>,
}

impl ChatTemplate {
    /// Compiles a template. The tokens are the texts of the model's special tokens, which many
    /// templates write themselves; a missing one is an empty text.
    pub fn new(
        source: &str,
        bos_token: Option<&str>,
        eos_token: Option<&str>,
    ) -> Result<Self, PromptError> {
        let mut environment = environment::environment()?;
        environment
            .add_template_owned(NAME, generation::unmark(source))
            .map_err(|error| PromptError::TemplateSyntax {
                line: error.line().unwrap_or(1),
                message: environment::message(&error),
            })?;
        Ok(Self {
            environment,
            bos_token: bos_token.unwrap_or_default().to_owned(),
            eos_token: eos_token.unwrap_or_default().to_owned(),
            strip_bos: false,
            prefixes: Mutex::default(),
        })
    }

    /// Whether [`Self::apply`] leaves out the BOS token at the start of the text. Enable it
    /// if the tokenizer adds one: a doubled BOS shifts accuracy by percentage points.
    #[must_use]
    pub fn strip_bos(mut self, yes: bool) -> Self {
        self.strip_bos = yes;
        // Prefixes rendered before have it the other way.
        self.prefixes = Mutex::default();
        self
    }

    /// The date that templates see through `strftime_now`, [`FIXED_DATE`] unless set. It
    /// deliberately ignores the clock: the date is part of the prompt, so a run resumed on the next
    /// day would ask every question again.
    #[must_use]
    pub fn with_date(mut self, date: Date) -> Self {
        environment::set_date(&mut self.environment, date);
        self.prefixes = Mutex::default();
        self
    }

    /// The text a model reads for one user message, up to where its answer begins. A BOS token
    /// that the template writes is kept.
    pub fn render_user(&self, content: &str) -> Result<String, PromptError> {
        let failed = |error: minijinja::Error| PromptError::TemplateFailed {
            line: error.line().unwrap_or(1),
            message: environment::message(&error),
        };
        let messages = [context! { role => "user", content => content }];
        self.environment
            .get_template(NAME)
            .map_err(failed)?
            .render(context! {
                messages => messages,
                add_generation_prompt => true,
                bos_token => self.bos_token.as_str(),
                eos_token => self.eos_token.as_str(),
                // As Hugging Face passes them: defined, but none.
                tools => (),
                documents => (),
            })
            .map_err(failed)
    }

    /// Puts the whole prompt into one user message. The result is [`Self::render_user`] of the
    /// whole text (without BOS where [`Self::strip_bos`] says so), split so that prompts of one
    /// prefix again share a prefix. Where a template treats contents so differently that they
    /// share no text, the prefix is empty.
    pub fn apply(&self, prompt: &Prompt) -> Result<Prompt, PromptError> {
        let text = self.without_bos(self.render_user(&prompt.text())?);
        let prefix = self.rendered_prefix(&prompt.prefix)?;
        Ok(match text.strip_prefix(&*prefix) {
            Some(suffix) => Prompt {
                suffix: suffix.to_owned(),
                prefix,
            },
            None => Prompt {
                prefix: Arc::from(""),
                suffix: text,
            },
        })
    }

    /// The common beginning of all rendered prompts with this prefix, rendered once.
    fn rendered_prefix(&self, prefix: &Arc<str>) -> Result<Arc<str>, PromptError> {
        // The map stays whole if a thread panics while it holds the lock.
        let lock = || self.prefixes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rendered) = lock().get(prefix) {
            return Ok(Arc::clone(rendered));
        }
        // Two contents that differ after the prefix render to texts that differ at the same place,
        // even if the template trims. For a third content this is a guess, which `apply` checks.
        let probe = |end: char| {
            self.render_user(&format!("{prefix}{end}"))
                .map(|text| self.without_bos(text))
        };
        let (one, other) = (probe('Q')?, probe('D')?);
        let rendered: Arc<str> = Arc::from(common_prefix(&one, &other));
        // Another thread may have inserted it first; all share one allocation.
        Ok(Arc::clone(
            lock().entry(Arc::clone(prefix)).or_insert(rendered),
        ))
    }

    fn without_bos(&self, text: String) -> String {
        if !self.strip_bos || self.bos_token.is_empty() {
            return text;
        }
        match text.strip_prefix(&self.bos_token) {
            Some(rest) => rest.to_owned(),
            None => text,
        }
    }
}

/// The longest text that both begin with.
fn common_prefix<'a>(one: &'a str, other: &str) -> &'a str {
    let length: usize = one
        .chars()
        .zip(other.chars())
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len_utf8())
        .sum();
    &one[..length]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_part_at_a_character_not_in_one() {
        assert_eq!(common_prefix("aé", "aè"), "a");
        assert_eq!(common_prefix("ab", "abc"), "ab");
        assert_eq!(common_prefix("", "abc"), "");
    }

    #[test]
    fn settings_made_late_count() {
        let prompt = Prompt {
            prefix: Arc::from("p"),
            suffix: "s".to_owned(),
        };
        let source = "{{ bos_token }}{{ strftime_now('%Y') }} {{ messages[0].content }}";
        let template = ChatTemplate::new(source, Some("<s>"), None).unwrap();
        assert_eq!(template.apply(&prompt).unwrap().text(), "<s>2024 ps");
        let template = template
            .strip_bos(true)
            .with_date(jiff::civil::date(2031, 1, 2));
        let applied = template.apply(&prompt).unwrap();
        assert_eq!(applied.text(), "2031 ps");
        assert_eq!(&*applied.prefix, "2031 p");
    }
}
