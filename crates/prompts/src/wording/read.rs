//! Reads a prompts file. Hand-written instead of derived, so that every error names the line, the
//! full key and the valid names.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use sureness_questions::Task;

use super::{DEFAULT, Instructions, LABELS, Labels, Wording};
use crate::{PromptError, Strategy};

const LABEL_KEYS: &str = "question, choices, answer, context, dialogue, document";
const TEXT_KEYS: &str = "before_examples, before_question, zero_shot";

/// Replaces texts of `wording` by those of the document `text`.
pub(super) fn overlay(
    mut wording: Wording,
    text: &str,
    file: &str,
) -> Result<Wording, PromptError> {
    let reader = Reader { text, file };
    let root = DeTable::parse(text).map_err(|error| PromptError::WordingSyntax {
        file: file.to_owned(),
        line: reader.line(error.span().map_or(0, |span| span.start)),
        message: error.message().trim().replace('\n', "; "),
    })?;

    let mut stated = Vec::new();
    for (name, value) in root.get_ref() {
        let key = Key::new("", name);
        let table = reader.table(&key, value)?;
        if name.get_ref() == LABELS {
            reader.labels(&mut wording.labels, table)?;
        } else {
            reader.strategies(&key, table, &mut stated)?;
        }
    }
    // Defaults first: they clear what tasks have, and tasks stated in the file must win.
    stated.sort_by_key(|(table, ..)| table != DEFAULT);
    for (table, strategy, instructions) in stated {
        wording.replace(&table, strategy, &instructions);
    }
    Ok(wording)
}

/// A key with its place: the full dotted name and the byte offset.
struct Key {
    name: String,
    start: usize,
}

impl Key {
    fn new(parent: &str, name: &Spanned<DeString<'_>>) -> Self {
        let own = name.get_ref();
        Self {
            name: if parent.is_empty() {
                own.to_string()
            } else {
                format!("{parent}.{own}")
            },
            start: name.span().start,
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    file: &'a str,
}

type Table<'a> = DeTable<'a>;
type Value<'a> = Spanned<DeValue<'a>>;
type Stated = Vec<(String, Strategy, Instructions)>;

impl Reader<'_> {
    fn labels(&self, labels: &mut Labels, table: &Table<'_>) -> Result<(), PromptError> {
        for (name, value) in table {
            let key = Key::new(LABELS, name);
            let place = match name.get_ref().as_ref() {
                "question" => &mut labels.question,
                "choices" => &mut labels.choices,
                "answer" => &mut labels.answer,
                "context" => &mut labels.context,
                "dialogue" => &mut labels.dialogue,
                "document" => &mut labels.document,
                _ => return Err(self.unknown(&key, "label", LABEL_KEYS)),
            };
            let label = self.string(&key, value)?;
            if label.is_empty() || label.trim() != label || label.contains('\n') {
                return Err(self.error(
                    &key,
                    "a label must be one line without leading or trailing space",
                    "write it like \"Question:\"; the space after it is added",
                ));
            }
            label.clone_into(place);
        }
        Ok(())
    }

    fn strategies(
        &self,
        task: &Key,
        table: &Table<'_>,
        stated: &mut Stated,
    ) -> Result<(), PromptError> {
        // `mmlu` is `qa`; unknown names are custom tasks.
        let id = Task::by_name(&task.name).map_or_else(|| task.name.clone(), |task| task.id);
        for (name, value) in table {
            let key = Key::new(&task.name, name);
            let Some(strategy) = Strategy::by_name(name.get_ref()) else {
                return Err(self.unknown(
                    &key,
                    "strategy",
                    &Strategy::ALL.map(Strategy::name).join(", "),
                ));
            };
            if stated.iter().any(|(i, s, _)| *i == id && *s == strategy) {
                return Err(self.error(
                    &key,
                    &format!("the file has {id}.{strategy} twice, under two of its names"),
                    "keep one of the two tables",
                ));
            }
            let texts = self.instructions(&key, self.table(&key, value)?)?;
            stated.push((id.clone(), strategy, texts));
        }
        Ok(())
    }

    fn instructions(&self, parent: &Key, table: &Table<'_>) -> Result<Instructions, PromptError> {
        let mut texts = Instructions::default();
        for (name, value) in table {
            let key = Key::new(&parent.name, name);
            let place = match name.get_ref().as_ref() {
                "before_examples" => &mut texts.before_examples,
                "before_question" => &mut texts.before_question,
                "zero_shot" => &mut texts.zero_shot,
                _ => return Err(self.unknown(&key, "text", TEXT_KEYS)),
            };
            *place = Some(self.string(&key, value)?.to_owned());
        }
        Ok(texts)
    }

    fn table<'v, 'i>(&self, key: &Key, value: &'v Value<'i>) -> Result<&'v Table<'i>, PromptError> {
        let value = value.get_ref();
        value.as_table().ok_or_else(|| {
            let hint = if key.name.contains('.') {
                format!(
                    "open a table [{}] and put {TEXT_KEYS} into it as needed",
                    key.name
                )
            } else {
                "texts stand in tables such as [qa.task_specific] or [default.shared_instruction], \
                 labels in [labels]"
                    .to_owned()
            };
            let found = value.type_str();
            self.error(key, &format!("expected a table, found type {found}"), &hint)
        })
    }

    fn string<'v>(&self, key: &Key, value: &'v Value<'_>) -> Result<&'v str, PromptError> {
        let value = value.get_ref();
        value.as_str().ok_or_else(|| {
            let found = value.type_str();
            self.error(
                key,
                &format!("expected a text, found type {found}"),
                "put the text in double quotes; \"\" means no text",
            )
        })
    }

    fn unknown(&self, key: &Key, what: &str, known: &str) -> PromptError {
        self.error(key, &format!("unknown {what}"), &format!("known: {known}"))
    }

    fn error(&self, key: &Key, message: &str, hint: &str) -> PromptError {
        PromptError::WordingKey {
            file: self.file.to_owned(),
            line: self.line(key.start),
            key: key.name.clone(),
            message: message.to_owned(),
            hint: hint.to_owned(),
        }
    }

    /// Line of a byte offset, from 1.
    fn line(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().iter().take(offset);
        1 + before.filter(|&&byte| byte == b'\n').count()
    }
}

#[cfg(test)]
mod tests {
    use sureness_questions::Task;

