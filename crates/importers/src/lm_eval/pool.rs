//! Which samples files count, and which become one task.

use std::collections::{BTreeMap, BTreeSet};

use super::part::Part;
use crate::imported::{Model, Values};

/// Keeps the fullest of several evaluations of a task, of equally full ones the newest; returns notes
/// about the others.
pub(super) fn fullest(parts: Vec<Part>) -> (Vec<Part>, Vec<String>) {
    let mut kept: Vec<Part> = Vec::with_capacity(parts.len());
    // Tasks of each pair of evaluations, by what the note says.
    let mut skipped: BTreeMap<(String, &str), Vec<String>> = BTreeMap::new();
    for mut part in parts {
        let key = |part: &Part| {
            let (model, strategy) = (part.model.clone(), part.strategy.clone());
            (model, part.task.clone(), strategy, part.template.clone())
        };
        let wanted = key(&part);
        let Some(other) = kept.iter_mut().find(|other| key(other) == wanted) else {
            kept.push(part);
            continue;
        };
        let size = |part: &Part| part.samples.rows.len();
        if (size(&part), &part.date) > (size(other), &other.date) {
            std::mem::swap(other, &mut part);
        }
        let why = if size(other) > size(&part) {
            "another evaluation of the same task has more questions"
        } else if other.samples.source.digest == part.samples.source.digest {
            "another file has the same content"
        } else {
            "a newer evaluation replaces it"
        };
        let folder = part.path.with_file_name("");
        let key = (format!("{}{}", folder.display(), part.date), why);
        let name = part.samples.source.name.clone();
        skipped.entry(key).or_default().push(name);
    }
    let notes = skipped.into_iter().map(|((_, why), mut names)| {
        names.sort();
        let import = if names.len() == 1 { "it" } else { "them" };
        let names = names.join(", ");
        format!("skipped {names}: {why}; import {import} alone to include {import}")
    });
    (kept, notes.collect())
}

/// Makes chat templates part of the strategy's name where one model was asked with several.
pub(super) fn tell_templates_apart(parts: &mut [Part]) {
    let mut templates: BTreeMap<(Model, String, String), BTreeSet<String>> = BTreeMap::new();
    let key = |part: &Part| {
        let (model, strategy) = (part.model.clone(), part.strategy.clone());
        (model, part.task.clone(), strategy)
    };
    for part in &*parts {
        templates
            .entry(key(part))
            .or_default()
            .insert(part.template.clone());
    }
    let several: BTreeSet<(Model, String)> = templates
        .into_iter()
        .filter(|(_, templates)| templates.len() > 1)
        .map(|((model, _, strategy), _)| (model, strategy))
        .collect();
    for part in parts {
        if several.contains(&(part.model.clone(), part.strategy.clone())) {
            part.strategy.push_str(&part.template);
        }
    }
}

/// What the tasks of a group must agree in: options, rule, shots.
type Kind = (Values, Option<&'static str>, Option<u64>);

/// Takes groups from tasks that do not agree in how they were asked and counted. A group within such
/// a group may still be one task. Returns a note for each group that was taken apart.
pub(super) fn split_groups(parts: &mut [Part]) -> Vec<String> {
    let mut notes = Vec::new();
    loop {
        let mut kinds: BTreeMap<(Model, String, String), BTreeSet<Kind>> = BTreeMap::new();
        for part in &*parts {
            if let Some(group) = part.groups.first() {
                let key = (part.model.clone(), part.strategy.clone(), group.clone());
                kinds.entry(key).or_default().insert(kind(part));
            }
        }
        let mixed = kinds.into_iter().filter(|(_, kinds)| kinds.len() > 1);
        let mixed: BTreeMap<_, _> = mixed.collect();
        if mixed.is_empty() {
            return notes;
        }
        for ((_, _, group), kinds) in &mixed {
            let note = format!(
                "{group}: its tasks stay apart, since they differ in {}",
                differences(kinds)
            );
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        for part in &mut *parts {
            let is_mixed = part.groups.first().is_some_and(|group| {
                mixed.contains_key(&(part.model.clone(), part.strategy.clone(), group.clone()))
            });
            if is_mixed {
                part.groups.remove(0);
            }
        }
    }
}

fn kind(part: &Part) -> Kind {
    let metric = part.samples.metric.map(super::sample::Metric::name);
    (part.samples.values, metric, part.shots())
}

fn differences(kinds: &BTreeSet<Kind>) -> String {
    let first = kinds.first();
    let differ = |same: fn(&Kind, &Kind) -> bool| {
        kinds
            .iter()
            .any(|kind| first.is_some_and(|first| !same(first, kind)))
    };
    let all = [
        ("the kind of options", differ(|a, b| a.0 == b.0)),
        ("the metric", differ(|a, b| a.1 == b.1)),
        ("the number of shots", differ(|a, b| a.2 == b.2)),
    ];
    let differing = all.iter().filter(|(_, differs)| *differs);
    let differing: Vec<&str> = differing.map(|(what, _)| *what).collect();
    differing.join(" and ")
}
