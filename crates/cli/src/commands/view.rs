//! `sureness view`: serves a live page about runs; `run --view` does so beside a run.

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;

use sureness_bench::{Failure, Settings, runtime};
use sureness_view::View;
use tokio::sync::oneshot;

use crate::args::view::ViewArgs;
use crate::settings;
use crate::show::{stop_requested, terminal};

/// Serves until Ctrl-C.
pub(super) fn run(args: &ViewArgs) -> Result<ExitCode, Failure> {
    if let Some(missing) = args.folders.iter().find(|folder| !folder.exists()) {
        return Err(
            Failure::new(format!("{} does not exist", missing.display()))
                .hint("name the --output-dir of a run, or a folder of such folders"),
        );
    }
    let view = View::bind(sureness_view::Settings {
        folders: args.folders.clone(),
        host: args.host.clone(),
        port: args.port,
        data: settings::task_data(&args.data)?,
        budget: args.price.budget()?,
        ..sureness_view::Settings::default()
    })?;
    terminal::print(&format!("{}\n", view.url()))?;
    eprintln!("Press Ctrl-C to end.");
    if args.open {
        open(&view.url());
    }
    let runtime = runtime()?;
    let served = runtime.block_on(async {
        tokio::select! {
            served = view.serve() => served,
            () = stop_requested() => Ok(()),
        }
    });
    runtime.shutdown_background();
    served.map(|()| ExitCode::SUCCESS)
}

/// The page beside a run, on a thread and a runtime of its own, so that neither waits for the other.
pub(super) struct Beside {
    end: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Beside {
    /// Serves the run that begins in the output folder on this machine, at any free port.
    pub(super) fn start(settings: &Settings) -> Result<Self, Failure> {
        let data = settings.questions.data.iter().cloned();
        let data = data.filter(|data| data.path.is_some());
        let view = View::bind(sureness_view::Settings {
            folders: vec![absolute(&settings.output_dir)],
            data: data.collect(),
            budget: settings.budget.clone(),
            ..sureness_view::Settings::default()
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::new(format!("cannot start the page: {error}")))?;
        eprintln!("Page: {}latest", view.url());
        let view = Arc::new(view);
        let (end, ended) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                let stop = async {
                    // A dropped sender ends it too.
                    let _ = ended.await;
                    view.stop().await;
                };
                let (served, ()) = tokio::join!(view.serve(), stop);
                if let Err(failure) = served {
                    tracing::warn!("no page: {failure}");
                }
            });
            runtime.shutdown_background();
        });
        Ok(Self { end, thread })
    }

    /// Shows the last figures to all who watch, and ends.
    pub(super) fn finish(self) {
        let _ = self.end.send(());
        let _ = self.thread.join();
    }
}

/// The folder wherever it is named from; as it is where that is unknown.
fn absolute(folder: &std::path::Path) -> PathBuf {
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
}

/// Opens the address in the browser; a note says if it cannot.
fn open(url: &str) {
    let program = match () {
        () if cfg!(target_os = "macos") => "open",
        () if cfg!(windows) => "explorer",
        () => "xdg-open",
    };
    let opened = Command::new(program)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if let Err(error) = opened {
        eprintln!("note: cannot open a browser ({program}: {error}); open the address above");
    }
}
