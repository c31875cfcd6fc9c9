//! The flags of a judge of equivalence.

use clap::Args;
use sureness_bench::JudgeSettings;
use sureness_scorers::http::Api;

use super::values::price;

/// Flags of a judge for open questions.
#[derive(Debug, Clone, Args)]
pub(crate) struct JudgeArgs {
    /// Model that says which answers to an open question mean the same, by its name on its server; without
    /// it, answers that are equal in normal form are one meaning
    #[arg(long, value_name = "NAME", help_heading = "Judge")]
    pub(crate) judge: Option<String>,
    /// Address of the judge's server [default: the first --api-base]
    #[arg(long, value_name = "URL", requires = "judge", help_heading = "Judge")]
    pub(crate) judge_base: Option<String>,
    /// Environment variable that holds the key for --judge-base
    #[arg(
        long,
        value_name = "NAME",
        default_value = "SURENESS_JUDGE_API_KEY",
        help_heading = "Judge"
    )]
    pub(crate) judge_key_env: String,
    /// Protocol that the judge is asked in: completions, chat, responses, messages (Anthropic's)
    #[arg(
        long,
        value_name = "API",
        default_value = "chat",
        help_heading = "Judge"
    )]
    pub(crate) judge_api: Api,
    /// Pairs of different answers that are compared for one question at most, those of frequent answers
    /// first; each takes one request, or two where the first says yes
    #[arg(long, value_name = "N", default_value_t = JudgeSettings::PAIRS, help_heading = "Judge")]
    pub(crate) judge_pairs: std::num::NonZeroU32,
    /// Price of a million prompt tokens of the judge
    #[arg(long, value_name = "PRICE", value_parser = price, requires = "judge", requires = "judge_price_out", help_heading = "Judge")]
    pub(crate) judge_price_in: Option<f64>,
    /// Price of a million answer tokens of the judge
    #[arg(long, value_name = "PRICE", value_parser = price, requires = "judge", requires = "judge_price_in", help_heading = "Judge")]
    pub(crate) judge_price_out: Option<f64>,
}
