//! What was named for an analysis, and what of it is selected.

use sureness_analysis::GroupId;

use super::selection::{is_strategy, is_task};
use super::{Loaded, Selection};
use crate::error::Failure;

/// Tasks and prompt strategies of everything that was named, selected or not.
#[derive(Default)]
pub(super) struct Offered {
    groups: Vec<GroupId>,
    /// Names of models whose files were left out.
    others: Vec<String>,
    /// Why open questions cannot be read, by model and task.
    pub(super) unread: Vec<String>,
}

impl Offered {
    /// Adds a group; returns whether it is selected.
    pub(super) fn takes(&mut self, selection: &Selection, group: &GroupId) -> bool {
        if !self.groups.contains(group) {
            self.groups.push(group.clone());
        }
        selection.wants(group)
    }

    /// Adds the model of a file; returns whether it is selected.
    pub(super) fn takes_model(&mut self, selection: &Selection, name: &str) -> bool {
        let takes = selection.wants_model(name);
        if !takes && !self.others.iter().any(|other| other == name) {
            self.others.push(name.to_owned());
        }
        takes
    }

    /// The hint where nothing is selected.
    fn hint(&self) -> String {
        if self.groups.is_empty() {
            return "analyse a run that has answers".to_owned();
        }
        format!(
            "change --tasks or --prompt-strategies: the tasks are {}, the strategies {}",
            listed(self.groups.iter().map(|group| &*group.task)),
            listed(self.groups.iter().map(|group| &*group.strategy))
        )
    }

    /// Warnings about tasks and strategies that are selected, or whose data are given, and not there.
    pub(super) fn warnings<'a>(
        &self,
        selection: &Selection,
        data: impl Iterator<Item = &'a str>,
    ) -> Vec<String> {
        let absent = |name: &str, is: fn(&str, &GroupId) -> bool| {
            !self.groups.iter().any(|group| is(name, group))
        };
        let tasks = selection.tasks.iter().filter(|name| absent(name, is_task));
        let strategies = selection.strategies.iter();
        let strategies = strategies.filter(|name| absent(name, is_strategy));
        let data = data.filter(|name| absent(name, is_task));
        tasks
            .map(|name| format!("--tasks {name} names nothing here"))
            .chain(data.map(|name| format!("--data {name}=… names nothing here")))
            .chain(strategies.map(|name| format!("--prompt-strategies {name} names nothing here")))
            .collect()
    }
}

/// Different names, in order of appearance.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut listed: Vec<&str> = Vec::new();
    for name in names {
        if !listed.contains(&name) {
            listed.push(name);
        }
    }
    listed.join(", ")
}

/// Drops models without a selected group, and models that are not selected.
pub(super) fn filter(
    selection: &Selection,
    offered: &Offered,
    loaded: &mut Loaded,
) -> Result<(), Failure> {
    let models = &mut loaded.evidence.models;
    models.retain_mut(|model| {
        model.groups.retain(|group| group.planned > 0);
        !model.groups.is_empty()
    });
    let open = &mut loaded.evidence.open;
    let is_empty = models.is_empty() && open.is_empty();
    if let Some(reason) = offered.unread.first().filter(|_| is_empty) {
        return Err(
            Failure::new(format!("nothing is left to analyse; {reason}"))
                .hint("name the data of open questions, which hold the accepted answers"),
        );
    }
    if is_empty && offered.others.is_empty() {
        return Err(Failure::new("nothing is left to analyse").hint(offered.hint()));
    }
    for wanted in &selection.models {
        let lower = wanted.to_lowercase();
        let names = models.iter().map(|model| &*model.name);
        let names = names.chain(open.iter().map(|model| &*model.name));
        if !names
            .clone()
            .any(|name| name.to_lowercase().contains(&lower))
        {
            let others = offered.others.iter().map(String::as_str);
            return Err(Failure::new(format!("no model name contains {wanted:?}"))
                .hint(format!("choose among {}", listed(names.chain(others)))));
        }
    }
    models.retain(|model| selection.wants_model(&model.name));
    open.retain(|model| selection.wants_model(&model.name));
    let left_out = offered.unread.iter();
    let left_out = left_out.map(|reason| format!("open questions are left out; {reason}"));
    loaded.warnings.extend(left_out);
    Ok(())
}
