//! What the probe tells about a server.

use serde::{Deserialize, Serialize};
use sureness_record::percentage;

use crate::Opening;

/// Mass on a trial question below which the letters are improbable. Questions of a run come with
/// few-shot examples, which help, so that this is lower than what marks the figures of a run.
const IMPROBABLE: f64 = 0.01;

/// How a model answers a trial question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Letters {
    /// Total probability of the four letters.
    pub mass: f64,
    /// The most probable token.
    pub first: String,
    /// Whether the server declares the answer a thought (`reasoning_content`).
    pub thinks: bool,
    /// Whether an answer follows the thought: its probabilities are those after one thought of many.
    #[serde(default)]
    pub after_thought: bool,
    /// Whether the model was asked through its chat template.
    pub chat: bool,
}

impl Letters {
    /// What the model begins with.
    pub fn opening(&self) -> Opening {
        if self.thinks {
            Opening::Thought
        } else {
            Opening::of(&self.first)
        }
    }

    /// Whether the letters would be read from the tail of the distribution, inside a thought or after
    /// one.
    pub fn are_improbable(&self) -> bool {
        // Some servers call every answer of a thinking model a thought, so that the mass counts.
        self.mass < IMPROBABLE || (self.thinks && self.mass < 0.5) || self.after_thought
    }

    /// How probable the letters are, and what the model begins with.
    pub fn found(&self) -> String {
        let share = percentage(self.mass);
        let begins = if self.after_thought {
            format!("the model thinks before it answers {:?}", self.first)
        } else if self.thinks {
            format!("the model begins with a thought ({:?})", self.first)
        } else {
            format!("the model begins with {:?}", self.first)
        };
        format!("{share} of the probability on a trial question; {begins}")
    }
}
