//! `sureness plan`: how many questions a comparison of two models takes, before any is asked.

mod basis;
mod target;
mod text;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use sureness_conformal::{Effect, sample_sizes};

use super::values::open_share;
use crate::error::CliError;
use crate::terminal;
use basis::Basis;
use target::Target;

/// More questions than anyone asks.
const MOST: usize = 1_000_000_000;

/// The accuracy of the reference model.
const ACCURACY: f64 = 0.6;
/// The options per question of the reference model: four and the two abstentions.
const OPTIONS: u8 = 6;
/// The prompt strategies of the reference model.
const STRATEGIES: u8 = 3;
/// The correlation of two models' figures over questions.
const CORRELATION: f64 = 0.3;

/// Flags of `plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Difference between two models that should be found, such as size=0.1 (options),
    /// acc=0.02 or uacc=0.03 (0.02 is two percentage points)
    #[arg(long, value_name = "FIGURE=DIFFERENCE", required = true, num_args = 1.., value_delimiter = ',')]
    detect: Vec<Target>,
    /// Probability of finding it
    #[arg(long, value_name = "SHARE", default_value_t = 0.8, value_parser = power)]
    power: f64,
    /// Confidence level of the comparison: 1 less the level of the test
    #[arg(long, value_name = "SHARE", default_value_t = 0.95, value_parser = open_share)]
    level: f64,
    /// Allowed share of prediction sets without the right answer (alpha) [default: 0.1, or that
    /// of the earlier run]
    #[arg(long, value_name = "SHARE", value_parser = open_share)]
    error_rate: Option<f64>,

    /// Earlier runs to measure the standard errors on: an output folder, or its sureness.sqlite.
    /// Of two models the paired difference counts
    #[arg(long, value_name = "RUN", num_args = 1.., help_heading = "Basis")]
    from: Vec<PathBuf>,
    /// Correlation of two models' results over questions, where it is not measured [default: 0.3]
    #[arg(long, value_name = "R", value_parser = correlation, help_heading = "Basis")]
    correlation: Option<f64>,
    /// Accuracy of the reference model [default: 0.6]
    #[arg(long, value_name = "SHARE", value_parser = open_share, conflicts_with = "from", help_heading = "Basis")]
    accuracy: Option<f64>,
    /// Options per question, the abstentions included [default: 6]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(2..=26), conflicts_with = "from", help_heading = "Basis")]
    options: Option<u8>,
    /// Prompt strategies that figures are averaged over [default: 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=20), conflicts_with = "from", help_heading = "Basis")]
    strategies: Option<u8>,

    /// Price of a million prompt tokens, for the cost; needs --from
    #[arg(long, value_name = "PRICE", value_parser = price, requires = "from")]
    price_in: Option<f64>,
}

/// Works out the numbers and prints them.
pub(crate) fn run(args: &PlanArgs) -> Result<ExitCode, CliError> {
    let basis = Basis::of(args)?;
    if args.price_in.is_some() && basis.tokens.is_none() {
        return Err(
            CliError::input("the earlier run has no token counts to put a price on")
                .hint("leave out --price-in, or give a run of a server that reports prompt tokens"),
        );
    }
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for &target in &args.detect {
        target.check(basis.options)?;
        match basis.variance(target.figure) {
            Ok(variance) => found.push((
                target,
                Effect {
                    difference: target.difference,
                    variance,
                },
            )),
            Err(reason) => missing.push((target, reason)),
        }
    }
    if let (true, Some((target, reason))) = (found.is_empty(), missing.first()) {
        let hint = text::hint(*reason);
        return Err(CliError::input(format!("{target}: no number, since {reason}")).hint(hint));
    }
    let effects: Vec<Effect> = found.iter().map(|(_, effect)| *effect).collect();
    let sizes = sample_sizes(&effects, basis.least, args.power, args.level);
    let sizes = sizes.ok_or_else(|| {
        CliError::input("no sample size follows from these numbers")
            .hint("--detect, --power and --level closer to their usual values give one")
    })?;
    let too_many = |size: &&sureness_conformal::SampleSize| size.calibration.max(size.test) > MOST;
    if sizes.sizes.iter().any(|size| too_many(&size)) {
        return Err(
            CliError::input("more than a billion questions would be needed")
                .hint("ask --detect for a larger difference"),
        );
    }
    let targets: Vec<Target> = found.into_iter().map(|(target, _)| target).collect();
    terminal::print(&text::of(args, &basis, &targets, &sizes, &missing))?;
    Ok(ExitCode::SUCCESS)
}

/// From one half, below 1.
fn power(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if (0.5..1.0).contains(&x) => Ok(x),
        _ => Err("must be a number from 0.5 to below 1, such as 0.8".into()),
    }
}

/// From 0, below 1: models that agree in everything never differ.
fn correlation(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if (0.0..1.0).contains(&x) => Ok(x),
        _ => Err("must be a number from 0 to below 1, such as 0.3".into()),
    }
}

fn price(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x > 0.0 && x.is_finite() => Ok(x),
        _ => Err("must be a price above 0, such as 0.15".into()),
    }
}
