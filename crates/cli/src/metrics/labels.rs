//! Labels of metrics. All come from the command line. An endpoint is labelled by its number, since
//! its address may contain a password.

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;

/// One model.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ModelLabels {
    pub(super) model: Arc<String>,
}

/// One (task, strategy) of a model.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct GroupLabels {
    pub(super) model: Arc<String>,
    pub(super) task: Arc<String>,
    pub(super) strategy: Arc<String>,
}

/// A kind of failure in a group.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct FailureLabels {
    model: Arc<String>,
    task: Arc<String>,
    strategy: Arc<String>,
    kind: &'static str,
}

impl FailureLabels {
    pub(super) fn of(group: &GroupLabels, kind: &'static str) -> Self {
        Self {
            model: Arc::clone(&group.model),
            task: Arc::clone(&group.task),
            strategy: Arc::clone(&group.strategy),
            kind,
        }
    }
}

/// A kind of failure of a model.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct KindLabels {
    pub(super) model: Arc<String>,
    pub(super) kind: &'static str,
}

/// One endpoint of a model, by its number from 1.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct EndpointLabels {
    pub(super) model: Arc<String>,
    pub(super) endpoint: u64,
}

/// An outcome of requests to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct AttemptLabels {
    pub(super) model: Arc<String>,
    pub(super) endpoint: u64,
    pub(super) outcome: &'static str,
}
