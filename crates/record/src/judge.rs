//! The judge of a run's open questions.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ModelIdentity;

/// A model that says which answers to an open question mean the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Judge {
    /// The model, and how it is asked.
    pub model: ModelIdentity,
    /// Pairs of different answers that are compared for one question at most.
    pub pairs: NonZeroU32,
    /// Version of what the judge is asked and of the order of comparisons.
    pub method: u32,
}
