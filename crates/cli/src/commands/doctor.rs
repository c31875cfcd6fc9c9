//! `sureness doctor`: checks a server for log-probabilities, scoring method and reproducibility.

mod findings;
mod verdict;

use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;
use sureness_bench::{Failure, runtime};
use sureness_scorers::http::{Diagnosis, HttpOptions, diagnose};

use crate::args::doctor::DoctorArgs;
use crate::settings;
use crate::show::output_format::OutputFormat;
use crate::show::terminal;
use verdict::Verdict;

/// Checks the server and prints each finding as it is known. Fails if a run could not use the server, or its
/// figures would be wrong.
pub(super) fn run(args: &DoctorArgs) -> Result<ExitCode, Failure> {
    let options = HttpOptions {
        api_key: settings::api_key(args.api_key.as_deref(), args.api_key_env.as_deref())?,
        openai_key: settings::openai_key(),
        headers: settings::headers(&args.header)?,
        model: args.model.clone(),
        any_model: args.any_model,
        chat: args.chat,
        timeout: Duration::from_secs(args.timeout),
        extra_body: settings::extra_body(args.extra_body.as_deref())?,
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
    let verdict = diagnosis
        .obstacle
        .is_none()
        .then(|| Verdict::of(&diagnosis, args));
    match args.output {
        OutputFormat::Text => {
            let text = verdict.as_ref().map(Verdict::text);
            terminal::print(&text.unwrap_or_default())?;
        }
        OutputFormat::Json => {
            let verdict = verdict.as_ref();
            let all = Findings {
                diagnosis: &diagnosis,
                verdict,
            };
            args.output.print(&all, |_| String::new())?;
        }
    }
    match diagnosis.obstacle {
        None => Ok(ExitCode::from(u8::from(
            verdict.is_some_and(|verdict| !verdict.ready),
        ))),
        Some(obstacle) => Err(Failure::new(obstacle.message).hint(obstacle.hint)),
    }
}

/// What `--output json` prints.
#[derive(Serialize)]
struct Findings<'a> {
    #[serde(flatten)]
    diagnosis: &'a Diagnosis,
    #[serde(flatten)]
    verdict: Option<&'a Verdict>,
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
