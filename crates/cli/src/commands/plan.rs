//! `sureness plan`: how many questions a comparison of two models takes, before any is asked.

mod basis;
mod text;

use std::process::ExitCode;

use sureness_bench::Failure;
use sureness_conformal::{Effect, sample_sizes};

use crate::args::plan::PlanArgs;
use crate::args::target::Target;
use crate::show::terminal;
use basis::Basis;

/// More questions than anyone asks.
const MOST: usize = 1_000_000_000;

/// Works out the numbers and prints them.
pub(crate) fn run(args: &PlanArgs) -> Result<ExitCode, Failure> {
    let basis = Basis::of(args)?;
    if args.price_in.is_some() && basis.tokens.is_none() {
        return Err(
            Failure::new("the earlier run has no token counts to put a price on")
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
        return Err(Failure::new(format!("{target}: no number, since {reason}")).hint(hint));
    }
    let effects: Vec<Effect> = found.iter().map(|(_, effect)| *effect).collect();
    let sizes = sample_sizes(&effects, basis.least, args.power, args.level);
    let sizes = sizes.ok_or_else(|| {
        Failure::new("no sample size follows from these numbers")
            .hint("--detect, --power and --level closer to their usual values give one")
    })?;
    let too_many = |size: &&sureness_conformal::SampleSize| size.calibration.max(size.test) > MOST;
    if sizes.sizes.iter().any(|size| too_many(&size)) {
        return Err(
            Failure::new("more than a billion questions would be needed")
                .hint("ask --detect for a larger difference"),
        );
    }
    let targets: Vec<Target> = found.into_iter().map(|(target, _)| target).collect();
    terminal::print(&text::of(args, &basis, &targets, &sizes, &missing))?;
    Ok(ExitCode::SUCCESS)
}
