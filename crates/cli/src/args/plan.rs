//! The flags of `sureness plan`.

use std::path::PathBuf;

use clap::Args;
use sureness_conformal::{Config, Resampling};

use super::target::Target;
use super::values::{POSITIVE, number, open_share};

/// The accuracy of the reference model.
pub(crate) const ACCURACY: f64 = 0.6;
/// The options per question of the reference model: four and the two abstentions.
pub(crate) const OPTIONS: u8 = 6;
/// The prompt strategies of the reference model.
pub(crate) const STRATEGIES: u8 = 3;
/// The correlation of two models' figures over questions.
pub(crate) const CORRELATION: f64 = 0.3;

/// Flags of `plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Difference between two models to detect, such as size=0.1 (options), acc=2pp (percentage
    /// points) or uacc=0.03 (a share)
    #[arg(long, value_name = "FIGURE=DIFFERENCE", required = true, num_args = 1.., value_delimiter = ',')]
    pub(crate) detect: Vec<Target>,
    /// Probability of detecting the difference (power)
    #[arg(long, value_name = "SHARE", default_value_t = 0.8, value_parser = power)]
    pub(crate) power: f64,
    /// Confidence level of the comparison (1 minus the significance level)
    #[arg(long, value_name = "SHARE", default_value_t = Resampling::default().level, value_parser = open_share)]
    pub(crate) level: f64,
    #[arg(long, value_name = "SHARE", value_parser = open_share, help = format!(
        "Allowed share of prediction sets without the right answer (alpha) [default: {}, or that of the earlier run]",
        Config::default().alpha
    ))]
    pub(crate) error_rate: Option<f64>,

    /// Earlier runs to estimate standard errors from, as output folders or their sureness.sqlite;
    /// several models are compared by paired differences
    #[arg(long, value_name = "RUN", num_args = 1.., help_heading = "Basis")]
    pub(crate) from: Vec<PathBuf>,
    #[arg(long, value_name = "R", value_parser = correlation, help_heading = "Basis", help = format!(
        "Correlation of two models' results over questions, where it is not measured [default: {CORRELATION}]"
    ))]
    pub(crate) correlation: Option<f64>,
    /// Accuracy of the reference model
    #[arg(long, value_name = "SHARE", default_value_t = ACCURACY, value_parser = open_share, conflicts_with = "from", help_heading = "Basis")]
    pub(crate) accuracy: f64,
    /// Options per question, including abstention options
    #[arg(long, value_name = "N", default_value_t = OPTIONS, value_parser = clap::value_parser!(u8).range(2..=26), conflicts_with = "from", help_heading = "Basis")]
    pub(crate) options: u8,
    /// Prompt strategies that figures are averaged over
    #[arg(long, value_name = "N", default_value_t = STRATEGIES, value_parser = clap::value_parser!(u8).range(1..=20), conflicts_with = "from", help_heading = "Basis")]
    pub(crate) strategies: u8,

    /// Price per million prompt tokens, to show the cost; requires --from
    #[arg(long, value_name = "PRICE", value_parser = price, requires = "from")]
    pub(crate) price_in: Option<f64>,
}

/// Parses a power, from 0.5 to below 1.
fn power(text: &str) -> Result<f64, String> {
    number(text, 0.5..1.0, "a number from 0.5 to below 1, such as 0.8")
}

/// Parses a correlation, from 0 to below 1: at 1, models never differ.
fn correlation(text: &str) -> Result<f64, String> {
    number(text, 0.0..1.0, "a number from 0 to below 1, such as 0.3")
}

fn price(text: &str) -> Result<f64, String> {
    number(text, POSITIVE, "a price above 0, such as 0.15")
}
