//! `sureness compare`: measure several models, or settle which of saved answers are better.

use std::process::ExitCode;

use sureness_analysis::settled::{Incomparable, Settled, play};
use sureness_bench::Failure;
use sureness_bench::evidence::{Loaded, Texts, load};
use sureness_conformal::Config;

use super::run;
use crate::args::compare::{CompareArgs, SettledOutput};
use crate::settings;
use crate::show::settled;

/// Asks the models, or plays saved answers.
pub(super) fn run(args: &CompareArgs) -> Result<ExitCode, Failure> {
    if args.logits.is_empty() {
        return run::run(&args.run, run::RunCommand::Compare);
    }
    let stopping = settings::stopping(&args.run.until)?;
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
