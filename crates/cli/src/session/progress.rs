//! Progress at three levels: run, task, strategy.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use sureness_engine::{Attempt, Event, Plan};

use crate::commands::run::ProgressArg;

/// How often a line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows how far a model's run has come.
#[derive(Clone)]
pub(crate) struct Progress(Arc<Mutex<State>>);

struct State {
    model: String,
    groups: Vec<GroupState>,
    started: Instant,
    last_line: Instant,
    totals: Counts,
    view: View,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    planned: usize,
    cached: usize,
    answered: usize,
    failed: usize,
    retries: usize,
    in_flight: usize,
}

impl Counts {
    fn take(&mut self, event: &Event) {
        match *event {
            Event::Cached { count, .. } => self.cached += count,
            Event::Sent { count, .. } => self.in_flight += count,
            Event::Attempt(Attempt { count, .. }) => {
                self.in_flight = self.in_flight.saturating_sub(count);
            }
            Event::Answered { .. } => self.answered += 1,
            Event::Failed { .. } => self.failed += 1,
            Event::Retrying { count, .. } => self.retries += count,
            Event::EndpointDown { .. }
            | Event::EndpointUp { .. }
            | Event::Outage { .. }
            | Event::Resumed { .. } => {}
        }
    }

    fn done(&self) -> usize {
        self.cached + self.answered + self.failed
    }
}

struct GroupState {
    task: String,
    strategy: &'static str,
    counts: Counts,
    started: Option<Instant>,
}

enum View {
    Nothing,
    Lines,
    Bars {
        multi: MultiProgress,
        run: ProgressBar,
        tasks: Vec<(String, ProgressBar)>,
        groups: Vec<Option<ProgressBar>>,
    },
}

impl Progress {
    /// Ready to take events of `plan`.
    pub(crate) fn new(how: ProgressArg, verbose: bool, model: &str, plan: &Plan) -> Self {
        let bars = match how {
            ProgressArg::Bars => true,
            // Verbose messages and bars would overwrite each other.
            ProgressArg::Auto => std::io::stderr().is_terminal() && !verbose,
            ProgressArg::Plain | ProgressArg::None => false,
        };
        let groups: Vec<GroupState> = plan
            .groups
            .iter()
            .map(|g| GroupState {
                task: g.task.id.clone(),
                strategy: g.strategy.name(),
                counts: Counts {
                    planned: g.questions.len(),
                    ..Counts::default()
                },
                started: None,
            })
            .collect();
        let view = if how == ProgressArg::None {
            View::Nothing
        } else if bars {
            View::bars(model, plan)
        } else {
            View::Lines
        };
        let now = Instant::now();
        let totals = Counts {
            planned: plan.len(),
            ..Counts::default()
        };
        Self(Arc::new(Mutex::new(State {
            model: model.to_owned(),
            groups,
            started: now,
            last_line: now,
            totals,
            view,
        })))
    }

    /// Takes an event.
    pub(crate) fn on(&self, event: &Event) {
        if let Ok(mut state) = self.0.lock() {
            state.on(event);
        }
    }

    /// Takes the bars away.
    pub(crate) fn finish(&self) {
        if let Ok(state) = self.0.lock()
            && let View::Bars { multi, .. } = &state.view
        {
            let _ = multi.clear();
        }
    }
}

impl State {
    fn on(&mut self, event: &Event) {
        let (Event::Cached { group, .. }
        | Event::Sent { group, .. }
        | Event::Attempt(Attempt { group, .. })
        | Event::Answered { group }
        | Event::Failed { group, .. }
        | Event::Retrying { group, .. }) = *event
        else {
            return;
        };
        self.totals.take(event);
        let Some(state) = self.groups.get_mut(group) else {
            return;
        };
        state.counts.take(event);
        state.started.get_or_insert_with(Instant::now);
        self.show(group);
    }

