//! Settings of runs, side by side.

use std::collections::BTreeMap;

use serde_json::Value;
use sureness_analysis::{Cell, Column, Section, Table};
use sureness_record::Recorded;
use sureness_store::RunInfo;

/// Longest value that is shown, in characters.
const LONGEST: usize = 120;
/// Runs beside each other at the most, the newest ones.
const MOST_RUNS: usize = 8;

/// The settings of one run.
pub(super) fn of_run(info: &RunInfo) -> Section {
    let mut section = beside(&[("Value".to_owned(), info)]);
    "Settings".clone_into(&mut section.title);
    section.text.clear();
    section
}

/// The settings of runs, those that differ first. Each run has a name for its column.
pub(super) fn beside(runs: &[(String, &RunInfo)]) -> Section {
    let shown = &runs[runs.len().saturating_sub(MOST_RUNS)..];
    let settings: Vec<BTreeMap<String, String>> = shown.iter().map(|(_, run)| flat(run)).collect();
    let mut keys: Vec<&String> = settings.iter().flat_map(BTreeMap::keys).collect();
    keys.sort();
    keys.dedup();
    let differs = |key: &&&String| {
        let mut values = settings.iter().map(|of_run| of_run.get(**key));
        let first = values.next().flatten();
        values.any(|value| value != first)
    };
    let (different, same): (Vec<&String>, Vec<&String>) = keys.iter().partition(|key| differs(key));
    let row = |key: &&String| {
        let values = settings.iter().map(|of_run| of_run.get(*key));
        let cells = values.map(|value| Cell::text(value.map_or("–", String::as_str)));
        std::iter::once(Cell::text(*key)).chain(cells).collect()
    };
    let rules_after = match (different.len(), same.len()) {
        (0, _) | (_, 0) => Vec::new(),
        (different, _) => vec![different - 1],
    };
    let text = match (runs.len() - shown.len(), different.len()) {
        _ if shown.len() < 2 => String::new(),
        (0, 0) => "These runs have the same settings.".to_owned(),
        (0, _) => "Settings that differ come first.".to_owned(),
        (_, 0) => format!("The {MOST_RUNS} newest runs have the same settings."),
        _ => format!("The {MOST_RUNS} newest runs; settings that differ come first."),
    };
    Section {
        id: "settings".to_owned(),
        title: "Settings side by side".to_owned(),
        text: vec![text],
        tables: vec![Table {
            title: "Setting by setting".to_owned(),
            id: "settings".to_owned(),
            columns: std::iter::once("Setting")
                .chain(shown.iter().map(|(name, _)| name.as_str()))
                .enumerate()
                .map(|(at, name)| Column::text(&format!("c{at}"), name))
                .collect(),
            rows: different.iter().chain(&same).map(row).collect(),
            rules_after,
            ..Table::default()
        }],
        ..Section::default()
    }
}

/// Every setting of a run and its model by the path of its name, such as `evaluation.alpha`.
fn flat(run: &RunInfo) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let value = |value: serde_json::Result<Value>| value.unwrap_or(Value::Null);
    flatten(
        "model",
        &value(serde_json::to_value(&run.model)),
        &mut found,
    );
    let settings = match &run.settings {
        Recorded::Run(settings) => value(serde_json::to_value(settings)),
        Recorded::Import(import) => value(serde_json::to_value(import)),
    };
    flatten("", &settings, &mut found);
    found
}

fn flatten(path: &str, value: &Value, found: &mut BTreeMap<String, String>) {
    let below = |name: &str| match path {
        "" => name.to_owned(),
        _ => format!("{path}.{name}"),
    };
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (name, value) in fields {
                flatten(&below(name), value, found);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (at, item) in items.iter().enumerate() {
                let task = item.get("task").and_then(Value::as_str);
                let name = task.map_or_else(|| (at + 1).to_string(), str::to_owned);
                flatten(&below(&name), item, found);
            }
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(plain).collect();
            found.insert(path.to_owned(), short(&items.join(", ")));
        }
        other => {
            found.insert(path.to_owned(), short(&plain(other)));
        }
    }
}

/// A value as people read it; of a digest, the beginning.
fn plain(value: &Value) -> String {
    let is_digest = |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    match value.as_str() {
        Some(text) if is_digest(text) => format!("{}…", &text[..16]),
        Some(text) => text.to_owned(),
        None => value.to_string(),
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}
