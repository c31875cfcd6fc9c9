//! Messages through the broker.
//!
//! Units and results are [postcard](https://postcard.jamesmunns.com/wire-format) behind one byte
//! with the format's version: floats arrive bit for bit, and a unit of a hundred questions is a few
//! dozen kilobytes. Messages that people may want to read on the wire (greetings, heartbeats,
//! status) are JSON. No message holds a secret: keys for servers stay with the workers.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sureness_scorers::{ModelIdentity, OptionScores, RequestKey, ScoreError, Usage};

/// Version of the binary messages.
const VERSION: u8 = 1;
/// Maximum size of a message. Brokers allow a mebibyte by default.
pub const MAX_BYTES: usize = 8 << 20;

/// A message that cannot be read.
#[derive(Debug, Clone, thiserror::Error)]
#[error("malformed message: {0}")]
pub struct Malformed(String);

/// Questions in one message. They share their prompts' prefix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    /// Unique in the run.
    pub id: u64,
    /// Digest of the model to ask.
    pub model: [u8; 32],
    /// Name of the group, whose prefix begins each prompt.
    pub group: String,
    /// Lists of option labels; each question names one.
    pub labels: Vec<Vec<String>>,
    /// The questions.
    pub items: Vec<Item>,
    /// Workers that have failed these questions.
    pub avoid: Vec<String>,
}

/// One question of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Content key of the request.
    pub key: [u8; 32],
    /// The prompt after the prefix.
    pub suffix: String,
    /// Index into the unit's lists of labels.
    pub labels: u16,
}

/// The outcome of a unit, or of a part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnitResult {
    /// The unit.
    pub unit: u64,
    /// Digest of the model that was asked.
    pub model: [u8; 32],
    /// The worker that asked.
    pub worker: String,
    /// Whether the worker is done with the unit. Questions without an outcome are given back.
    pub last: bool,
    /// Content keys with their outcomes.
    pub answers: Vec<([u8; 32], Outcome)>,
}

/// Scores, or an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// Log-probabilities, whether each was observed, mass, prompt tokens and cached tokens: see
    /// [`OptionScores`].
    Scores(Vec<f64>, Vec<bool>, f64, Option<u32>, Option<u32>),
    /// A [`ScoreError`] as JSON, since postcard cannot represent tagged enums.
    Failed(String),
}

impl From<Result<OptionScores, ScoreError>> for Outcome {
    fn from(outcome: Result<OptionScores, ScoreError>) -> Self {
        match outcome {
            Ok(scores) => Self::Scores(
                scores.logprobs,
                scores.observed,
                scores.mass,
                scores.usage.prompt_tokens,
                scores.usage.cached_tokens,
            ),
            Err(error) => Self::Failed(serde_json::to_string(&error).unwrap_or_default()),
        }
    }
}

impl Outcome {
    /// The outcome as the engine represents it. Invalid scores become an error.
    pub fn into_scores(self, options: usize) -> Result<OptionScores, ScoreError> {
        match self {
            Self::Scores(logprobs, observed, mass, prompt_tokens, cached_tokens) => {
                let fits = logprobs.len() == options && observed.len() == options;
                if !fits || logprobs.iter().any(|p| p.is_nan()) || !mass.is_finite() {
                    return Err(ScoreError::Malformed {
                        message: "a worker sent scores that do not fit the question".into(),
                    });
                }
                Ok(OptionScores {
                    logprobs,
                    observed,
                    mass,
                    usage: Usage {
                        prompt_tokens,
                        cached_tokens,
                        answer_tokens: None,
                    },
                    words: None,
                })
            }
            Self::Failed(text) => {
                Err(
                    serde_json::from_str(&text).unwrap_or_else(|_| ScoreError::Malformed {
                        message: "a worker sent an error that cannot be read".into(),
                    }),
                )
            }
        }
    }
}

/// The common part of a group's questions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupAbout {
    /// The beginning of every prompt of the group.
    pub prefix: String,
}

/// A worker asks to take part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// The worker's name, unique in the run.
    pub worker: String,
    /// Its version.
    pub program: String,
    /// Its model.
    pub model: ModelIdentity,
}

/// The coordinator's answer to a greeting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Welcome {
    /// The worker takes part in this lane.
    Take {
        /// The lane.
        lane: u16,
        /// Seconds after which a unit that its worker does not extend goes to another.
        unit_timeout_s: f64,
    },
    /// The worker does not fit this run.
    Refused {
        /// The reason.
        reason: String,
    },
}

