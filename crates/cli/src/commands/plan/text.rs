//! The text of a plan.

use sureness_analysis::number::count;
use sureness_conformal::{NoVariance, SampleSizes};

use super::basis::{Basis, strategies};
use crate::args::plan::PlanArgs;
use crate::args::target::Target;
use crate::show::terminal::columns;

/// Models in a comparison.
const MODELS: f64 = 2.0;

/// The sample sizes as a table, with their assumptions.
pub(super) fn text(
    args: &PlanArgs,
    basis: &Basis,
    targets: &[Target],
    sizes: &SampleSizes,
    missing: &[(Target, NoVariance)],
) -> String {
    let mut text = format!(
        "Questions needed to detect a difference between two models with power {} at confidence level {}:\n\n",
        args.power, args.level
    );
    let mut header = vec!["difference", "questions", "calibration", "test", "requests"];
    if basis.tokens.is_some() {
        header.push("prompt tokens");
    }
    if args.price_in.is_some() {
        header.push("cost");
    }
    let right: Vec<usize> = (1..header.len()).collect();
    let mut rows = vec![header.into_iter().map(str::to_owned).collect::<Vec<_>>()];
    for (target, size) in targets.iter().zip(&sizes.sizes) {
        let questions = size.calibration + size.test;
        let requests = questions as f64 * basis.strategies * basis.orders * MODELS;
        let mut row = vec![
            target.to_string(),
            count(questions),
            count(size.calibration),
            count(size.test),
            count(requests.round() as usize),
        ];
        if let Some(tokens) = basis.tokens {
            row.push(count((requests * tokens).round() as usize));
            if let Some(price) = args.price_in {
                row.push(format!("{:.2}", requests * tokens / 1e6 * price));
            }
        }
        rows.push(row);
    }
    text.push_str(&columns(rows, &right));
    text.push('\n');
    for (target, size) in targets.iter().zip(&sizes.sizes) {
        if size.least {
            text.push_str(&format!(
                "{target}: set by the minimum for intervals, {} calibration and {} test questions; the difference alone needs fewer.\n",
                count(basis.least.calibration.ceil() as usize),
                count(basis.least.test.ceil() as usize),
            ));
        }
    }
    for (target, reason) in missing {
        text.push_str(&format!(
            "{target}: no sample size, since {reason}; {}.\n",
            hint(*reason)
        ));
    }
    text.push_str(&format!(
        "Use {:.0} % of the questions for calibration (--calibration-ratio {:.2}), the share that needs the fewest.\n",
        100.0 * sizes.share,
        sizes.share
    ));
    let orders = if basis.orders > 1.0 {
        format!(" × {:.2} orders of the options", basis.orders)
    } else {
        String::new()
    };
    text.push_str(&format!(
        "Requests are questions × {}{orders} × 2 models.\n",
        strategies(basis.strategies)
    ));
    for line in &basis.notes {
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// The hint for a target without a sample size.
pub(super) fn hint(reason: NoVariance) -> &'static str {
    match reason {
        NoVariance::TooFew | NoVariance::Full => "plan from a run with more questions",
        NoVariance::Constant => {
            "plan from runs whose models do not answer alike, and not all right or all wrong"
        }
        NoVariance::Irregular => {
            "use an --error-rate further from the share of questions whose last option is the right one"
        }
    }
}