    use super::*;

    fn zero_shot(wording: &Wording, task: &str) -> Option<String> {
        let task = Task::by_name(task).unwrap_or_else(|| Task::custom(task));
        wording
            .instructions(&task, Strategy::TaskSpecific)
            .zero_shot
    }

    fn message(text: &str) -> String {
        let error = Wording::from_toml_str(text).unwrap_err();
        format!("{error}\nhint: {}", error.hint())
    }

    #[test]
    fn a_task_s_text_wins_over_the_file_s_default_which_wins_over_the_built_in() {
        // In this order on purpose: which table comes first in the file must not matter.
        let wording = Wording::from_toml_str(
            "[mmlu.task]\nzero_shot = 'own'\n[default.task-specific]\nzero_shot = 'all'\n",
        )
        .unwrap();
        assert_eq!(zero_shot(&wording, "qa").as_deref(), Some("own"));
        assert_eq!(zero_shot(&wording, "ds").as_deref(), Some("all"));
        assert_eq!(zero_shot(&wording, "law").as_deref(), Some("all"));
        // What the file does not state stays.
        let ds = Task::by_name("ds").unwrap();
        let before = |wording: &Wording| {
            wording
                .instructions(&ds, Strategy::TaskSpecific)
                .before_examples
        };
        assert_eq!(before(&wording), before(&Wording::builtin()));
    }

    #[test]
    fn an_empty_text_is_none_and_ends_of_multi_line_texts_are_cut() {
        let wording = Wording::from_toml_str(
            "[qa.task]\nzero_shot = ''\n[ds.task]\nzero_shot = '''\none\ntwo\n'''\n",
        )
        .unwrap();
        assert_eq!(zero_shot(&wording, "qa"), None);
        assert_eq!(zero_shot(&wording, "ds").as_deref(), Some("one\ntwo"));
    }

    #[test]
    fn an_empty_file_changes_nothing() {
        assert_eq!(Wording::from_toml_str("").unwrap(), Wording::builtin());
    }

    #[test]
    fn every_mistake_names_its_line_and_key_and_what_to_do() {
        insta::assert_snapshot!(
            "mistakes",
            [
                "title = 'x'",
                "# first\n[qa.few_shot]\nzero_shot = 'x'",
                "[qa.shared_instruction]\n\nzero_shott = 'x'",
                "[qa.shared_instruction]\nzero_shot = 3",
                "[qa]\nshared_instruction = 'x'",
                "[labels]\nanswers = 'x'",
                "[labels]\nanswer = 'Answer: '",
                "[labels]\nanswer = ''",
                "[qa.task]\nzero_shot = 'x'\n[qa.task_specific]\nzero_shot = 'y'",
                "[qa.task]\nzero_shot = no quotes",
                "[qa.task]\nzero_shot = 'x'\n[qa.task]\n",
            ]
            .map(message)
            .join("\n\n")
        );
    }

    #[test]
    fn a_file_is_named_in_its_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        assert!(matches!(
            Wording::from_toml(&path),
            Err(PromptError::WordingUnreadable { .. })
        ));
        std::fs::write(&path, "[qa.base]\nx = 1").unwrap();
        let error = Wording::from_toml(&path).unwrap_err().to_string();
        assert!(error.contains("mine.toml, line 2: `qa.base.x`"), "{error}");
    }
}