/// A worker's heartbeat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beat {
    /// The worker's name.
    pub worker: String,
    /// Its lane.
    pub lane: u16,
    /// Its model's name.
    pub model: String,
    /// Questions that it can have in flight.
    pub capacity: usize,
    /// Questions that it holds.
    pub held: usize,
    /// Ids of the units that it holds.
    pub units: Vec<u64>,
    /// Questions that it has answered since its start.
    pub answered: u64,
    /// Questions that it has failed.
    pub failed: u64,
    /// Messages that it could not read.
    pub malformed: u64,
    /// Answers per second lately.
    pub rate: f64,
    /// Whether it is about to leave.
    pub leaving: bool,
}

/// A worker's query about a unit that it has received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenQuery {
    /// The worker's name.
    pub worker: String,
    /// The unit.
    pub unit: u64,
    /// Whether the worker holds no other unit.
    pub alone: bool,
    /// Content keys of its questions.
    pub keys: Vec<[u8; 32]>,
}

/// A unit with which so many workers were lost is suspicious. A worker that takes it holds no other
/// unit meanwhile, so that no other is blamed, and asks its questions one by one, to find the one
/// that kills workers.
pub const SUSPICIOUS: u32 = 2;

/// The coordinator's answer to a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenReply {
    /// Whether the unit is not for this worker now: another live worker holds it, which the broker
    /// has forgotten; or it is suspicious, and this worker holds others.
    pub taken: bool,
    /// How many workers were lost with it.
    pub losses: u32,
    /// For each key, whether it has no answer yet.
    pub open: Vec<bool>,
}

/// Packs a binary message.
pub fn pack<T: Serialize>(message: &T) -> Vec<u8> {
    // Postcard can represent all of the types above.
    postcard::to_extend(message, vec![VERSION]).unwrap_or_default()
}

/// Unpacks a binary message.
pub fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Malformed> {
    if bytes.len() > MAX_BYTES {
        return Err(Malformed(format!("{} bytes exceed the limit", bytes.len())));
    }
    match bytes.split_first() {
        Some((&VERSION, rest)) => {
            let (message, rest) =
                postcard::take_from_bytes(rest).map_err(|e| Malformed(e.to_string()))?;
            if rest.is_empty() {
                Ok(message)
            } else {
                Err(Malformed(format!("{} trailing bytes", rest.len())))
            }
        }
        Some((version, _)) => Err(Malformed(format!(
            "version {version} of the format; this program knows {VERSION}"
        ))),
        None => Err(Malformed("it is empty".into())),
    }
}

/// The key as the scorers know it.
pub(crate) fn key(bytes: [u8; 32]) -> RequestKey {
    RequestKey(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    #[test]
    fn scores_arrive_bit_for_bit() {
        let scores = OptionScores {
            logprobs: vec![-0.1, f64::NEG_INFINITY, -1e-300, 0.1 + 0.2],
            observed: vec![true, false, true, true],
            mass: 0.999_999_999_999,
            usage: Usage {
                prompt_tokens: Some(120),
                cached_tokens: None,
                answer_tokens: None,
            },
            words: None,
        };
        let sent = UnitResult {
            unit: 7,
            model: [3; 32],
            worker: "w".into(),
            last: true,
            answers: vec![([1; 32], Ok(scores.clone()).into())],
        };
        let came: UnitResult = unpack(&pack(&sent)).unwrap();
        assert_eq!(came, sent);
        let (_, outcome) = came.answers.into_iter().next().unwrap();
        assert_eq!(outcome.into_scores(4).unwrap(), scores);
    }

    #[test]
    fn failures_keep_their_type() {
        let error = ScoreError::Server {
            status: 503,
            retry_after: Some(Duration::from_millis(1500)),
            message: "busy".into(),
        };
        let outcome = Outcome::from(Err(error.clone()));
        assert_eq!(outcome.into_scores(4), Err(error));
    }

    #[test]
    fn scores_of_another_question_are_refused() {
        let outcome = Outcome::Scores(vec![-1.0; 5], vec![true; 5], 0.5, None, None);
        assert!(matches!(
            outcome.into_scores(6),
            Err(ScoreError::Malformed { .. })
        ));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = unpack::<Unit>(&bytes);
            let _ = unpack::<UnitResult>(&bytes);
            let versioned: Vec<u8> = std::iter::once(VERSION).chain(bytes).collect();
            let _ = unpack::<Unit>(&versioned);
            let _ = unpack::<UnitResult>(&versioned);
        }

        #[test]
        fn truncated_messages_are_refused(cut in 1_usize..60) {
            let unit = Unit {
                id: 1, model: [0; 32], group: "g".into(), labels: vec![vec!["A".into()]],
                items: vec![Item { key: [9; 32], suffix: "Q?".into(), labels: 0 }], avoid: vec![],
            };
            let bytes = pack(&unit);
            let short = &bytes[..bytes.len().saturating_sub(cut)];
            prop_assert!(unpack::<Unit>(short).is_err());
        }
    }
}
