//! The flags that say when a comparison is settled.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use sureness_anytime::Metric;

use super::gate::UndecidedArg;
use super::values::open_share;

/// When to stop asking.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum When {
    /// Every pair of models is told apart, or shown to be equal within a margin.
    Settled,
    /// The second model is shown to be no worse than the first, or worse.
    Gate,
    /// The intervals of these figures are narrow enough.
    Width(Vec<Margin>),
}

/// Flags of stopping early.
#[derive(Debug, Clone, Args)]
pub(crate) struct UntilArgs {
    /// Stop early, with a guarantee that holds whenever it stops: `settled` when every pair of models is
    /// told apart or equal within --margin; `gate` when the second model is shown to be worse than the
    /// first, or no worse by as much as --margin; `width acc=2pp,size=0.2` when the intervals of each
    /// model's figures are at most so wide, from end to end
    #[arg(long, value_name = "WHEN", num_args = 1.., help_heading = "Stopping")]
    pub(crate) until: Vec<String>,
    /// Figures to settle: acc, size, uacc, or coverage with --thresholds [default: those of --margin, else
    /// acc and size]
    #[arg(long, value_name = "METRIC", num_args = 1.., value_delimiter = ',', requires = "until", help_heading = "Stopping")]
    pub(crate) metric: Vec<Metric>,
    /// Differences below which models count as equal, or by which the second may be worse, such as
    /// acc=1pp,size=0.1,uacc=1pp; size in options
    #[arg(long, value_name = "METRIC=DIFFERENCE", num_args = 1.., value_delimiter = ',', requires = "until", help_heading = "Stopping")]
    pub(crate) margin: Vec<Margin>,
    /// Probability that all verdicts and intervals are right, at all times at once
    #[arg(long, value_name = "SHARE", default_value_t = 0.95, value_parser = open_share, help_heading = "Stopping")]
    pub(crate) confidence: f64,
    /// Questions after which to stop in any case
    #[arg(long, value_name = "N", requires = "until", help_heading = "Stopping")]
    pub(crate) max_questions: Option<std::num::NonZeroUsize>,
    /// For coverage: the thresholds of an earlier run of these models on other questions, by its output
    /// folder or results.json
    #[arg(
        long,
        value_name = "PATH",
        requires = "until",
        help_heading = "Stopping"
    )]
    pub(crate) thresholds: Option<PathBuf>,
    /// Settle each task on its own, rather than the mean over tasks
    #[arg(long, requires = "until", help_heading = "Stopping")]
    pub(crate) per_task: bool,
    /// With --until gate: exit code where the questions do not suffice: 4, or that of a pass or of a
    /// failure
    #[arg(
        long,
        value_enum,
        value_name = "CODE",
        default_value = "report",
        help_heading = "Stopping"
    )]
    pub(crate) undecided: UndecidedArg,
}

impl UntilArgs {
    /// When to stop, if before all questions are asked.
    pub(crate) fn when(&self) -> Result<Option<When>, String> {
        let words = self.until.iter().flat_map(|text| text.split([' ', ',']));
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        match words[..] {
            [] if self.until.is_empty() => Ok(None),
            ["settled"] => Ok(Some(When::Settled)),
            ["gate"] => Ok(Some(When::Gate)),
            ["width"] => Err("width takes figures and their widths".into()),
            ["width", ref widths @ ..] => {
                let widths = widths.iter().map(|it| it.parse());
                Ok(Some(When::Width(widths.collect::<Result<_, _>>()?)))
            }
            _ => Err(format!("{:?} is unknown", words.join(" "))),
        }
    }
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

    fn until(words: &[&str]) -> UntilArgs {
        UntilArgs {
            until: words.iter().map(|&it| it.to_owned()).collect(),
            metric: Vec::new(),
            margin: Vec::new(),
            confidence: 0.95,
            max_questions: None,
            per_task: false,
            thresholds: None,
            undecided: UndecidedArg::Report,
        }
    }

    #[test]
    fn widths_come_in_one_word_or_in_several() {
        for words in [
            &["width acc=2pp,size=0.2"][..],
            &["width", "acc=2pp,size=0.2"],
            &["width", "acc=2pp", "size=0.2"],
        ] {
            let Ok(Some(When::Width(widths))) = until(words).when() else {
                panic!("{words:?}");
            };
            let widths: Vec<_> = widths.iter().map(|it| (it.metric, it.difference)).collect();
            assert_eq!(widths, [(Metric::Acc, 0.02), (Metric::Size, 0.2)]);
        }
        assert_eq!(until(&["gate"]).when(), Ok(Some(When::Gate)));
        assert_eq!(until(&[]).when(), Ok(None));
        for words in [
            &[""][..],
            &["width"],
            &["width", "acc=2"],
            &["settled", "acc=2pp"],
            &["never"],
        ] {
            assert!(until(words).when().is_err(), "{words:?}");
        }
    }

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
