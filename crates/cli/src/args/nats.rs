//! Flags of commands that connect to a NATS server.

use std::path::PathBuf;

use clap::Args;
use sureness_bench::Failure;
use sureness_fleet::{Access, RunName};

/// The NATS server of a run and how to sign in.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Machines")]
pub(crate) struct NatsArgs {
    /// NATS server that connects the machines of a run, such as `nats://host:4222`
    #[arg(
        long,
        value_name = "URL",
        num_args = 1..,
        value_delimiter = ',',
        env = "SURENESS_NATS",
        hide_env_values = true,
    )]
    pub(crate) nats: Vec<String>,
    /// Name of the run; workers join the run of the same name
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) run_name: RunName,
    /// File with the NATS user's credentials
    #[arg(long, value_name = "FILE")]
    pub(crate) nats_creds: Option<PathBuf>,
    /// File with the NATS user's `NKey` seed
    #[arg(long, value_name = "FILE")]
    pub(crate) nats_nkey: Option<PathBuf>,
    /// File with the CA certificates of the NATS server
    #[arg(long, value_name = "FILE")]
    pub(crate) nats_ca: Option<PathBuf>,
    /// File with the client certificate for the NATS server
    #[arg(long, value_name = "FILE", requires = "nats_key")]
    pub(crate) nats_cert: Option<PathBuf>,
    /// File with the private key of the client certificate
    #[arg(long, value_name = "FILE", requires = "nats_cert")]
    pub(crate) nats_key: Option<PathBuf>,
}

impl NatsArgs {
    /// The connection settings.
    pub(crate) fn access(&self) -> Access {
        Access {
            servers: self.nats.clone(),
            credentials: self.nats_creds.clone(),
            nkey: self.nats_nkey.clone(),
            root_certificates: self.nats_ca.clone(),
            client_certificate: self.nats_cert.clone().zip(self.nats_key.clone()),
        }
    }

    /// Fails if no server is given.
    pub(crate) fn required(&self) -> Result<(), Failure> {
        if self.nats.is_empty() {
            return Err(Failure::new("no NATS server given")
                .hint("give --nats nats://HOST:4222, or set SURENESS_NATS"));
        }
        Ok(())
    }
}
