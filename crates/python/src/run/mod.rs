//! Runs that Python watches.

mod watch;

use std::ffi::OsString;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError};
use pyo3::prelude::*;
use sureness_bench::{Ended, Failure, Interrupts, Outcome, Stopper};
use sureness_cli::RunLine;

use crate::refusal::failed;
use crate::threads;
use watch::{Told, Watching};

/// How often Python's signals and the progress are looked at.
const PAUSE: Duration = Duration::from_millis(100);

/// Measures models with the flags of `sureness run`. `show` is called with what happens: a kind
/// (`note`, `warning` or `progress`) and a text or counts. Returns the folder of the results, the
/// numbers of the runs, and whether the run was interrupted.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over objects")]
pub(crate) fn run(
    py: Python<'_>,
    flags: Vec<OsString>,
    show: Bound<'_, PyAny>,
) -> PyResult<(OsString, Vec<i64>, bool)> {
    let line = RunLine::read(flags).map_err(|failure| failed(&failure))?;
    let allowed = line.allowed_failures;
    let (stopper, interrupts) = Interrupts::new();
    let (teller, told) = mpsc::channel();
    let watching = Watching::new(teller, interrupts);
    let run = {
        let watching = watching.clone();
        std::thread::spawn(move || {
            threads::compute(|| sureness_bench::run(&line.settings, &line.models, &watching))
        })
    };
    let shown = look_on(py, &run, &told, &watching, &stopper, &show);
    let outcome = py.detach(|| run.join());
    let outcome = outcome.map_err(|_| PyRuntimeError::new_err("the run ended unexpectedly"))?;
    shown?;
    finish(outcome, allowed)
}

/// Shows what happens until the run ends. Ctrl-C stops it once requests in flight are back, a second
/// one at once; any other exception stops it at once and is raised again.
fn look_on(
    py: Python<'_>,
    run: &JoinHandle<Result<Outcome, Failure>>,
    told: &mpsc::Receiver<Told>,
    watching: &Watching,
    stopper: &Stopper,
    show: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let mut interrupted = false;
    loop {
        let ended = run.is_finished();
        let shown = py
            .check_signals()
            .and_then(|()| show_all(told, watching, show));
        if let Err(error) = shown {
            if !error.is_instance_of::<PyKeyboardInterrupt>(py) {
                stopper.stop_now();
                return Err(error);
            }
            if interrupted {
                stopper.stop_now();
            }
            interrupted = true;
            stopper.stop();
        }
        if ended {
            return Ok(());
        }
        py.detach(|| std::thread::sleep(PAUSE));
    }
}

fn show_all(
    told: &mpsc::Receiver<Told>,
    watching: &Watching,
    show: &Bound<'_, PyAny>,
) -> PyResult<()> {
    for told in told.try_iter() {
        match told {
            Told::Note(line) => show.call1(("note", line))?,
            Told::Warning(line) => show.call1(("warning", line))?,
        };
    }
    if let Some(counts) = watching.progress() {
        show.call1(("progress", counts))?;
    }
    Ok(())
}

fn finish(outcome: Result<Outcome, Failure>, allowed: f64) -> PyResult<(OsString, Vec<i64>, bool)> {
    let outcome = outcome.map_err(|failure| failed(&failure))?;
    let folder = outcome.folder.store.parent();
    let folder = folder.unwrap_or_else(|| std::path::Path::new("."));
    let folder = folder.as_os_str().to_owned();
    let runs = outcome
        .results
        .models
        .iter()
        .map(|model| model.run)
        .collect();
    let ended = outcome.ended(allowed).map_err(|failure| failed(&failure))?;
    Ok((folder, runs, ended == Ended::Interrupted))
}
