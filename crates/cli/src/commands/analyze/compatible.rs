//! Whether runs may be put beside each other.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use sureness_analysis::Evidence;
use sureness_conformal::{Config, Protocol};

use crate::error::CliError;

/// Settings that change what is asked, with what they are called for people.
const ASKED: [(&str, &str); 2] = [
    ("wording", "the wording of the prompts (--prompts)"),
    (
        "abstention",
        "the options \"I don't know\" and \"None of the above\" (--no-abstention)",
    ),
];

/// Refuses runs whose prompts differ; says what else differs. Different questions are no obstacle:
/// comparisons are made on those that all models answered.
pub(super) fn check(evidence: &Evidence, mixed_prompts: bool) -> Result<Vec<String>, CliError> {
    let mut notes = Vec::new();
    for (setting, name) in ASKED {
        let mut values: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for model in &evidence.models {
            let value = &model.source.record["settings"][setting];
            if !value.is_null() {
                values
                    .entry(value.to_string())
                    .or_default()
                    .push(&model.name);
            }
        }
        differing(name, &values, mixed_prompts, &mut notes)?;
    }
    // Shots are set task by task.
    let mut shots: BTreeMap<&str, BTreeMap<String, Vec<&str>>> = BTreeMap::new();
    for model in &evidence.models {
        let tasks = model.source.record["settings"]["tasks"].as_array();
        for task in tasks.into_iter().flatten() {
            if let (Some(id), shot) = (task["task"].as_str(), &task["shots"])
                && !shot.is_null()
            {
                let by_value = shots.entry(id).or_default();
                by_value
                    .entry(shot.to_string())
                    .or_default()
                    .push(&model.name);
            }
        }
    }
    for (task, values) in &shots {
        let name = format!("the number of worked examples of {task} (--shots)");
        differing(&name, values, mixed_prompts, &mut notes)?;
    }
    let chat = evidence
        .models
        .iter()
        .filter(|model| model.source.record["settings"]["chat"] == Value::Bool(true))
        .count();
    if chat > 0 && chat < evidence.models.len() {
        notes.push("some models were asked through their chat template, others were not".into());
    }
    Ok(notes)
}

/// What to tell of runs that were split by another rule. A run keeps its figures under its own rule; an
/// analysis has one for all.
pub(super) fn split_rule(evidence: &Evidence, config: &Config) -> Option<String> {
    if config.protocol == Protocol::Paper {
        return None;
    }
    let old: Vec<&str> = evidence
        .models
        .iter()
        .filter(|model| {
            let evaluation = &model.source.record["settings"]["evaluation"];
            Config::deserialize(evaluation)
                .is_ok_and(|own| own.protocol == Protocol::Standard && own.split != config.split)
        })
        .map(|model| &*model.name)
        .collect();
    (!old.is_empty()).then(|| {
        format!(
            "{} was split by the rule of version 0.1.0; all figures here are computed anew with the \
             rule of today, {}",
            old.join(", "),
            config.split.name()
        )
    })
}

fn differing(
    name: &str,
    values: &BTreeMap<String, Vec<&str>>,
    mixed_prompts: bool,
    notes: &mut Vec<String>,
) -> Result<(), CliError> {
    let mut groups = values.values();
    let (Some(first), Some(second)) = (groups.next(), groups.next()) else {
        return Ok(());
    };
    let message = format!(
        "{} and {} differ in {name}",
        first.join(", "),
        second.join(", ")
    );
    if !mixed_prompts {
        return Err(CliError::input(message).hint(
            "compare runs that were asked alike, or pass --mixed-prompts to put them beside each other all the same",
        ));
    }
    notes.push(message);
    Ok(())
}
