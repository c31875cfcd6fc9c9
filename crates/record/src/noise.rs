//! The noise floor of a server.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much a server's scores of the same questions moved: asked one by one, all at once, and one
/// by one again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Noise {
    /// How many questions.
    pub questions: usize,
    /// The largest difference of an option's log-probability between two rounds, in nats.
    pub largest_difference: f64,
    /// Questions whose most probable option changed.
    pub changed_top_options: usize,
}
