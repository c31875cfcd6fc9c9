//! `sureness compare`: measure several models, or settle which of saved answers are better.

use std::process::ExitCode;

use sureness_analysis::settled::{Incomparable, Settled, Stopping, play};
use sureness_anytime::Metric;
use sureness_bench::Failure;
use sureness_bench::evidence::{Loaded, Texts, load};
use sureness_conformal::Config;

use super::run;
use crate::args::compare::{CompareArgs, SettledOutput};
use crate::args::until::UntilArgs;
use crate::settings;
use crate::show::settled;

/// Asks the models, or plays saved answers.
pub(super) fn run(args: &CompareArgs) -> Result<ExitCode, Failure> {
    if args.logits.is_empty() {
        let until = args
            .until
            .until
            .map(|_| stopping(&args.until))
            .transpose()?;
        return run::run(&args.run, run::RunCommand::Compare, until);
    }
    let stopping = stopping(&args.until)?;
    let Loaded {
        mut evidence,
        config,
        warnings,
        notes,
    } = load(&settings::played(args), &Texts::default())?;
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
    for note in notes {
        eprintln!("note: {note}");
    }
    let config = Config {
        protocol: args.run.protocol,
        alpha: args.run.error_rate,
        seed: args.run.seed,
        covers: args.run.covers,
        ..config.unwrap_or_default()
    };
    evidence.temper(config.tempered);
    let found = play(&evidence, &config, &stopping).map_err(refused)?;
    show(&found, args.output)?;
    Ok(ExitCode::SUCCESS)
}

fn show(found: &Settled, output: SettledOutput) -> Result<(), Failure> {
    match output {
        SettledOutput::Table => settled::print(found),
        SettledOutput::Json => {
            let json = serde_json::to_string_pretty(found)
                .map_err(|e| Failure::new(format!("cannot encode the verdicts: {e}")))?;
            println!("{json}");
        }
    }
    Ok(())
}

fn refused(Incomparable(reason): Incomparable) -> Failure {
    Failure::new(format!("these models cannot be compared: {reason}")).hint(
        "compare at least two models that were asked the same questions in the same way; \
         --tasks and --prompt-strategies select parts",
    )
}

/// What is to be settled.
fn stopping(args: &UntilArgs) -> Result<Stopping, Failure> {
    let margin = |metric: Metric| {
        let mut margins = args.margin.iter();
        margins
            .find(|it| it.metric == metric)
            .map(|it| it.difference)
    };
    let mut metrics: Vec<Metric> = if !args.metric.is_empty() {
        args.metric.clone()
    } else if !args.margin.is_empty() {
        args.margin.iter().map(|margin| margin.metric).collect()
    } else {
        vec![Metric::Acc, Metric::Size]
    };
    metrics.sort_unstable();
    metrics.dedup();
    if let Some(metric) = metrics.iter().find(|it| !Metric::SETTLED.contains(it)) {
        return Err(Failure::new(format!("--until cannot settle {metric}"))
            .hint("it settles acc, size and uacc; `sureness gate` compares all figures of finished runs"));
    }
    Ok(Stopping {
        confidence: args.confidence,
        metrics: metrics.into_iter().map(|it| (it, margin(it))).collect(),
        max_questions: args.max_questions.map(usize::from),
        per_task: args.per_task,
    })
}
