//! When to stop asking.

use sureness_analysis::settled::{Deployed, Incomparable, Stopping};
use sureness_anytime::{Goal, Metric};
use sureness_bench::Failure;
use sureness_report::Results;

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
    let deployed = deployed(args, &metrics)?;
    check(goal, &metrics, deployed.is_some())?;
    Ok(Some(Stopping {
        goal,
        confidence: args.confidence,
        metrics,
        deployed,
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

/// The thresholds of an earlier run, for coverage.
fn deployed(args: &UntilArgs, metrics: &Metrics) -> Result<Option<Deployed>, Failure> {
    let Some(path) = &args.thresholds else {
        return Ok(None);
    };
    if !metrics.iter().any(|it| it.0 == Metric::Coverage) {
        return Err(
            Failure::new("--thresholds is for coverage, which is not asked for")
                .hint("name it: --until width coverage=2pp, or --margin coverage=2pp"),
        );
    }
    let path = if path.is_dir() {
        &path.join("results.json")
    } else {
        path
    };
    let shown = path.display();
    let hint = "name the output folder of a run, or its results.json";
    let text = std::fs::read(path)
        .map_err(|e| Failure::new(format!("--thresholds: cannot read {shown}: {e}")).hint(hint))?;
    let results: Results = serde_json::from_slice(&text).map_err(|e| {
        Failure::new(format!("--thresholds: {shown} is not a run's results: {e}")).hint(hint)
    })?;
    let deployed = Deployed::of(&results, &shown.to_string());
    deployed
        .map(Some)
        .map_err(|Incomparable(reason)| Failure::new(format!("--thresholds: {reason}")).hint(hint))
}

/// Refuses figures of which nothing is known before all questions are asked.
fn check(goal: Goal, metrics: &Metrics, has_thresholds: bool) -> Result<(), Failure> {
    let can = |metric: &Metric| {
        Metric::SETTLED.contains(metric) || (has_thresholds && *metric == Metric::Coverage)
    };
    let mut metrics = metrics.iter().map(|it| it.0);
    let Some(metric) = metrics.find(|it| !can(it)) else {
        return Ok(());
    };
    let why = match metric {
        Metric::Ece => "its bins bias it where questions are few",
        _ => {
            "it needs a calibration set that is complete before the first test question; give the thresholds of \
             an earlier run with --thresholds"
        }
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
