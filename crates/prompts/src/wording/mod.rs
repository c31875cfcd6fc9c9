//! The sentences and line labels of a prompt, built in or from a TOML file.

mod builtin;
mod read;
mod render;

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sureness_questions::{Background, Task};

use crate::{PromptError, Strategy};

/// Name of the table for tasks without their own texts.
const DEFAULT: &str = "default";
/// Name of the table with the line labels.
const LABELS: &str = "labels";

/// The texts of one (task, strategy). `None` falls back to the default; an empty text means no
/// text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Instructions {
    /// Few-shot: opens the prompt, before the few-shot examples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_examples: Option<String>,
    /// Few-shot: between the few-shot examples and the question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_question: Option<String>,
    /// Zero-shot: opens the prompt, before the question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zero_shot: Option<String>,
}

impl Instructions {
    /// The same, with missing texts from `fallback`.
    fn or(&self, fallback: &Self) -> Self {
        let pick = |own: &Option<String>, other: &Option<String>| own.clone().or(other.clone());
        Self {
            before_examples: pick(&self.before_examples, &fallback.before_examples),
            before_question: pick(&self.before_question, &fallback.before_question),
            zero_shot: pick(&self.zero_shot, &fallback.zero_shot),
        }
    }
}

/// The first words of a question's lines, with colon and without trailing space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// Before the stem.
    pub question: String,
    /// On its own line before the options.
    pub choices: String,
    /// The end of the prompt.
    pub answer: String,
    /// Before a passage.
    pub context: String,
    /// Before a dialogue.
    pub dialogue: String,
    /// Before a document.
    pub document: String,
}

impl Default for Labels {
    /// The benchmark's English labels.
    fn default() -> Self {
        Self {
            question: "Question:".to_owned(),
            choices: "Choices:".to_owned(),
            answer: "Answer:".to_owned(),
            context: "Context:".to_owned(),
            dialogue: "Dialogue:".to_owned(),
            document: "Document:".to_owned(),
        }
    }
}

impl Labels {
    /// The label of a kind of background; none where no background line is shown.
    pub fn background(&self, background: Background) -> Option<&str> {
        match background {
            Background::None => None,
            Background::Context => Some(&self.context),
            Background::Dialogue => Some(&self.dialogue),
            Background::Document => Some(&self.document),
        }
    }
}

/// All texts of a prompt except the questions.
///
/// Serialises in the shape of the TOML file that [`Self::from_toml`] reads, so that the record
/// of a run can be used as a prompts file again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Wording {
    /// The line labels.
    pub labels: Labels,
    /// Texts by task id (or `default`) and strategy.
    #[serde(flatten)]
    texts: BTreeMap<String, BTreeMap<Strategy, Instructions>>,
}

impl Wording {
    /// The built-in English wording.
    pub fn builtin() -> Self {
        builtin::wording()
    }

    /// The built-in wording with the texts of the TOML file at `path`.
    pub fn from_toml(path: impl AsRef<Path>) -> Result<Self, PromptError> {
        let path = path.as_ref();
        let text =
            std::fs::read_to_string(path).map_err(|source| PromptError::WordingUnreadable {
                path: path.to_owned(),
                source,
            })?;
        read::overlay(Self::builtin(), &text, &path.display().to_string())
    }

    /// As [`Self::from_toml`], from the text itself. Errors call the source `prompts`.
    pub fn from_toml_str(text: &str) -> Result<Self, PromptError> {
        read::overlay(Self::builtin(), text, "prompts")
    }

    /// The texts for one task and strategy, defaults applied and placeholders filled. Empty
    /// texts are `None`.
    pub fn instructions(&self, task: &Task, strategy: Strategy) -> Instructions {
        let stated = |table: &str| {
            self.texts
                .get(table)
                .and_then(|strategies| strategies.get(&strategy))
                .cloned()
                .unwrap_or_default()
        };
        let raw = stated(&task.id).or(&stated(DEFAULT));
        let fill = |text: Option<String>| {
            text.map(|text| render::fill(text.trim_end(), task))
                .filter(|text| !text.is_empty())
        };
        Instructions {
            before_examples: fill(raw.before_examples),
            before_question: fill(raw.before_question),
            zero_shot: fill(raw.zero_shot),
        }
    }

