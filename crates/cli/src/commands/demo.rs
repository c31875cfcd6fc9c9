//! `sureness demo`: measures a small model on the built-in questions.

use std::process::ExitCode;

use sureness_bench::{ALLOWED_FAILURES, Failure};

use super::run::measure;
use crate::args::demo::DemoArgs;
use crate::metrics::Metrics;
use crate::settings;
use crate::show::log;
use crate::show::progress::Screen;
use crate::show::watcher::Watcher;

/// Runs the command.
pub(super) fn run(args: &DemoArgs) -> Result<ExitCode, Failure> {
    log::start(None, false)?;
    let metrics = args.metrics_addr.as_deref().map(Metrics::listen);
    let watcher = Watcher {
        screen: Screen::new(args.progress, false),
        metrics: metrics.transpose()?,
        verbose: false,
    };
    let (settings, model) = settings::demo(args);
    measure(&settings, &[model], &watcher, ALLOWED_FAILURES)
}
