//! The settings file as it is written: sections of keys and values, each with its line.

use std::path::Path;

use clap::Command;
use sureness_bench::Failure;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::flags;

/// The section whose keys hold for every command.
pub(super) const DEFAULTS: &str = "defaults";
/// Sections of named groups of flags, which runs and gates take over with `use`.
pub(super) const GROUPS: [&str; 6] = [
    "models",
    "servers",
    "tasks",
    "data",
    "prompts",
    "statistics",
];
/// The section of named runs.
pub(super) const RUNS: &str = "runs";
/// The section of named gates.
pub(super) const GATES: &str = "gates";
/// The key that takes groups over.
const USE: &str = "use";
/// What stands for today's date in a string.
const DATE: &str = "{date}";

/// A settings file.
#[derive(Debug)]
pub(crate) struct SettingsFile {
    /// Its path as messages name it.
    pub(super) name: String,
    pub(super) tables: Vec<Table>,
}

/// A table of settings.
#[derive(Debug)]
pub(super) struct Table {
    /// Its section, such as `runs`.
    pub(super) section: String,
    /// Its name in the section; empty for the defaults.
    pub(super) name: String,
    pub(super) line: usize,
    /// The groups that it takes over, with the line that names them.
    pub(super) uses: Vec<(String, usize)>,
    pub(super) entries: Vec<Entry>,
}

impl Table {
    /// As it stands in the file, between brackets.
    pub(super) fn title(&self) -> String {
        match self.name.as_str() {
            "" => self.section.clone(),
            name => format!("{}.{name}", self.section),
        }
    }
}

/// One setting.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// The long name of the flag, without hyphens before it.
    pub(super) key: String,
    pub(super) value: Value,
    pub(super) line: usize,
}

/// The value of a setting.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Switch(bool),
    Words(Vec<String>),
}

type Node<'a> = Spanned<DeValue<'a>>;

/// Reads a settings file and checks every key in it.
///
/// # Errors
///
/// If the file cannot be read or is not TOML, or if it has a section, a key or a kind of value that is
/// unknown, or a secret.
pub(super) fn read(root: &Command, path: &Path, today: &str) -> Result<SettingsFile, Failure> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::new(format!("cannot read the settings file {name}: {error}"))
            .hint("check the path, and that the file is readable UTF-8 text")
    })?;
    Reader {
        root,
        text: &text,
        name,
        today,
    }
    .file()
}

struct Reader<'a> {
    /// The command line, whose flags are the keys.
    root: &'a Command,
    text: &'a str,
    name: String,
    today: &'a str,
}

