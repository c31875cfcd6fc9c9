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
    /// The letters' log-probabilities after a thought of the model's, averaged over several thoughts.
    Reasoned(Reasoned),
}

/// Answers drawn from a model and read as text.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sampled {
    /// Answers per question; at most, with `within`.
    pub samples: NonZeroU32,
    /// Half-width of the 95 % interval of the most frequent answer's share at which no more answers are drawn to
    /// a question. Absent where each gets as many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<f64>,
    /// Sampling temperature.
    pub temperature: f64,
    /// Maximum tokens of an answer, thoughts included.
    pub max_tokens: NonZeroU32,
}

/// Thoughts drawn from a model, after each of which the letters are scored.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reasoned {
    /// Thoughts per question.
    pub thoughts: NonZeroU32,
    /// Sampling temperature of thoughts.
    pub temperature: f64,
    /// Maximum tokens of a thought; with 0 there is none, as for [`Answers::Letters`].
    pub think_tokens: u32,
}

impl Default for Reasoned {
    /// One thought of up to 512 tokens at the model's own temperature.
    fn default() -> Self {
        Self {
            thoughts: NonZeroU32::MIN,
            temperature: 1.0,
            think_tokens: 512,
        }
    }
}

impl Default for Sampled {
    /// Twenty answers at the model's own temperature.
    fn default() -> Self {
        Self {
            samples: const { NonZeroU32::new(20).unwrap() },
            within: None,
            temperature: 1.0,
            max_tokens: const { NonZeroU32::new(256).unwrap() },
        }
    }
}

/// Answers that are added to each option, so that an option which none chooses has a logarithm. Among
/// questions with equally many answers this changes no LAC set: it maps all shares alike.
const UNSEEN: f64 = 0.01;

/// The logarithm of each option's share among the answers that choose one, where `chosen` counts these
/// per option. An option that none chooses counts as a hundredth of an answer.
///
/// ```
/// let shares = sureness_record::log_shares(&[3, 0, 1]);
/// assert!((shares[0].exp() - 3.01 / 4.03).abs() < 1e-12);
/// assert!((shares[1].exp() - 0.01 / 4.03).abs() < 1e-12);
/// ```
pub fn log_shares(chosen: &[u32]) -> Vec<f64> {
    let all: f64 = chosen.iter().map(|&count| f64::from(count) + UNSEEN).sum();
    let share = |&count: &u32| ((f64::from(count) + UNSEEN) / all).ln();
    chosen.iter().map(share).collect()
}

/// Logits whose softmax is the tempered softmax of the shares: each option's share over `temperature`.
/// An option that none chooses keeps a probability, the larger the higher the temperature.
///
/// ```
/// let logits = sureness_record::tempered_shares(&[3, 0, 1], 0.5);
/// assert_eq!(logits, [1.5, 0.0, 0.5]);
/// ```
pub fn tempered_shares(chosen: &[u32], temperature: f64) -> Vec<f64> {
    let all = f64::from(chosen.iter().sum::<u32>().max(1));
    let logit = |&count: &u32| f64::from(count) / all / temperature;
    chosen.iter().map(logit).collect()
}

impl Answers {
    /// The settings of sampled answers.
    pub fn sampled(&self) -> Option<&Sampled> {
        match self {
            Self::Sampled(sampled) => Some(sampled),
            Self::Letters | Self::Reasoned(_) => None,
        }
    }

    /// Answers or thoughts that are drawn for each question; `None` where there is nothing to draw.
    pub fn draws(&self) -> Option<NonZeroU32> {
        match self {
            Self::Letters => None,
            Self::Sampled(sampled) => Some(sampled.samples),
            Self::Reasoned(reasoned) => Some(reasoned.thoughts),
        }
    }

    /// The name on the command line and in a model's identity.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Letters => "letters",
            Self::Sampled(_) => "sampled",
            Self::Reasoned(_) => "reasoned",
        }
    }
}
