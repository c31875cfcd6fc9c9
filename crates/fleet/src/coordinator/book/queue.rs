//! The questions that wait to be published.

use std::collections::VecDeque;
use std::sync::Arc;

use sureness_scorers::RequestKey;

use crate::names::group_name;

#[derive(Debug, Default)]
pub(super) struct Queue {
    /// In the order in which their first question was asked.
    pub(super) groups: Vec<Group>,
    /// Questions that failed and should go to another worker.
    failed: VecDeque<RequestKey>,
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: String,
    prefix: Arc<str>,
    /// Whether workers can look up the prefix.
    described: bool,
    keys: VecDeque<RequestKey>,
}

/// One line of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Failed,
    Group(usize),
}

impl Queue {
    /// The index of the group with this prefix.
    pub(super) fn group(&mut self, prefix: &Arc<str>) -> usize {
        // The same text is the same allocation, nearly always.
        let same = |group: &Group| Arc::ptr_eq(&group.prefix, prefix);
        if let Some(index) = self.groups.iter().rposition(same) {
            return index;
        }
        let name = group_name(prefix);
        if let Some(index) = self.groups.iter().position(|group| group.name == name) {
            return index;
        }
        self.groups.push(Group {
            name,
            prefix: Arc::clone(prefix),
            described: false,
            keys: VecDeque::new(),
        });
        self.groups.len() - 1
    }

    /// The group's prefix, the first time only: then workers can look it up.
    pub(super) fn describe(&mut self, group: usize) -> Option<Arc<str>> {
        let group = &mut self.groups[group];
        let described = std::mem::replace(&mut group.described, true);
        (!described).then(|| Arc::clone(&group.prefix))
    }

    pub(super) fn line(&mut self, line: Line) -> &mut VecDeque<RequestKey> {
        match line {
            Line::Failed => &mut self.failed,
            Line::Group(group) => &mut self.groups[group].keys,
        }
    }

    /// The first question and its line; failed questions come first.
    pub(super) fn first(&self) -> Option<(Line, RequestKey)> {
        if let Some(&key) = self.failed.front() {
            return Some((Line::Failed, key));
        }
        let mut groups = self.groups.iter().enumerate();
        groups.find_map(|(group, of)| Some((Line::Group(group), *of.keys.front()?)))
    }

    pub(super) fn len(&self) -> usize {
        let groups: usize = self.groups.iter().map(|group| group.keys.len()).sum();
        groups + self.failed.len()
    }
}