impl Reader<'_> {
    fn file(self) -> Result<SettingsFile, Failure> {
        let root = DeTable::parse(self.text).map_err(|error| {
            let place = error.span().map_or(0, |span| span.start);
            let message = error.message().trim().replace('\n', "; ");
            self.error(
                place,
                &format!("not valid TOML: {message}"),
                "docs/settings.md has a file to start from",
            )
        })?;
        let mut tables = Vec::new();
        for (section, node) in in_order(root.get_ref()) {
            let (place, section) = (section.span().start, section.get_ref().as_ref());
            match node.get_ref() {
                DeValue::Table(keys) if section == DEFAULTS => {
                    tables.push(self.table(place, section, "", keys)?);
                }
                DeValue::Table(named) if sections().any(|known| known == section) => {
                    for (name, node) in in_order(named) {
                        let place = name.span().start;
                        let DeValue::Table(keys) = node.get_ref() else {
                            return Err(self.without_name(place, section, name.get_ref()));
                        };
                        tables.push(self.table(place, section, name.get_ref(), keys)?);
                    }
                }
                DeValue::Table(_) => return Err(self.unknown_section(place, section)),
                _ => return Err(self.outside_sections(place, section)),
            }
        }
        Ok(SettingsFile {
            name: self.name,
            tables,
        })
    }

    fn table(
        &self,
        place: usize,
        section: &str,
        name: &str,
        keys: &DeTable<'_>,
    ) -> Result<Table, Failure> {
        let mut table = Table {
            section: section.to_owned(),
            name: name.to_owned(),
            line: self.line(place),
            uses: Vec::new(),
            entries: Vec::new(),
        };
        let title = table.title();
        for (key, node) in in_order(keys) {
            let place = key.span().start;
            let key = key.get_ref().replace('_', "-");
            if key == USE && (section == RUNS || section == GATES) {
                let line = self.line(place);
                let names = self.words(place, &key, node)?;
                table.uses = names.into_iter().map(|name| (name, line)).collect();
                continue;
            }
            flags::check_key(self.root, section, &key).map_err(|wrong| {
                self.error(place, &format!("[{title}]: {}", wrong.what), &wrong.to_do)
            })?;
            if let Some(first) = table.entries.iter().find(|entry| entry.key == key) {
                let what = format!("[{title}]: {key} is already set in line {}", first.line);
                return Err(self.error(place, &what, "keep one of the two lines"));
            }
            table.entries.push(Entry {
                value: self.value(place, &key, node)?,
                line: self.line(place),
                key,
            });
        }
        Ok(table)
    }

    fn value(&self, place: usize, key: &str, node: &Node<'_>) -> Result<Value, Failure> {
        match node.get_ref() {
            DeValue::Boolean(switch) => Ok(Value::Switch(*switch)),
            DeValue::Table(table) => {
                let mut words = Vec::new();
                for (name, node) in in_order(table) {
                    let word = self.word(name.span().start, key, node)?;
                    words.push(format!("{}={word}", name.get_ref()));
                }
                Ok(Value::Words(words))
            }
            _ => self.words(place, key, node).map(Value::Words),
        }
    }

    fn words(&self, place: usize, key: &str, node: &Node<'_>) -> Result<Vec<String>, Failure> {
        match node.get_ref() {
            DeValue::Array(items) => items
                .iter()
                .map(|item| self.word(item.span().start, key, item))
                .collect(),
            _ => Ok(vec![self.word(place, key, node)?]),
        }
    }

    fn word(&self, place: usize, key: &str, node: &Node<'_>) -> Result<String, Failure> {
        let word = match node.get_ref() {
            DeValue::String(text) => text.replace(DATE, self.today),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_owned(),
            DeValue::Float(number) => number.as_str().to_owned(),
            _ => {
                return Err(self.error(
                    place,
                    &format!("`{key}` has a value that is neither text nor a number"),
                    "give text in quotes, a number, true or false, a list of these, or a table where the flag \
                     takes NAME=VALUE",
                ));
            }
        };
        if flags::holds_credentials(&word) {
            return Err(self.error(
                place,
                &format!("`{key}` has an address with credentials"),
                "give the address alone, and name the environment variable of the key: api-key-env = \"NAME\"",
            ));
        }
        Ok(word)
    }

    fn unknown_section(&self, place: usize, section: &str) -> Failure {
        let known: Vec<&str> = sections().collect();
        let nearest = flags::nearest(section, known.iter().copied());
        let hint = match nearest {
            Some(nearest) => format!("did you mean [{nearest}]?"),
            None => format!(
                "put flags under [{DEFAULTS}], or under a name, as in [{RUNS}.nightly]; sections are {}",
                known.join(", ")
            ),
        };
        self.error(place, &format!("`{section}` is not a section"), &hint)
    }

    fn outside_sections(&self, place: usize, key: &str) -> Failure {
        let what = if sections().any(|known| known == key) {
            "is a section, and has no table here"
        } else {
            "stands outside any section"
        };
        self.error(
            place,
            &format!("`{key}` {what}"),
            &format!("put flags under [{DEFAULTS}], or under a name, as in [{RUNS}.nightly]"),
        )
    }

    fn without_name(&self, place: usize, section: &str, key: &str) -> Failure {
        self.error(
            place,
            &format!("[{section}]: `{key}` stands there without a name"),
            &format!("put it under one, as in [{section}.my-name]"),
        )
    }

    fn error(&self, place: usize, what: &str, hint: &str) -> Failure {
        Failure::new(format!("{}, line {}: {what}", self.name, self.line(place))).hint(hint)
    }

    /// Line of a byte offset, from 1.
    fn line(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().iter().take(offset);
        1 + before.filter(|&&byte| byte == b'\n').count()
    }
}

/// The keys of a table in the order in which they are written.
fn in_order<'t, 'a>(table: &'t DeTable<'a>) -> Vec<(&'t Spanned<DeString<'a>>, &'t Node<'a>)> {
    let mut nodes: Vec<_> = table.iter().collect();
    nodes.sort_by_key(|(key, _)| key.span().start);
    nodes
}

/// All sections.
pub(super) fn sections() -> impl Iterator<Item = &'static str> {
    [DEFAULTS, RUNS, GATES].into_iter().chain(GROUPS)
}
