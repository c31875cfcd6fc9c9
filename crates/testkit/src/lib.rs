//! What the tests of several crates share.
//!
//! [`shared`] finds the folder of real data, [`says`] and [`ends_with`] check what a program
//! printed, [`results_in`] and [`figures_in`] read what it wrote. With the feature `processes`,
//! `Case` runs `sureness` against a fault server and `Nats` starts a broker; with `hub`, `HubServer` is
//! a hub of data sets; with `browser`, `browser::Browser` is
//! a Chromium.
//!
//! ```
//! sureness_testkit::says("error: no such file\nhint: check the path", &["no such", "hint: "]);
//! ```

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
