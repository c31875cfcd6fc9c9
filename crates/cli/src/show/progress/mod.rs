//! Progress at three levels: run, task, strategy.

mod bars;
mod json;
mod lines;
mod state;

use std::io::IsTerminal;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::MultiProgress;
use sureness_bench::Machines;
use sureness_engine::{Event, Plan};

use crate::args::run::ProgressArg;
use state::State;

/// Where progress is shown: the same place for all models.
#[derive(Clone)]
pub(crate) struct Screen(How);

#[derive(Clone)]
enum How {
    Nothing,
    Json,
    Lines,
    Bars(MultiProgress),
}

impl Screen {
    /// As asked for, or as it fits.
    pub(crate) fn new(how: ProgressArg, verbose: bool) -> Self {
        let fits = std::io::stderr().is_terminal();
        Self(match how {
            ProgressArg::None => How::Nothing,
            ProgressArg::Json => How::Json,
            ProgressArg::Bars => How::Bars(MultiProgress::new()),
            // Verbose messages and bars would overwrite each other.
            ProgressArg::Auto if fits && !verbose => How::Bars(MultiProgress::new()),
            ProgressArg::Auto | ProgressArg::Plain => How::Lines,
        })
    }

    /// Lines.
    pub(crate) fn plain() -> Self {
        Self(How::Lines)
    }

    /// A line for people, above the bars where there are any.
    pub(crate) fn say(&self, line: &str) {
        if !matches!(self.0, How::Nothing) {
            self.warn(line);
        }
    }

    /// The same for a line that is shown in any case.
    pub(crate) fn warn(&self, line: &str) {
        match &self.0 {
            How::Bars(bars) => bars.suspend(|| eprintln!("{line}")),
            How::Nothing | How::Json | How::Lines => eprintln!("{line}"),
        }
    }
}

/// Shows how far a model's run has come.
#[derive(Clone)]
pub(crate) struct Progress(Arc<Mutex<Shown>>);

struct Shown {
    state: State,
    view: Box<dyn View>,
    next: Instant,
}

/// One way to show it.
trait View: Send {
    /// The least time between two drawings. Events come by the ten thousand a second.
    fn pause(&self) -> Duration;
    /// Shows the state.
    fn draw(&mut self, state: &State, now: Instant);
    /// Shows an event that must not be missed.
    fn notice(&mut self, _state: &State, _event: &Event) {}
    /// The run is over.
    fn finish(&mut self, _state: &State) {}
}

/// Shows nothing.
struct Nothing;

impl View for Nothing {
    fn pause(&self) -> Duration {
        Duration::MAX
    }
    fn draw(&mut self, _: &State, _: Instant) {}
}

impl Progress {
    /// Ready to take events of `plan`.
    pub(crate) fn new(
        screen: &Screen,
        model: &str,
        plan: &Plan,
        machines: Option<Machines>,
    ) -> Self {
        let state = State::new(model, plan, machines, Instant::now());
        let view: Box<dyn View> = match &screen.0 {
            How::Nothing => Box::new(Nothing),
            How::Json => Box::new(json::Json),
            How::Lines => Box::new(lines::Lines),
            How::Bars(bars) => Box::new(bars::Bars::new(bars.clone(), &state)),
        };
        let next = later(Instant::now(), view.pause());
        Self(Arc::new(Mutex::new(Shown { state, view, next })))
    }

    /// Takes an event.
    pub(crate) fn on(&self, event: &Event) {
        let Ok(mut shown) = self.0.lock() else {
            return;
        };
        let Shown { state, view, next } = &mut *shown;
        let finished = state.take(event);
        view.notice(state, event);
        let now = Instant::now();
        if now >= *next || finished {
            state.mark(now);
            view.draw(state, now);
            *next = later(now, view.pause());
        }
    }

    /// The run is over.
    pub(crate) fn finish(&self) {
        if let Ok(mut shown) = self.0.lock() {
            let Shown { state, view, .. } = &mut *shown;
            view.finish(state);
        }
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// `pause` after `now`; a day for a pause without end.
fn later(now: Instant, pause: Duration) -> Instant {
    now + pause.min(DAY)
}

/// A number of seconds for people.
pub(crate) fn duration(seconds: f64) -> String {
    let s = seconds.ceil() as u64;
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min {:02} s", s / 60, s % 60),
        _ => format!("{} h {:02} min", s / 3600, s % 3600 / 60),
    }
}
