//! How a model's answers become probabilities of the options.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The way of asking: how a model's answers become probabilities of the options.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Answers {
    /// The log-probabilities of the option letters as the next token.
    #[default]
    Letters,
    /// How often each option was chosen in several answers, as the paper did for GPT-4 (Ye et al.,
    /// arXiv 2401.12794, section 5.4).
    Sampled(Sampled),
}

/// Answers drawn from a model and read as text.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sampled {
    /// Answers per question.
    pub samples: NonZeroU32,
    /// Sampling temperature.
    pub temperature: f64,
    /// Maximum tokens of an answer, thoughts included.
    pub max_tokens: NonZeroU32,
}

impl Default for Sampled {
    /// Twenty answers at the model's own temperature.
    fn default() -> Self {
        Self {
            samples: const { NonZeroU32::new(20).unwrap() },
            temperature: 1.0,
            max_tokens: const { NonZeroU32::new(256).unwrap() },
        }
    }
}

impl Answers {
    /// The settings of sampled answers.
    pub fn sampled(&self) -> Option<&Sampled> {
        match self {
            Self::Letters => None,
            Self::Sampled(sampled) => Some(sampled),
        }
    }

    /// Answers that are drawn for each question.
    pub fn draws(&self) -> NonZeroU32 {
        self.sampled()
            .map_or(NonZeroU32::MIN, |sampled| sampled.samples)
    }
}