    fn show(&mut self, group: usize) {
        let rate = self.totals.answered as f64 / self.started.elapsed().as_secs_f64().max(1e-3);
        let status = status(&self.totals, rate);
        let GroupState {
            task,
            strategy,
            counts,
            started,
        } = &self.groups[group];
        let finished = counts.done() >= counts.planned;
        match &mut self.view {
            View::Nothing => {}
            View::Lines => {
                if finished && counts.in_flight == 0 && (counts.answered > 0 || counts.failed > 0) {
                    eprintln!(
                        "{}: {task}/{strategy} done: {} answered, {} failed, {} known before, {:.1} s",
                        self.model,
                        counts.answered,
                        counts.failed,
                        counts.cached,
                        started.map_or(0.0, |s| s.elapsed().as_secs_f64())
                    );
                }
                if self.last_line.elapsed() >= LINE_EVERY {
                    self.last_line = Instant::now();
                    eprintln!(
                        "{}: {}/{} {status}",
                        self.model,
                        self.totals.done(),
                        self.totals.planned
                    );
                }
            }
            View::Bars {
                multi,
                run,
                tasks,
                groups,
            } => {
                run.set_position(self.totals.done() as u64);
                run.set_message(status);
                if let Some((_, bar)) = tasks.iter().find(|(id, _)| id == task) {
                    let done: usize = self
                        .groups
                        .iter()
                        .filter(|g| g.task == *task)
                        .map(|g| g.counts.done())
                        .sum();
                    bar.set_position(done as u64);
                }
                // A strategy's bar is there while it is being worked on.
                let bar = groups[group].get_or_insert_with(|| {
                    let after = tasks
                        .iter()
                        .find(|(id, _)| id == task)
                        .map_or(&*run, |(_, b)| b);
                    let bar = multi.insert_after(after, ProgressBar::new(counts.planned as u64));
                    bar.set_style(style(
                        "    {prefix:<20} {bar:24.dim} {pos:>6}/{len:<6} {msg}",
                    ));
                    bar.set_prefix(*strategy);
                    bar
                });
                bar.set_position(counts.done() as u64);
                if counts.failed > 0 || counts.in_flight > 0 {
                    bar.set_message(format!(
                        "{} in flight, {} failed",
                        counts.in_flight, counts.failed
                    ));
                }
                if finished {
                    bar.finish_and_clear();
                }
            }
        }
    }
}

/// Rate, time left and troubles, in one line.
fn status(totals: &Counts, rate: f64) -> String {
    let mut text = format!("{rate:.1}/s");
    if rate > 0.0 && totals.answered > 0 {
        let left = (totals.planned - totals.done().min(totals.planned)) as f64 / rate;
        text.push_str(&format!(", {} left", duration(left)));
    }
    if totals.failed > 0 {
        text.push_str(&format!(", {} failed", totals.failed));
    }
    if totals.retries > 0 {
        text.push_str(&format!(", {} retries", totals.retries));
    }
    text
}

fn duration(seconds: f64) -> String {
    let s = seconds.ceil() as u64;
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min {:02} s", s / 60, s % 60),
        _ => format!("{} h {:02} min", s / 3600, s % 3600 / 60),
    }
}

impl View {
    fn bars(model: &str, plan: &Plan) -> Self {
        let multi = MultiProgress::new();
        let run = multi.add(ProgressBar::new(plan.len() as u64));
        run.set_style(style("{prefix:<24.bold} {bar:24} {pos:>6}/{len:<6} {msg}"));
        run.set_prefix(model.chars().take(24).collect::<String>());
        let mut tasks: Vec<(String, ProgressBar)> = Vec::new();
        for group in &plan.groups {
            if let Some((_, bar)) = tasks.iter().find(|(id, _)| *id == group.task.id) {
                bar.inc_length(group.questions.len() as u64);
                continue;
            }
            let bar = multi.add(ProgressBar::new(group.questions.len() as u64));
            bar.set_style(style("  {prefix:<22} {bar:24} {pos:>6}/{len:<6}"));
            bar.set_prefix(group.task.title.chars().take(22).collect::<String>());
            tasks.push((group.task.id.clone(), bar));
        }
        // Drawn now, before the first answer.
        run.tick();
        for (_, bar) in &tasks {
            bar.tick();
        }
        Self::Bars {
            multi,
            run,
            tasks,
            groups: vec![None; plan.groups.len()],
        }
    }
}

/// The templates are ours and parse; a default bar is better than an end.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}
