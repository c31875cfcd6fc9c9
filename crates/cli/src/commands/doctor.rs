//! `sureness doctor`: checks a server for log-probabilities, scoring method and reproducibility.

mod findings;
mod verdict;
mod ways;

use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;
use sureness_bench::budget::Budget;
use sureness_bench::ways::{Way, Ways};
use sureness_bench::{Failure, runtime};
use sureness_scorers::http::{Api, Depth, Diagnosis, HttpOptions, KeyState, diagnose};

use crate::args::doctor::DoctorArgs;
use crate::settings;
use crate::show::output_format::OutputFormat;
use crate::show::terminal;
use verdict::Verdict;

/// Checks the server and prints each finding as it is known. Fails if a run could not use the server, or its
/// figures would be wrong.
pub(super) fn run(args: &DoctorArgs) -> Result<ExitCode, Failure> {
    let options = options(args)?;
    let budget = args.price.budget()?;
    if let Some(model) = &args.model {
        budget.of_model(model)?;
    }
    let runtime = runtime()?;
    let mut printed = Printed {
        lines: 0,
        outcome: Ok(()),
    };
    let is_text = args.output == OutputFormat::Text;
    let mut tell = |diagnosis: &Diagnosis| {
        if is_text {
            printed.print(diagnosis);
        }
    };
    let depth = if args.quick {
        Depth::Quick
    } else {
        Depth::Whole {
            noise_questions: args.noise_questions,
        }
    };
    let diagnosis = runtime.block_on(diagnose(options.clone(), depth, &mut tell));
    tell(&diagnosis);
    printed.outcome?;
    let left_out = args.quick && !args.ways;
    let ways = if left_out || !may_be_asked(&diagnosis) {
        None
    } else {
        Some(runtime.block_on(ways_of(options, args, &budget))?)
    };
    conclude(&diagnosis, ways.as_ref(), args)
}

fn options(args: &DoctorArgs) -> Result<HttpOptions, Failure> {
    Ok(HttpOptions {
        api_key: settings::api_key(args.api_key.as_deref(), args.api_key_env.as_deref())?,
        openai_key: settings::openai_key(),
        headers: settings::headers(&args.header)?,
        model: args.model.clone(),
        any_model: args.any_model,
        chat: args.chat,
        timeout: Duration::from_secs(args.timeout),
        extra_body: settings::extra_body(args.extra_body.as_deref())?,
        ..HttpOptions::new(args.api_base.clone())
    })
}

/// Whether the server may still answer in some way.
fn may_be_asked(diagnosis: &Diagnosis) -> bool {
    diagnosis.reachable
        && (diagnosis.obstacle.is_none()
            || (diagnosis.model.is_some() && diagnosis.key != KeyState::Refused))
}

/// Tries each way of asking, and prints it as it is known.
async fn ways_of(
    options: HttpOptions,
    args: &DoctorArgs,
    budget: &Budget,
) -> Result<Ways, Failure> {
    let usual = if args.chat {
        Api::Chat
    } else {
        Api::Completions
    };
    let api = args.way.api.unwrap_or(usual);
    let is_text = args.output == OutputFormat::Text;
    let mut outcome = if is_text {
        terminal::print(ways::HEADING)
    } else {
        Ok(())
    };
    let mut tell = |way: &Way| {
        if is_text && outcome.is_ok() {
            outcome = terminal::print(&joined(&ways::lines(way)));
        }
    };
    let found = sureness_bench::ways::examine(options, api, args.way.offered(), budget, &mut tell);
    let found = found.await?;
    outcome?;
    if is_text {
        terminal::print(&joined(&ways::summary(&found)))?;
    }
    Ok(found)
}

fn joined(lines: &[String]) -> String {
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

/// Prints the verdict.
fn conclude(
    diagnosis: &Diagnosis,
    ways: Option<&Ways>,
    args: &DoctorArgs,
) -> Result<ExitCode, Failure> {
    let verdict = Verdict::of(diagnosis, ways, args);
    match args.output {
        OutputFormat::Text => {
            let text = verdict.as_ref().map(Verdict::text);
            terminal::print(&text.unwrap_or_default())?;
        }
        OutputFormat::Json => {
            let all = Findings {
                diagnosis,
                ways,
                verdict: verdict.as_ref(),
            };
            args.output.print(&all, |_| String::new())?;
        }
    }
    match (verdict, &diagnosis.obstacle) {
        (Some(verdict), _) => Ok(ExitCode::from(u8::from(!verdict.ready))),
        (None, Some(obstacle)) => Err(Failure::new(&obstacle.message).hint(&obstacle.hint)),
        (None, None) => Ok(ExitCode::SUCCESS),
    }
}

/// What `--output json` prints.
#[derive(Serialize)]
struct Findings<'a> {
    #[serde(flatten)]
    diagnosis: &'a Diagnosis,
    /// The ways of asking; not with `--quick`.
    #[serde(skip_serializing_if = "Option::is_none")]
    ways: Option<&'a Ways>,
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
