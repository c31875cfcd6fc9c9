//! The flags of `sureness status`.

use clap::Args;

use super::nats::NatsArgs;
use crate::show::output_format::OutputFormat;

/// Flags of `status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) nats: NatsArgs,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) output: OutputFormat,
}
