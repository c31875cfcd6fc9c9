//! The JSON Schema of settings files, for editors.

use clap::{Arg, CommandFactory};
use serde_json::{Map, Value, json};

use super::file::{GATES, RUNS, sections};
use super::flags;
use crate::args::Cli;

/// The schema, made from the flags as clap knows them.
pub(crate) fn schema() -> Value {
    let root = Cli::command();
    let of_section = |section: &str| {
        let keys = flags::of_section(&root, section);
        let mut properties: Map<String, Value> = keys
            .iter()
            .map(|arg| (flags::key_of(arg).to_owned(), property(arg)))
            .collect();
        if [RUNS, GATES].contains(&section) {
            let groups = json!({
                "description": "Groups to take over, such as \"servers.local\"; later ones win",
                "type": ["array", "string"], "items": {"type": "string"},
            });
            properties.insert("use".into(), groups);
        }
        json!({"type": "object", "properties": properties, "additionalProperties": false})
    };
    let sections = sections().map(|section| {
        let table = of_section(section);
        let table = match section {
            super::DEFAULTS => table,
            _ => json!({"type": "object", "additionalProperties": table}),
        };
        (section.to_owned(), table)
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "sureness.toml",
        "description": "Settings of sureness: flags of runs and gates under names",
        "type": "object",
        "properties": sections.collect::<Map<String, Value>>(),
        "additionalProperties": false,
    })
}

fn property(arg: &Arg) -> Value {
    let mut property = Map::new();
    if let Some(help) = arg.get_help() {
        property.insert("description".into(), help.to_string().into());
    }
    let many = arg.get_num_args().is_some_and(|many| many.max_values() > 1)
        || matches!(arg.get_action(), clap::ArgAction::Append);
    let fixed = arg.get_possible_values();
    let one = if flags::is_switch(arg) {
        json!({"type": "boolean"})
    } else if fixed.is_empty() {
        json!({"type": ["string", "number", "boolean"]})
    } else {
        let names: Vec<&str> = fixed
            .iter()
            .map(clap::builder::PossibleValue::get_name)
            .collect();
        json!({"enum": names})
    };
    let mut kinds = vec![one.clone()];
    if many {
        kinds.push(json!({"type": "array", "items": one}));
        let has_names = arg
            .get_value_names()
            .is_some_and(|names| names.iter().any(|it| it.contains('=')));
        if has_names {
            let value = json!({"type": ["string", "number"]});
            kinds.push(json!({"type": "object", "additionalProperties": value}));
        }
    }
    if let [kind] = &kinds[..] {
        property.extend(kind.as_object().cloned().unwrap_or_default());
    } else {
        property.insert("anyOf".into(), kinds.into());
    }
    property.into()
}
