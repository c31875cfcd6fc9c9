//! `sureness doctor`: checks a server for log-probabilities, scoring method and reproducibility.

mod findings;
mod verdict;

use std::process::ExitCode;
use std::time::Duration;

use sureness_bench::{Failure, runtime};
use sureness_scorers::http::{Diagnosis, HttpOptions, Secret, diagnose};

use crate::args::doctor::DoctorArgs;
use crate::show::output_format::OutputFormat;
use crate::show::terminal;

/// Checks the server and prints each finding as it is known. Fails if a run could not use the server.
pub(super) fn run(args: &DoctorArgs) -> Result<ExitCode, Failure> {
    let options = HttpOptions {
        api_key: args.api_key.as_deref().and_then(Secret::new),
        model: args.model.clone(),
        chat: args.chat,
        timeout: Duration::from_secs(args.timeout),
        extra_body: args.extra_body.clone(),
        ..HttpOptions::new(args.api_base.clone())
    };
    let runtime = runtime()?;
    let mut printed = Printed {
        lines: 0,
        outcome: Ok(()),
    };
    let mut tell = |diagnosis: &Diagnosis| {
        if args.output == OutputFormat::Text {
            printed.print(diagnosis);
        }
    };
    let diagnosis = runtime.block_on(diagnose(options, args.quick, &mut tell));
    tell(&diagnosis);
    printed.outcome?;
    match args.output {
        OutputFormat::Text if diagnosis.obstacle.is_none() => {
            terminal::print(&verdict::verdict(&diagnosis, args))?;
        }
        OutputFormat::Text => {}
        OutputFormat::Json => args.output.print(&diagnosis, |_| String::new())?,
    }
    match diagnosis.obstacle {
        None => Ok(ExitCode::SUCCESS),
        Some(obstacle) => Err(Failure::new(obstacle.message).hint(obstacle.hint)),
    }
}

/// The lines printed so far. Findings come in the order of their lines.
struct Printed {
    lines: usize,
    outcome: Result<(), Failure>,
}

impl Printed {
    fn print(&mut self, diagnosis: &Diagnosis) {
        let lines = findings::lines(diagnosis);
        for line in lines.iter().skip(self.lines) {
            if self.outcome.is_ok() {
                self.outcome = terminal::print(&format!("{line}\n"));
            }
        }
        self.lines = self.lines.max(lines.len());
    }
}
