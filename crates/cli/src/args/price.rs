//! Flags for the prices of tokens.

use std::path::PathBuf;

use clap::Args;
use sureness_bench::Failure;
use sureness_bench::budget::{Budget, Prices};
use sureness_bench::prices::PriceList;

use super::values::price;

/// Prices of tokens, from flags or a file.
#[derive(Debug, Clone, Args)]
pub(crate) struct PriceArgs {
    /// Price of a million prompt tokens, in any currency; comes before --prices
    #[arg(long, value_name = "PRICE", value_parser = price, requires = "price_out", help_heading = "Cost")]
    pub(crate) price_in: Option<f64>,
    /// Price of a million prompt tokens from the server's cache [default: that of --price-in]
    #[arg(long, value_name = "PRICE", value_parser = price, requires = "price_in", help_heading = "Cost")]
    pub(crate) price_cached: Option<f64>,
    /// Price of a million answer tokens, thoughts included
    #[arg(long, value_name = "PRICE", value_parser = price, requires = "price_in", help_heading = "Cost")]
    pub(crate) price_out: Option<f64>,
    /// TOML file with the prices of a million tokens by model: a table per model, with `in`, `out` and, if
    /// you like, `cached` and `currency`
    #[arg(long, value_name = "FILE", help_heading = "Cost")]
    pub(crate) prices: Option<PathBuf>,
}

impl PriceArgs {
    /// The budget without limits.
    pub(crate) fn budget(&self) -> Result<Budget, Failure> {
        let flags = self.price_in.zip(self.price_out);
        Ok(Budget {
            prices: flags.map(|(prompt, answer)| Prices {
                prompt,
                cached: self.price_cached,
                answer,
                currency: None,
            }),
            list: self.prices.as_deref().map(PriceList::read).transpose()?,
            ..Budget::default()
        })
    }
}
