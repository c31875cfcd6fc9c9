//! A judge of equivalence: a model that says which answers to an open question mean the same.
//!
//! Answers that are equal in the normal form are one meaning without it. What remains is compared in pairs,
//! each in both orders, in the order of [`sureness_open::join`]. The store keeps what the judge answered,
//! by the keys of its requests: figures are read from there, so that equal stores have equal figures.

mod asking;
mod pair;
mod verdicts;

use std::num::NonZeroU32;

use sureness_record::{Judge, Sampled};
use sureness_scorers::http::{Api, HttpOptions};

use crate::budget::Prices;

pub(crate) use asking::{Judging, OpenedJudge, spent};
pub(crate) use verdicts::Verdicts;

/// Version of [`Judge::method`]: what the judge is asked and the order of comparisons.
const METHOD: u32 = 1;
/// Maximum tokens of a judge's answer, thoughts included.
const ANSWER_TOKENS: NonZeroU32 = NonZeroU32::new(1024).unwrap();

/// The settings of a judge.
#[derive(Debug, Clone)]
pub struct JudgeSettings {
    /// Its server, its name there, its key, timeouts and further fields of its requests.
    pub http: HttpOptions,
    /// The protocol that it is asked in.
    pub api: Api,
    /// Pairs of different answers that are compared for one question at most.
    pub pairs: NonZeroU32,
    /// Prices of its tokens, if they are known.
    pub prices: Option<Prices>,
}

impl JudgeSettings {
    /// Default of `pairs`: all pairs of ten different answers.
    pub const PAIRS: NonZeroU32 = NonZeroU32::new(45).unwrap();

    /// One answer at temperature 0.
    fn sampled() -> Sampled {
        Sampled {
            samples: NonZeroU32::MIN,
            within: None,
            temperature: 0.0,
            max_tokens: ANSWER_TOKENS,
        }
    }

    /// The record of this judge, whose model turned out to be `identity`.
    fn record(&self, identity: &sureness_scorers::ModelIdentity) -> Judge {
        Judge {
            model: identity.clone(),
            pairs: self.pairs,
            method: METHOD,
        }
    }
}
