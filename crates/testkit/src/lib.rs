#![doc = include_str!("../README.md")]
#![expect(
    clippy::missing_panics_doc,
    reason = "a helper of tests panics where the test is to fail"
)]

#[cfg(feature = "browser")]
pub mod browser;
#[cfg(feature = "processes")]
mod case;
#[cfg(feature = "hub")]
mod hub;
#[cfg(feature = "processes")]
mod nats;
mod output;
mod process;

use std::path::{Path, PathBuf};

#[cfg(feature = "processes")]
pub use case::{Case, program};
#[cfg(feature = "hub")]
pub use hub::HubServer;
#[cfg(feature = "processes")]
pub use nats::Nats;
pub use output::{ends_with, figures_in, results_in, says, text};
pub use process::{PATIENCE, Process, wait_for};

/// A path below the folder of real data, `""` for the folder itself.
///
/// The folder is `../shared` beside the checkout, or `SURENESS_SHARED`. If the path is absent, the
/// test is [skipped](skip).
pub fn shared(path: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("SURENESS_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let found = folder.join(path).canonicalize().ok();
    if found.is_none() {
        skip(&format!("../shared/{path} is missing"));
    }
    found
}

/// Prints why a test does not run.
///
/// # Panics
///
/// With `CI` set, where nothing may be missing.
#[track_caller]
pub fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "in CI: {why}");
    eprintln!("skipped: {why}");
}
