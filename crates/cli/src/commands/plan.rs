//! `sureness plan`: computes the sample size for comparing two models.

mod basis;
mod text;

use std::process::ExitCode;

use sureness_bench::Failure;
use sureness_conformal::{Effect, Variance, figure_step, sample_sizes};

use crate::args::plan::PlanArgs;
use crate::args::target::Target;
use crate::show::terminal;
use basis::Basis;

/// Refuses larger sample sizes, which nobody can ask.
const MAX_QUESTIONS: usize = 1_000_000_000;

fn effect(target: Target, variance: Variance, strategies: f64) -> Effect {
    let difference = target.difference;
    match figure_step(target.figure.index(), strategies) {
        Some(step) => Effect::in_steps(difference, variance, step),
        None => Effect {
            difference,
            variance,
        },
    }
}

/// Computes the sample sizes and prints them.
pub(crate) fn run(args: &PlanArgs) -> Result<ExitCode, Failure> {
    let basis = Basis::new(args)?;
    if args.price_in.is_some() && basis.tokens.is_none() {
        return Err(
            Failure::new("--price-in is given, but the earlier run has no token counts")
                .hint("omit --price-in, or give a run of a server that reports prompt tokens"),
        );
    }
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for &target in &args.detect {
        target.check(basis.options)?;
        match basis.variance(target.figure) {
            Ok(variance) => found.push((target, effect(target, variance, basis.strategies))),
            Err(reason) => missing.push((target, reason)),
        }
    }
    if let (true, Some((target, reason))) = (found.is_empty(), missing.first()) {
        let hint = text::hint(*reason);
        return Err(Failure::new(format!("{target}: no sample size, since {reason}")).hint(hint));
    }
    let effects: Vec<Effect> = found.iter().map(|(_, effect)| *effect).collect();
    let sizes = sample_sizes(&effects, basis.least, args.power, args.level);
    let sizes = sizes.ok_or_else(|| {
        Failure::new("no sample size follows from these settings")
            .hint("move --detect, --power and --level closer to their usual values")
    })?;
    let too_many =
        |size: &&sureness_conformal::SampleSize| size.calibration.max(size.test) > MAX_QUESTIONS;
    if sizes.sizes.iter().any(|size| too_many(&size)) {
        return Err(
            Failure::new("more than a billion questions would be needed")
                .hint("give --detect a larger difference"),
        );
    }
    let targets: Vec<Target> = found.into_iter().map(|(target, _)| target).collect();
    terminal::print(&text::text(args, &basis, &targets, &sizes, &missing))?;
    Ok(ExitCode::SUCCESS)
}
