//! Bars on a terminal: one for the run, one per task, one per active strategy.

use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::View;
use super::lines::status;
use super::state::State;

pub(super) struct Bars {
    multi: MultiProgress,
    run: ProgressBar,
    tasks: Vec<(String, ProgressBar)>,
    groups: Vec<Option<ProgressBar>>,
}

impl Bars {
    /// Adds bars below existing ones.
    pub(super) fn new(multi: MultiProgress, state: &State) -> Self {
        let run = multi.add(ProgressBar::new(state.totals().planned as u64));
        // The length is the most that is asked, and not what is left to wait for.
        let most = if state.may_stop_early { "≤" } else { "" };
        run.set_style(style(&format!(
            "{{prefix:<30.bold}} {{bar:24}} {{pos:>6}}/{most}{{len:<6}} {{msg}}"
        )));
        run.set_prefix(truncated(&state.model, 30));
        let mut tasks: Vec<(String, ProgressBar)> = Vec::new();
        for group in &state.groups {
            if tasks.iter().any(|(id, _)| *id == group.task) {
                continue;
            }
            let planned = state.task(&group.task).planned;
            let bar = multi.add(ProgressBar::new(planned as u64));
            bar.set_style(style(&format!(
                "  {{prefix:<28}} {{bar:24}} {{pos:>6}}/{most}{{len:<6}} {{msg}}"
            )));
            bar.set_prefix(truncated(&group.title, 28));
            tasks.push((group.task.clone(), bar));
        }
        // Draws the bars before the first answer.
        run.tick();
        for (_, bar) in &tasks {
            bar.tick();
        }
        Self {
            multi,
            run,
            tasks,
            groups: vec![None; state.groups.len()],
        }
    }
}

impl View for Bars {
    fn interval(&self) -> Duration {
        Duration::from_millis(100)
    }

    fn draw(&mut self, state: &State, now: Instant) {
        let totals = state.totals();
        self.run.set_position(totals.done() as u64);
        self.run.set_message(status(state, &totals, now));
        for (task, bar) in &self.tasks {
            let counts = state.task(task);
            bar.set_position(counts.done() as u64);
            if counts.failed > 0 {
                bar.set_message(format!("{} failed", counts.failed));
            }
        }
        for (group, slot) in state.groups.iter().zip(&mut self.groups) {
            let counts = group.counts;
            // A strategy has a bar from its first request to its last answer. Remote workers get
            // their questions long before they ask them, so there it begins with the first answer.
            let begun = match state.workers {
                Some(_) => counts.done() > counts.cached,
                None => group.started.is_some(),
            };
            if !begun || counts.done() >= counts.planned {
                if let Some(bar) = slot.take() {
                    bar.finish_and_clear();
                }
                continue;
            }
            let bar = slot.get_or_insert_with(|| {
                let task = self.tasks.iter().find(|(id, _)| *id == group.task);
                let after = task.map_or(&self.run, |(_, bar)| bar);
                let bar = ProgressBar::new(counts.planned as u64);
                let bar = self.multi.insert_after(after, bar);
                bar.set_style(style(
                    "    {prefix:<26} {bar:24.dim} {pos:>6}/{len:<6} {msg}",
                ));
                bar.set_prefix(group.strategy.clone());
                bar
            });
            bar.set_position(counts.done() as u64);
            let mut message = Vec::new();
            if state.workers.is_none() {
                message.push(format!("{} in flight", counts.in_flight));
            }
            if counts.failed > 0 {
                message.push(format!("{} failed", counts.failed));
            }
            bar.set_message(message.join(", "));
        }
    }

    fn finish(&mut self, _: &State) {
        let tasks = self.tasks.iter().map(|(_, bar)| bar);
        for bar in tasks.chain(self.groups.iter().flatten()).chain([&self.run]) {
            bar.finish_and_clear();
            self.multi.remove(bar);
        }
    }
}

/// The first `width` characters.
fn truncated(text: &str, width: usize) -> String {
    text.chars().take(width).collect()
}

/// A bar's style. All templates are constants that parse; the fallback only avoids a panic.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}
