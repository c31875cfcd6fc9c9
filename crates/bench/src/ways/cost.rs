//! What a thousand questions take.

use serde::Serialize;
use sureness_record::Answers;

use super::trial::{Sample, Trial};
use crate::budget::{Prices, Tokens};
use crate::forecast::most_tokens;

/// Questions that a cost is told for.
const QUESTIONS: f64 = 1000.0;

/// What a thousand questions take, by a trial of one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PerThousand {
    /// Requests.
    pub requests: f64,
    /// Prompt tokens by those of the trial, if the server counts them.
    pub prompt_tokens: Option<f64>,
    /// Answer tokens by those of the trial, if the server counts them.
    pub answer_tokens: Option<f64>,
    /// The most answer tokens that the settings allow.
    pub most_answer_tokens: f64,
    /// Cost by the tokens of the trial, if prices are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    /// Cost with the most answer tokens, if prices are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most_cost: Option<f64>,
    /// The currency of the prices, if it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// One way of asking, with a trial of it.
pub(super) struct Asked<'a> {
    pub(super) answers: Answers,
    pub(super) trial: &'a Trial,
    pub(super) sample: &'a Sample,
    /// Answers in words that one request may ask for.
    pub(super) at_once: u32,
}

impl Asked<'_> {
    /// What a thousand questions take. `None` of a trial without an answer.
    pub(super) fn per_thousand(&self, prices: Option<&Prices>) -> Option<PerThousand> {
        if self.trial.answers.is_empty() {
            return None;
        }
        let most = most_tokens(self.answers);
        let (own, thought) = (self.answer_tokens(), self.thought_tokens());
        let prompts = |thought| self.prompt_tokens(thought);
        let cost = |prompt: Option<f64>, each: f64| {
            let tokens = Tokens {
                prompt: prompt? as u64,
                cached: 0,
                answer: self.all(each) as u64,
            };
            prices.map(|prices| prices.cost(tokens))
        };
        // A thought is at most as long as the whole answer, but for the letter.
        let longest = thought.map(|_| most - 1.0);
        Some(PerThousand {
            requests: QUESTIONS * self.rounds() * f64::from(self.trial.requests),
            prompt_tokens: prompts(thought),
            answer_tokens: own.map(|each| self.all(each)),
            most_answer_tokens: self.all(most),
            cost: own.and_then(|each| cost(prompts(thought), each)),
            most_cost: cost(prompts(longest), most),
            currency: prices.and_then(|prices| prices.currency.clone()),
        })
    }

    /// Answers to a question.
    fn draws(&self) -> f64 {
        f64::from(self.answers.draws().map_or(1, std::num::NonZeroU32::get))
    }

    /// How often a question takes the requests of the trial: once for every answer or thought, or for as many as a
    /// request may ask for.
    fn rounds(&self) -> f64 {
        match self.answers {
            Answers::Letters => 1.0,
            Answers::Reasoned(_) => self.draws(),
            Answers::Sampled(_) => (self.draws() / f64::from(self.at_once)).ceil(),
        }
    }

    /// Tokens of all answers, at so many each.
    fn all(&self, each: f64) -> f64 {
        QUESTIONS * self.draws() * each
    }

    /// Mean tokens of an answer in the trial, the letter after a thought included.
    fn answer_tokens(&self) -> Option<f64> {
        match self.answers {
            Answers::Letters => Some(1.0),
            Answers::Reasoned(_) => self.trial.answer_tokens.map(|tokens| tokens + 1.0),
            Answers::Sampled(_) => self.trial.answer_tokens,
        }
    }

    /// Tokens of the trial's thought, which the prompt of the letters holds as well.
    fn thought_tokens(&self) -> Option<f64> {
        match self.answers {
            Answers::Reasoned(_) => self.trial.answer_tokens,
            Answers::Letters | Answers::Sampled(_) => None,
        }
    }

    /// Tokens of all prompts, with thoughts of so many tokens: those are not longer in longer prompts.
    fn prompt_tokens(&self, thought: Option<f64>) -> Option<f64> {
        let all = f64::from(self.trial.prompt_tokens?);
        let own = (all - self.thought_tokens().unwrap_or(0.0)).max(0.0);
        let each = self.sample.scaled(own) + thought.unwrap_or(0.0);
        Some(QUESTIONS * self.rounds() * each)
    }
}
