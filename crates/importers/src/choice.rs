//! Which tasks and questions an import takes.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::imported::Options;
use crate::{ImportError, Problem};

/// The tasks and questions that the options choose. Remembers which of their names fitted something,
/// since one that names nothing is most likely a mistake.
pub(crate) struct Choice<'a> {
    options: &'a Options,
    /// All names of tasks.
    tasks: RefCell<BTreeSet<String>>,
    /// Ids to drop that named a question.
    dropped: RefCell<BTreeSet<String>>,
    /// Some ids of questions, for the hint.
    ids: RefCell<BTreeSet<String>>,
}

/// How many ids a hint names.
const EXAMPLES: usize = 4;

impl<'a> Choice<'a> {
    pub(crate) fn new(options: &'a Options) -> Self {
        Self {
            options,
            tasks: RefCell::default(),
            dropped: RefCell::default(),
            ids: RefCell::default(),
        }
    }

    /// Whether a task is chosen by any of its names.
    pub(crate) fn wants(&self, names: &[&str]) -> bool {
        self.remember(names);
        let Options { tasks, skip, .. } = self.options;
        (tasks.is_empty() || lists(tasks, names)) && !lists(skip, names)
    }

    /// Whether a task whose group is not known yet may be chosen: by one of its names, or by a group
    /// whose name begins the task's.
    pub(crate) fn may_want(&self, names: &[&str], task: &str) -> bool {
        let groups = task
            .match_indices('_')
            .filter_map(|(end, _)| task.get(..end));
        let possible: Vec<&str> = names.iter().copied().chain(groups).collect();
        let Options { tasks, skip, .. } = self.options;
        let wanted = (tasks.is_empty() || lists(tasks, &possible)) && !lists(skip, names);
        if !wanted {
            self.remember(names);
        }
        wanted
    }

    fn remember(&self, names: &[&str]) {
        let mut tasks = self.tasks.borrow_mut();
        tasks.extend(names.iter().map(|name| (*name).to_owned()));
    }

    /// Whether a question is dropped by any of its ids.
    pub(crate) fn drops(&self, ids: &[&str]) -> bool {
        let Some(drop) = &self.options.drop_ids else {
            return false;
        };
        let mut examples = self.ids.borrow_mut();
        if examples.len() < EXAMPLES {
            examples.extend(ids.iter().map(|id| (*id).to_owned()));
        }
        let mut dropped = self.dropped.borrow_mut();
        let named: Vec<String> = ids
            .iter()
            .filter(|id| drop.contains(**id))
            .map(|id| (*id).to_owned())
            .collect();
        let any = !named.is_empty();
        dropped.extend(named);
        any
    }

    /// An error for each list with names that fitted nothing.
    pub(crate) fn unused(&self) -> Vec<ImportError> {
        let tasks = self.tasks.borrow();
        let mut errors = Vec::new();
        for (flag, list) in [
            ("--tasks", &self.options.tasks),
            ("--skip", &self.options.skip),
        ] {
            let unknown = list
                .iter()
                .filter(|pattern| !tasks.iter().any(|task| fits(pattern, task)));
            let unknown: Vec<&str> = unknown.map(String::as_str).collect();
            if !unknown.is_empty() {
                errors.push(Problem::UnknownNames {
                    flag,
                    what: "task",
                    names: unknown.join(", "),
                    known: some(&tasks),
                });
            }
        }
        let dropped = self.dropped.borrow();
        let wanted: BTreeSet<&String> = self.options.drop_ids.iter().flatten().collect();
        let unknown: Vec<&str> = wanted
            .into_iter()
            .filter(|id| !dropped.contains(*id))
            .map(String::as_str)
            .collect();
        if !unknown.is_empty() {
            errors.push(Problem::UnknownNames {
                flag: "--drop-ids",
                what: "question",
                names: unknown.join(", "),
                known: some(&self.ids.borrow()),
            });
        }
        errors
            .into_iter()
            .map(|problem| problem.of(std::path::Path::new("")))
            .collect()
    }
}

/// The note on questions that `--drop-ids` left out.
pub(crate) fn left_out(count: usize) -> Option<String> {
    let questions = if count == 1 { "question" } else { "questions" };
    (count > 0).then(|| format!("left out {count} {questions} (--drop-ids)"))
}

/// Whether a list of patterns has one for any of the names.
fn lists(patterns: &[String], names: &[&str]) -> bool {
    let mut patterns = patterns.iter();
    patterns.any(|pattern| names.iter().any(|name| fits(pattern, name)))
}

fn some(names: &BTreeSet<String>) -> String {
    let shown: Vec<&str> = names.iter().take(12).map(String::as_str).collect();
    let more = if names.len() > shown.len() {
        ", …"
    } else {
        ""
    };
    format!("{}{more}", shown.join(", "))
}

/// Whether a name is the pattern, or begins with it up to a star at its end.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name
            .get(..beginning.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(beginning)),
        None => name.eq_ignore_ascii_case(pattern),
    }
}
