//! Progress at three levels: run, task, strategy.

mod bars;
mod json;
mod lines;
mod state;

use std::io::IsTerminal;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::MultiProgress;
use sureness_engine::{Event, Plan};

use crate::args::run::ProgressArg;
use state::State;
use sureness_bench::DescribeWorkers;

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
#[derive(Clone)]
pub(crate) struct Progress(Arc<Mutex<Display>>);

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

/// Shows nothing.
struct Nothing;

impl View for Nothing {
    fn interval(&self) -> Duration {
        Duration::MAX
    }
    fn draw(&mut self, _: &State, _: Instant) {}
}

impl Progress {
    /// Shows the plan, before its first event.
    pub(crate) fn new(
        screen: &Screen,
        model: &str,
        plan: &Plan,
        workers: Option<DescribeWorkers>,
    ) -> Self {
        let state = State::new(model, plan, workers, Instant::now());
        let view: Box<dyn View> = match &screen.0 {
            ScreenKind::Nothing => Box::new(Nothing),
            ScreenKind::Json => Box::new(json::Json),
            ScreenKind::Lines => Box::new(lines::Lines),
            ScreenKind::Bars(bars) => Box::new(bars::Bars::new(bars.clone(), &state)),
        };
        let next_draw = after(Instant::now(), view.interval());
        let display = Display {
            state,
            view,
            next_draw,
        };
        Self(Arc::new(Mutex::new(display)))
    }

    /// Counts an event and draws if a draw is due.
    pub(crate) fn update(&self, event: &Event) {
        let Ok(mut display) = self.0.lock() else {
            return;
        };
        let Display {
            state,
            view,
            next_draw,
        } = &mut *display;
        let finished = state.count(event);
        view.show_event(state, event);
        let now = Instant::now();
        if now >= *next_draw || finished {
            state.mark(now);
            view.draw(state, now);
            *next_draw = after(now, view.interval());
        }
    }

    /// Ends the display.
    pub(crate) fn finish(&self) {
        if let Ok(mut display) = self.0.lock() {
            let Display { state, view, .. } = &mut *display;
            view.finish(state);
        }
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// `interval` after `now`, at most a day, so that the sum cannot overflow.
fn after(now: Instant, interval: Duration) -> Instant {
    now + interval.min(DAY)
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
