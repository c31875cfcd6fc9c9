//! What is said about the questions of a run before they are asked.

use sureness_analysis::number::{count, counted};
use sureness_record::TaskRecord;

use super::{Ordering, Questions, orders};

impl Questions {
    /// Notes on the data: rows that repeat others, options that abstain, keys and columns that are not
    /// read, examples that are not shown.
    pub(crate) fn notes(&self) -> impl Iterator<Item = String> {
        let files = self.note_unread().into_iter().chain(self.note_unshown());
        let orders = self.orders.iter().filter_map(Ordering::note);
        self.remarks.iter().cloned().chain(orders).chain(files)
    }

    /// Names the keys and columns of the files that are not read; `None` without such.
    fn note_unread(&self) -> Option<String> {
        let tasks = self.unread.iter().filter(|(_, unread)| !unread.is_empty());
        let tasks: Vec<_> = tasks
            .map(|(task, unread)| format!("{unread} of {task}"))
            .collect();
        (!tasks.is_empty()).then(|| format!("not read from the data: {}", tasks.join("; ")))
    }

    /// Says which few-shot examples are not shown; `None` without such.
    fn note_unshown(&self) -> Option<String> {
        let tasks = self.unshown.iter();
        let tasks: Vec<_> = tasks
            .map(|(task, examples)| format!("{} of {task}", counted(*examples, "few-shot example")))
            .collect();
        (!tasks.is_empty()).then(|| {
            format!(
                "not shown, since a prompt shows one right answer and these have several: {}",
                tasks.join(", ")
            )
        })
    }

    /// A text with one line per task.
    pub(crate) fn describe(&self) -> String {
        let mut text = format!(
            "{}: {}",
            counted(self.plan.answers() / self.plan.draws_each(), "question"),
            counted(self.tasks.len(), "task"),
        );
        if self.open.len() < self.tasks.len() {
            let strategies = counted(self.strategies.len(), "prompt strategy");
            text.push_str(&format!(" × {strategies}"));
            if !self.open.is_empty() && self.strategies.len() > 1 {
                text.push_str(", open questions in one");
            }
        }
        text.push_str(&orders::describe(&self.orders));
        let widths = self.tasks.iter().map(|d| d.task.chars().count());
        let width = widths.max().unwrap_or(0);
        for d in &self.tasks {
            let of = if d.questions < d.available {
                format!(" of {}", count(d.available))
            } else {
                String::new()
            };
            let split = self.splits.get(&d.task);
            let split =
                split.map_or_else(String::new, |split| format!(" (split {})", split.name()));
            let several = match self.several.get(&d.task) {
                Some(0) | None => String::new(),
                Some(several) => format!(", {} with several right answers", count(*several)),
            };
            text.push_str(&format!(
                "\n  {:<width$}  {}{of} questions from {}{split}{several}, {}",
                d.task,
                count(d.questions),
                d.source,
                counted(d.shots, "few-shot example")
            ));
        }
        if let Some(shard) = self.shard {
            let ways = |task: &TaskRecord| {
                if self.open.contains(&task.task) {
                    1
                } else {
                    self.strategies.len()
                }
            };
            let all: usize = self.tasks.iter().map(|it| it.questions * ways(it)).sum();
            text.push_str(&format!(
                "\n  this is shard {shard}: {} of {}",
                count(self.as_they_are()),
                count(all)
            ));
        }
        text
    }

    /// How many questions are asked as they are, counted once per strategy.
    fn as_they_are(&self) -> usize {
        let groups = self.plan.groups.iter();
        let first = groups.filter(|group| group.order.is_none_or(|order| order.get() == 1));
        first.map(|group| group.questions.len()).sum()
    }
}
