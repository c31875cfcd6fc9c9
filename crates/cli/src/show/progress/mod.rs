//! Progress at three levels: run, task, strategy.

mod bars;
mod json;
mod lines;
mod state;

use std::io::IsTerminal;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::MultiProgress;
use sureness_bench::{ModelStart, Standing};
use sureness_engine::Event;

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

/// Shows the progress of one model, from a thread that draws at a steady pace: at any event some
/// request has just come back, and the display would miss the one that takes its place.
pub(crate) struct Progress(Option<Drawing>);

struct Drawing {
    display: Arc<Mutex<Display>>,
    /// Ends the thread when it is dropped.
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Display {
    state: State,
    view: Box<dyn View>,
    finished: bool,
}

/// A form of progress display.
trait View: Send {
    /// Time between draws; there may be 10,000 events a second.
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
    pub(crate) fn new(screen: &Screen, model: ModelStart<'_>) -> Self {
        let ModelStart {
            name,
            plan,
            workers,
            may_stop_early,
            ..
        } = model;
        let state = State::new(name, plan, workers, may_stop_early, Instant::now());
        let view: Box<dyn View> = match &screen.0 {
            ScreenKind::Nothing => return Self(None),
            ScreenKind::Json => Box::new(json::Json),
            ScreenKind::Lines => Box::new(lines::Lines),
            ScreenKind::Bars(bars) => Box::new(bars::Bars::new(bars.clone(), &state)),
        };
        let interval = view.interval();
        let display = Arc::new(Mutex::new(Display {
            state,
            view,
            finished: false,
        }));
        let (end, ended) = channel();
        let shown = Arc::clone(&display);
        let draw = move || {
            while ended.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                lock(&shown).draw();
            }
        };
        // Without a thread, finished groups still show.
        let thread = std::thread::Builder::new().name("progress".to_owned());
        Self(Some(Drawing {
            display,
            end: Some(end),
            thread: thread.spawn(draw).ok(),
        }))
    }

    /// Counts an event, and draws if it finishes a group.
    pub(crate) fn update(&self, event: &Event) {
        let Some(drawing) = &self.0 else {
            return;
        };
        let display = &mut *lock(&drawing.display);
        let finished = display.state.count(event);
        display.view.show_event(&display.state, event);
        if finished {
            display.draw();
        }
    }

    /// Shows how far a run has come that stops early.
    pub(crate) fn stand(&self, standing: Standing) {
        if let Some(drawing) = &self.0 {
            lock(&drawing.display).state.standing = Some(standing);
        }
    }

    /// Ends the display.
    pub(crate) fn finish(&self) {
        if let Some(drawing) = &self.0 {
            let display = &mut *lock(&drawing.display);
            display.finished = true;
            display.view.finish(&display.state);
        }
    }
}

impl Display {
    fn draw(&mut self) {
        if self.finished {
            return;
        }
        let now = Instant::now();
        self.state.mark(now);
        self.view.draw(&self.state, now);
    }
}

impl Drop for Drawing {
    fn drop(&mut self) {
        self.end.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The display is whole at every step, so that it stays usable after a panic elsewhere.
fn lock(display: &Mutex<Display>) -> MutexGuard<'_, Display> {
    display.lock().unwrap_or_else(PoisonError::into_inner)
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
