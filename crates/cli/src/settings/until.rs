//! When to stop asking.

use sureness_analysis::settled::Stopping;
use sureness_anytime::{Goal, Metric};
use sureness_bench::Failure;

use crate::args::until::{Margin, UntilArgs, When};

/// Figures, each with its margin or width.
type Metrics = Vec<(Metric, Option<f64>)>;

/// When to stop; `None` for all questions.
pub(crate) fn stopping(args: &UntilArgs) -> Result<Option<Stopping>, Failure> {
    let when = args.when().map_err(|error| {
        Failure::new(format!("--until: {error}"))
            .hint("write --until settled, --until gate, or --until width acc=2pp,size=0.2")
    })?;
    let Some(when) = when else { return Ok(None) };
    let (goal, metrics) = match when {
        When::Settled => (Goal::Settled, settled(args)?),
        When::Gate => (Goal::Gate, gate(args)?),
        When::Width(widths) => (Goal::Width, width(args, &widths)?),
    };
    check(goal, &metrics)?;
    Ok(Some(Stopping {
        goal,
        confidence: args.confidence,
        metrics,
        max_questions: args.max_questions.map(usize::from),
        per_task: args.per_task,
    }))
}

/// The figures of --metric, else those of --margin.
fn settled(args: &UntilArgs) -> Result<Metrics, Failure> {
    let margins = each_once("--margin", &args.margin)?;
    let mut metrics: Vec<Metric> = if !args.metric.is_empty() {
        args.metric.clone()
    } else if margins.is_empty() {
        vec![Metric::Acc, Metric::Size]
    } else {
        margins.iter().map(|margin| margin.0).collect()
    };
    metrics.sort_unstable();
    metrics.dedup();
    let margin = |metric| margins.iter().find(|it| it.0 == metric)?.1;
    Ok(metrics.into_iter().map(|it| (it, margin(it))).collect())
}

/// The figures of --margin, or accuracy within one point, as `sureness gate` has it.
fn gate(args: &UntilArgs) -> Result<Metrics, Failure> {
    if !args.metric.is_empty() {
        return Err(Failure::new("--metric does not go with --until gate")
            .hint("name each figure with its margin: --margin acc=1pp,size=0.1"));
    }
    if args.margin.is_empty() {
        return Ok(vec![(Metric::Acc, Some(0.01))]);
    }
    each_once("--margin", &args.margin)
}

fn width(args: &UntilArgs, widths: &[Margin]) -> Result<Metrics, Failure> {
    for (given, flag) in [
        (!args.metric.is_empty(), "--metric"),
        (!args.margin.is_empty(), "--margin"),
    ] {
        if given {
            return Err(
                Failure::new(format!("{flag} does not go with --until width"))
                    .hint("name each figure with its width: --until width acc=2pp,size=0.2"),
            );
        }
    }
    each_once("--until width", widths)
}

/// The figures in order; refuses one that is named twice.
fn each_once(flag: &str, given: &[Margin]) -> Result<Metrics, Failure> {
    let mut metrics: Metrics = Vec::with_capacity(given.len());
    for margin in given {
        if metrics.iter().any(|(metric, _)| *metric == margin.metric) {
            return Err(
                Failure::new(format!("{flag} names {} twice", margin.metric))
                    .hint("name each figure once"),
            );
        }
        metrics.push((margin.metric, Some(margin.difference)));
    }
    metrics.sort_unstable_by_key(|it| it.0);
    Ok(metrics)
}

/// Refuses figures of which nothing is known before all questions are asked.
fn check(goal: Goal, metrics: &Metrics) -> Result<(), Failure> {
    let mut metrics = metrics.iter().map(|it| it.0);
    let Some(metric) = metrics.find(|it| !Metric::SETTLED.contains(it)) else {
        return Ok(());
    };
    let why = match metric {
        Metric::Ece => "its bins bias it where questions are few",
        _ => "it needs a calibration set that is complete before the first test question",
    };
    let verb = match goal {
        Goal::Settled => "settle",
        Goal::Gate => "decide a gate on",
        Goal::Width => "narrow",
    };
    Err(
        Failure::new(format!("--until cannot {verb} {metric}: {why}"))
            .hint("name acc, size or uacc; `sureness gate` compares all figures of finished runs"),
    )
}
