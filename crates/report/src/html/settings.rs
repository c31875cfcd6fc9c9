//! Settings of the document, as the template shows them.

use serde::Serialize;
use serde_json::Value;

/// Deeper values are shown as JSON.
const DEEPEST: usize = 6;

/// A value of the settings, as `templates/settings.html` shows it.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Entry {
    /// Names and values.
    Fields(Vec<(String, Entry)>),
    /// Items, each under its name.
    List(Vec<(String, Entry)>),
    /// Commands, each on a line of its own that one click selects.
    Commands(Vec<String>),
    /// Texts of several lines, or JSON.
    Code(Vec<String>),
    /// A word or a number.
    Text(String),
}

impl Entry {
    /// Settings as lists of names and values.
    pub(super) fn new(settings: &Value) -> Self {
        Self::at(settings, 0)
    }

    fn at(value: &Value, depth: usize) -> Self {
        match value {
            Value::Object(fields) if depth < DEEPEST => {
                let field = |(name, value): (&String, &Value)| {
                    let is_command = matches!(name.as_str(), "command" | "commands");
                    let entry = is_command.then(|| commands(value)).flatten();
                    let entry = entry.unwrap_or_else(|| Self::at(value, depth + 1));
                    (name.replace('_', " "), entry)
                };
                Self::Fields(fields.iter().map(field).collect())
            }
            Value::Array(items) if items.iter().any(|i| i.is_object() || i.is_array()) => {
                if depth >= DEEPEST {
                    return Self::Code(items.iter().map(Value::to_string).collect());
                }
                let item = |(at, item): (usize, &Value)| {
                    let name = name_of(item).unwrap_or_else(|| (at + 1).to_string());
                    (name, Self::at(item, depth + 1))
                };
                Self::List(items.iter().enumerate().map(item).collect())
            }
            Value::Array(items) if items.is_empty() => Self::Text("none".to_owned()),
            Value::Array(items) => {
                let texts: Vec<String> = items.iter().map(plain).collect();
                Self::Text(texts.join(", "))
            }
            Value::String(text) if text.contains('\n') => Self::Code(vec![text.clone()]),
            Value::Object(_) => Self::Code(vec![value.to_string()]),
            _ => Self::Text(plain(value)),
        }
    }
}

/// One command or several; `None` where the value is something else.
fn commands(value: &Value) -> Option<Entry> {
    let commands = match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().map(plain).collect()
        }
        _ => return None,
    };
    Some(Entry::Commands(commands))
}

/// What an item of a list is called.
fn name_of(item: &Value) -> Option<String> {
    ["name", "model", "title", "id", "path"]
        .iter()
        .find_map(|field| item.get(field)?.as_str().map(str::to_owned))
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "not set".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => short(number),
        _ => value.to_string(),
    }
}

/// A number without the last digits of a calculation: 0.15, not 0.15000000000000002.
fn short(number: &serde_json::Number) -> String {
    let rounded = number
        .as_f64()
        .and_then(|x| format!("{x:.12e}").parse::<f64>().ok());
    rounded.map_or_else(|| number.to_string(), |x| x.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(text: &str) -> Entry {
        Entry::Text(text.to_owned())
    }

    #[test]
    fn settings_are_readable() {
        let entry = Entry::new(&json!({
            "command": "sureness compare <a> b",
            "error_rate": 0.1,
            "seeds": [1, 2],
            "alphas": [3.0 * 0.05, 0.2, 1e-9],
            "models": [{"name": "</dl>", "sampled": false, "limit": null}],
        }));
        let field = |name: &str, entry: Entry| (name.to_owned(), entry);
        let model = Entry::Fields(vec![
            field("name", text("</dl>")),
            field("sampled", text("no")),
            field("limit", text("not set")),
        ]);
        let expected = Entry::Fields(vec![
            field(
                "command",
                Entry::Commands(vec!["sureness compare <a> b".to_owned()]),
            ),
            field("error rate", text("0.1")),
            field("seeds", text("1, 2")),
            field("alphas", text("0.15, 0.2, 0.000000001")),
            field("models", Entry::List(vec![field("</dl>", model)])),
        ]);
        assert_eq!(entry, expected);
    }

    #[test]
    fn deep_settings_end_as_json() {
        let mut value = json!({"bottom": 1});
        for _ in 0..100 {
            value = json!({ "down": value });
        }
        let mut entry = &Entry::new(&value);
        let mut depth = 0;
        while let Entry::Fields(fields) = entry {
            entry = &fields[0].1;
            depth += 1;
        }
        assert_eq!(depth, DEEPEST);
        assert!(matches!(entry, Entry::Code(code) if code[0].contains("\"bottom\":1")));
    }
}
