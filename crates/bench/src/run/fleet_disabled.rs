//! Replaces `fleet` in builds without `nats`.

use super::OpenedModel;
use crate::error::Failure;
use crate::live::Board;
use crate::models::open::Model;
use crate::settings::{Asking, FleetSettings};
use crate::watch::Watch;

/// Uninhabited: built without `nats`.
pub(super) enum Fleet {}

#[expect(clippy::unused_async, reason = "the same signatures as with workers")]
impl Fleet {
    pub(super) async fn open(
        fleet: &FleetSettings,
        _: &Asking,
        _: &[Model],
        _: &dyn Watch,
        _: Board,
    ) -> Result<Self, Failure> {
        match *fleet {}
    }

    pub(super) async fn open_model(&self, _: &Model) -> Result<OpenedModel, Failure> {
        match *self {}
    }

    pub(super) async fn gives_up(&self, _: &Model) -> Failure {
        match *self {}
    }

    pub(super) fn answered_twice(&self, _: u16) -> u64 {
        match *self {}
    }

    pub(super) async fn finish(&self) {
        match *self {}
    }
}
