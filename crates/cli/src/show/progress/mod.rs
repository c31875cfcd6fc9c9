//! Progress at three levels: run, task, strategy.

mod bars;
mod json;
mod lines;
mod state;

use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use indicatif::MultiProgress;
use sureness_bench::DescribeWorkers;
use sureness_engine::{Event, Plan};

use crate::args::run::ProgressArg;
use state::State;

/// Shows the progress of all models on stderr.
#[derive(Clone)]
pub(crate) struct Screen(ScreenKind);

#[derive(Clone)]
enum ScreenKind {
    Nothing,
    Json,
    Lines,
    Bars(MultiProgress),
}

impl Screen {
    /// The screen that `--progress` selects.
    pub(crate) fn new(progress: ProgressArg, verbose: bool) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self(match progress {
            ProgressArg::None => ScreenKind::Nothing,
            ProgressArg::Json => ScreenKind::Json,
            ProgressArg::Bars => ScreenKind::Bars(MultiProgress::new()),
            // Verbose messages and bars would overwrite each other.
            ProgressArg::Auto if is_terminal && !verbose => ScreenKind::Bars(MultiProgress::new()),
            ProgressArg::Auto | ProgressArg::Plain => ScreenKind::Lines,
        })
    }

    /// A screen of plain lines.
    pub(crate) fn plain() -> Self {
        Self(ScreenKind::Lines)
    }

    /// Prints a line, unless progress is off.
    pub(crate) fn note(&self, line: &str) {
        if !matches!(self.0, ScreenKind::Nothing) {
            self.warn(line);
        }
    }

    /// Prints a line, above any bars.
    pub(crate) fn warn(&self, line: &str) {
        match &self.0 {
            ScreenKind::Bars(bars) => bars.suspend(|| eprintln!("{line}")),
            ScreenKind::Nothing | ScreenKind::Json | ScreenKind::Lines => eprintln!("{line}"),
        }
    }
}

/// Shows the progress of one model.
pub(crate) struct Progress(Option<Mutex<Display>>);

struct Display {
    state: State,
    view: Box<dyn View>,
    next_draw: Instant,
}

/// A form of progress display.
trait View: Send {
    /// Minimum time between draws; there may be 10,000 events a second.
    fn interval(&self) -> Duration;
    /// Shows the state.
    fn draw(&mut self, state: &State, now: Instant);
    /// Shows an event that must not wait for the next draw.
    fn show_event(&mut self, _state: &State, _event: &Event) {}
    /// Ends the display.
    fn finish(&mut self, _state: &State) {}
}

impl Progress {
    /// Shows the plan, before its first event.
    pub(crate) fn new(
        screen: &Screen,
        model: &str,
        plan: &Plan,
        workers: Option<DescribeWorkers>,
    ) -> Self {
        let now = Instant::now();
        let state = State::new(model, plan, workers, now);
        let view: Box<dyn View> = match &screen.0 {
            ScreenKind::Nothing => return Self(None),
            ScreenKind::Json => Box::new(json::Json),
            ScreenKind::Lines => Box::new(lines::Lines),
            ScreenKind::Bars(bars) => Box::new(bars::Bars::new(bars.clone(), &state)),
        };
        Self(Some(Mutex::new(Display {
            next_draw: now + view.interval(),
            state,
            view,
        })))
    }

    /// Counts an event and draws if a draw is due.
    pub(crate) fn update(&self, event: &Event) {
        let Some(mut display) = self.display() else {
            return;
        };
        let display = &mut *display;
        let finished = display.state.count(event);
        display.view.show_event(&display.state, event);
        let now = Instant::now();
        if now >= display.next_draw || finished {
            display.state.mark(now);
            display.view.draw(&display.state, now);
            display.next_draw = now + display.view.interval();
        }
    }

    /// Ends the display.
    pub(crate) fn finish(&self) {
        if let Some(mut display) = self.display() {
            let display = &mut *display;
            display.view.finish(&display.state);
        }
    }

    fn display(&self) -> Option<MutexGuard<'_, Display>> {
        self.0.as_ref()?.lock().ok()
    }
}

/// Formats seconds for reading.
pub(crate) fn duration(seconds: f64) -> String {
    let s = seconds.ceil() as u64;
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min {:02} s", s / 60, s % 60),
        _ => format!("{} h {:02} min", s / 3600, s % 3600 / 60),
    }
}