    /// Ids with texts here that are neither in `tasks` nor of the benchmark: probably misspelt.
    pub fn unknown_tasks(&self, tasks: &[Task]) -> Vec<&str> {
        let benchmark = Task::benchmark();
        self.texts
            .keys()
            .map(String::as_str)
            .filter(|id| *id != DEFAULT)
            .filter(|id| !benchmark.iter().chain(tasks).any(|task| task.id == *id))
            .collect()
    }

    /// Applies the texts of one table and strategy. A new default applies to all tasks and so also
    /// replaces their own texts.
    fn replace(&mut self, table: &str, strategy: Strategy, stated: &Instructions) {
        if table == DEFAULT {
            for (_, strategies) in self.texts.iter_mut().filter(|(id, _)| *id != DEFAULT) {
                if let Some(own) = strategies.get_mut(&strategy) {
                    forget(&mut own.before_examples, stated.before_examples.as_ref());
                    forget(&mut own.before_question, stated.before_question.as_ref());
                    forget(&mut own.zero_shot, stated.zero_shot.as_ref());
                }
            }
        }
        let strategies = self.texts.entry(table.to_owned()).or_default();
        let own = strategies.entry(strategy).or_default();
        *own = stated.or(own);
    }
}

fn forget(own: &mut Option<String>, stated: Option<&String>) {
    if stated.is_some() {
        *own = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(id: &str) -> Task {
        Task::by_name(id).unwrap_or_else(|| Task::custom(id))
    }

    #[test]
    fn base_has_no_words() {
        for task in Task::benchmark() {
            assert_eq!(
                Wording::builtin().instructions(&task, Strategy::Base),
                Instructions::default()
            );
        }
    }

    #[test]
    fn built_in_texts_are_complete_and_have_no_open_placeholder() {
        for task in Task::benchmark().into_iter().chain([task("tax_law")]) {
            for strategy in [Strategy::SharedInstruction, Strategy::TaskSpecific] {
                let texts = Wording::builtin().instructions(&task, strategy);
                for text in [
                    texts.before_examples,
                    texts.before_question,
                    texts.zero_shot,
                ] {
                    let text = text.expect("every text is stated");
                    assert!(!text.contains(['{', '}']), "{text}");
                }
            }
        }
    }

    #[test]
    fn shared_wording_is_the_same_for_all_tasks_and_specific_wording_is_not() {
        let all = |strategy| {
            let mut texts: Vec<_> = Task::benchmark()
                .iter()
                .map(|task| Wording::builtin().instructions(task, strategy).zero_shot)
                .collect();
            texts.sort();
            texts.dedup();
            texts.len()
        };
        assert_eq!(all(Strategy::SharedInstruction), 1);
        assert_eq!(all(Strategy::TaskSpecific), 5);
    }

    #[test]
    fn a_custom_task_is_named_in_its_generic_text() {
        let text = Wording::builtin()
            .instructions(&task("tax_law"), Strategy::TaskSpecific)
            .zero_shot;
        assert!(text.is_some_and(|text| text.contains("tax law") && text.contains("any context")));
    }

    #[test]
    fn tasks_that_nobody_asks_are_found() {
        let wording = Wording::from_toml_str("[qaa.shared_instruction]\nzero_shot = 'x'").unwrap();
        assert_eq!(wording.unknown_tasks(&Task::benchmark()), ["qaa"]);
        assert!(wording.unknown_tasks(&[task("qaa")]).is_empty());
    }

    #[test]
    fn the_record_can_be_read_back_as_json_and_as_a_prompts_file() {
        let wording = Wording::from_toml_str(
            "[labels]\nanswer = 'Antwort:'\n[default.shared]\nzero_shot = ''\n[law.task]\nbefore_examples = '''two\nlines'''",
        )
        .unwrap();
        let json = serde_json::to_string(&wording).unwrap();
        assert_eq!(serde_json::from_str::<Wording>(&json).unwrap(), wording);
        let toml = toml::to_string(&wording).unwrap();
        assert_eq!(Wording::from_toml_str(&toml).unwrap(), wording);
    }
}
