//! Stands in for the workers on other machines in a build without them.

use super::Reached;
use super::models::Model;
use super::progress::Screen;
use crate::commands::run::RunArgs;
use crate::error::CliError;
use crate::metrics::Metrics;

/// Uninhabited: built without `nats`.
pub(super) enum Fleet {}

/// Whether the run has workers on other machines.
pub(super) fn is_wanted(_: &RunArgs) -> bool {
    false
}

#[expect(clippy::unused_async, reason = "the same signatures as with workers")]
impl Fleet {
    pub(super) async fn open(_: &RunArgs, _: &[Model], _: &Screen) -> Result<Self, CliError> {
        Err(
            CliError::input("this build of sureness has no workers on other machines")
                .hint("build it with the feature `nats`"),
        )
    }

    pub(super) fn tell(&self, _: &Metrics) {
        match *self {}
    }

    pub(super) async fn reach(&self, _: &Model, _: &RunArgs) -> Result<Reached, CliError> {
        match *self {}
    }

    pub(super) async fn gives_up(&self, _: &Model) -> CliError {
        match *self {}
    }

    pub(super) fn asked_twice(&self, _: u16) -> u64 {
        match *self {}
    }

    pub(super) async fn finish(&self) {
        match *self {}
    }
}
