//! `sureness demo`: measures a small model on the built-in questions.

use std::process::ExitCode;

use sureness_bench::{ALLOWED_FAILURES, Failure};

use super::analyze;
use super::run::{Shown, measure};
use crate::args::demo::DemoArgs;
use crate::settings;
use crate::show::log;
use crate::show::watcher::Watcher;

/// Runs the command.
pub(super) fn run(args: &DemoArgs) -> Result<ExitCode, Failure> {
    log::start(None, false)?;
    let watcher = Watcher::new(args.progress, args.metrics_addr.as_deref(), false)?;
    let (settings, model) = settings::demo(args);
    let code = measure(
        &settings,
        &[model],
        &watcher,
        ALLOWED_FAILURES,
        Shown::default(),
    )?;
    if code == ExitCode::SUCCESS {
        let page = settings.output_dir.join("report.html");
        analyze::page_about(&settings.output_dir, &page)?;
        eprintln!(
            "Open it in a browser, or browse the answers with `sureness view {}`.",
            settings.output_dir.display()
        );
    }
    Ok(code)
}
