//! The flags that say when a comparison is settled.

use std::str::FromStr;

use clap::{Args, ValueEnum};
use sureness_anytime::Metric;

use super::values::open_share;

/// When to stop asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum UntilArg {
    /// Every pair of models is told apart, or shown to be equal within --margin
    Settled,
}

/// Flags of stopping early.
#[derive(Debug, Clone, Args)]
pub(crate) struct UntilArgs {
    /// Stop when the comparison is settled, with a guarantee that holds whenever it stops
    #[arg(long, value_enum, value_name = "WHEN", help_heading = "Stopping")]
    pub(crate) until: Option<UntilArg>,
    /// Figures to settle: acc, size, uacc [default: those of --margin, else acc and size]
    #[arg(long, value_name = "METRIC", num_args = 1.., value_delimiter = ',', requires = "until", help_heading = "Stopping")]
    pub(crate) metric: Vec<Metric>,
    /// Differences below which models count as equal, such as acc=1pp,size=0.1,uacc=1pp; size in
    /// options
    #[arg(long, value_name = "METRIC=DIFFERENCE", num_args = 1.., value_delimiter = ',', requires = "until", help_heading = "Stopping")]
    pub(crate) margin: Vec<Margin>,
    /// Probability that all verdicts and intervals are right, at all times at once
    #[arg(long, value_name = "SHARE", default_value_t = 0.95, value_parser = open_share, help_heading = "Stopping")]
    pub(crate) confidence: f64,
    /// Questions after which to stop in any case
    #[arg(long, value_name = "N", requires = "until", help_heading = "Stopping")]
    pub(crate) max_questions: Option<std::num::NonZeroUsize>,
    /// Settle each task on its own, rather than the mean over tasks
    #[arg(long, requires = "until", help_heading = "Stopping")]
    pub(crate) per_task: bool,
}

/// The difference of one figure below which models count as equal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Margin {
    pub(crate) metric: Metric,
    /// A fraction, or options.
    pub(crate) difference: f64,
}

impl FromStr for Margin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once('=')
            .ok_or("must be METRIC=DIFFERENCE, such as acc=1pp")?;
        let metric: Metric = name.parse()?;
        let number = |text: &str| {
            let number = text.parse::<f64>().ok();
            number.filter(|it| it.is_finite() && *it > 0.0)
        };
        let points = value.strip_suffix("pp").and_then(number);
        let difference = match (metric.is_share(), points) {
            (true, Some(points)) if points < 100.0 => Some(points / 100.0),
            (true, _) => None,
            (false, _) => number(value),
        };
        let expected = if metric.is_share() {
            format!("{name} takes percentage points above 0, such as {name}=1pp")
        } else {
            format!("{name} takes a number of options above 0, such as {name}=0.1")
        };
        let difference = difference.ok_or(expected)?;
        Ok(Self { metric, difference })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_have_units() {
        let margin: Margin = "acc=1.5pp".parse().unwrap();
        assert_eq!((margin.metric, margin.difference), (Metric::Acc, 0.015));
        let margin: Margin = "size=0.1".parse().unwrap();
        assert_eq!((margin.metric, margin.difference), (Metric::Size, 0.1));
        for (text, says) in [
            ("acc=1", "acc takes percentage points"),
            ("acc=0.01", "acc=1pp"),
            ("uacc=-1pp", "uacc takes"),
            ("acc=100pp", "acc takes"),
            ("size=1pp", "size takes a number of options"),
            ("size=0", "above 0"),
            ("f1=1pp", "unknown metric"),
            ("coverage=1", "coverage takes percentage points"),
            ("acc", "METRIC=DIFFERENCE"),
            ("acc=NaNpp", "acc takes"),
        ] {
            let error = text.parse::<Margin>().unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
