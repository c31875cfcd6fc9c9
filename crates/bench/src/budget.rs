//! Tokens and money.

use std::sync::atomic::{AtomicU64, Ordering};

use sureness_engine::Attempt;
use sureness_report::Spent;

use crate::error::{Failure, Kind};
use crate::prices::PriceList;

/// Prices of tokens, per million.
#[derive(Debug, Clone, PartialEq)]
pub struct Prices {
    /// Of prompt tokens.
    pub prompt: f64,
    /// Of prompt tokens from the server's cache; `None` where they cost the same.
    pub cached: Option<f64>,
    /// Of answer tokens, thoughts included.
    pub answer: f64,
    /// The currency's name; `None` where it is not told.
    pub currency: Option<String>,
}

/// What a run may spend.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Budget {
    /// Prices of all models, if they are known. They come before those of the list.
    pub prices: Option<Prices>,
    /// Prices by model.
    pub list: Option<PriceList>,
    /// Cost at which the run stops, in the currency of the prices.
    pub max_cost: Option<f64>,
    /// Prompt and answer tokens at which the run stops.
    pub max_tokens: Option<u64>,
}

/// Counts of tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Of prompts.
    pub prompt: u64,
    /// Of these, those from the server's cache.
    pub cached: u64,
    /// Of answers.
    pub answer: u64,
}

impl Prices {
    /// The cost of these tokens.
    pub fn cost(&self, tokens: Tokens) -> f64 {
        let cached = tokens.cached.min(tokens.prompt);
        let cost = (tokens.prompt - cached) as f64 * self.prompt
            + cached as f64 * self.cached.unwrap_or(self.prompt)
            + tokens.answer as f64 * self.answer;
        cost / 1e6
    }

    /// A cost of so much, with the currency where it is known.
    pub fn money(&self, cost: f64) -> String {
        match &self.currency {
            Some(currency) => format!("{cost:.4} {currency}"),
            None => format!("{cost:.4}"),
        }
    }
}

impl Budget {
    /// The budget of one model, with its own prices.
    ///
    /// # Errors
    ///
    /// If prices come from a list that does not have the model.
    pub fn of_model(&self, name: &str) -> Result<Self, Failure> {
        let prices = match (&self.prices, &self.list) {
            (Some(prices), _) => Some(prices.clone()),
            (None, Some(list)) => Some(list.of(name)?.clone()),
            (None, None) => None,
        };
        Ok(Self {
            prices,
            list: None,
            ..self.clone()
        })
    }

    /// The same without the list: of a model in this process, which nobody is paid for.
    pub(crate) fn unlisted(&self) -> Self {
        Self {
            list: None,
            ..self.clone()
        }
    }

    /// What these tokens of a model come to.
    pub fn spent(&self, tokens: Tokens) -> Spent {
        let prices = self.prices.as_ref();
        Spent {
            prompt_tokens: tokens.prompt,
            cached_tokens: tokens.cached,
            answer_tokens: tokens.answer,
            cost: prices.map(|prices| prices.cost(tokens)),
            currency: prices.and_then(|prices| prices.currency.clone()),
        }
    }

    /// Whether a limit may stop the run.
    pub(crate) fn is_limited(&self) -> bool {
        self.max_cost.is_some() || self.max_tokens.is_some()
    }

    /// Refuses limits that cannot be kept.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.max_cost.is_some() && self.prices.is_none() && self.list.is_none() {
            return Err(Failure::new("--max-cost is given, but no price").hint(
                "add --price-in and --price-out, the prices of a million tokens, or --prices FILE",
            ));
        }
        Ok(())
    }
}

/// Counts what a model's answers have cost, those of earlier parts of the run included.
#[derive(Debug)]
pub(crate) struct Meter {
    budget: Budget,
    model: Counters,
    /// Those of a judge, at prices of its own.
    judge: Counters,
    judge_prices: Option<Prices>,
}

/// Tokens that are counted while requests are under way.
#[derive(Debug, Default)]
struct Counters {
    prompt: AtomicU64,
    cached: AtomicU64,
    answer: AtomicU64,
}

impl Counters {
    fn of(tokens: Tokens) -> Self {
        Self {
            prompt: tokens.prompt.into(),
            cached: tokens.cached.into(),
            answer: tokens.answer.into(),
        }
    }

    fn add(&self, attempt: &Attempt) {
        let add = |count: &AtomicU64, tokens| {
            count.fetch_add(tokens, Ordering::Relaxed);
        };
        add(&self.prompt, attempt.prompt_tokens);
        add(&self.cached, attempt.cached_tokens);
        add(&self.answer, attempt.answer_tokens);
    }

    fn tokens(&self) -> Tokens {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Tokens {
            prompt: read(&self.prompt),
            cached: read(&self.cached),
            answer: read(&self.answer),
        }
    }
}

impl Meter {
    pub(crate) fn new(budget: Budget, before: Tokens) -> Self {
        Self {
            budget,
            model: Counters::of(before),
            judge: Counters::default(),
            judge_prices: None,
        }
    }

    /// The same with what a judge has used before, at these prices.
    pub(crate) fn with_judge(self, before: Tokens, prices: Option<Prices>) -> Self {
        Self {
            judge: Counters::of(before),
            judge_prices: prices,
            ..self
        }
    }

    /// Counts an attempt; `true` once the budget is used up.
    pub(crate) fn attempt(&self, attempt: &Attempt) -> bool {
        self.model.add(attempt);
        self.is_used_up()
    }

    /// The same for an attempt of the judge.
    pub(crate) fn judge_attempt(&self, attempt: &Attempt) -> bool {
        self.judge.add(attempt);
        self.is_used_up()
    }

    pub(crate) fn is_used_up(&self) -> bool {
        self.reached().is_some()
    }

    /// The limit that is reached, in words.
    fn reached(&self) -> Option<String> {
        let [tokens, judge] = [&self.model, &self.judge].map(Counters::tokens);
        let all = tokens.prompt + tokens.answer + judge.prompt + judge.answer;
        if let Some(most) = self.budget.max_tokens.filter(|most| all >= *most) {
            return Some(format!(
                "{all} tokens are used, and --max-tokens-total is {most}"
            ));
        }
        let prices = self.budget.prices.as_ref()?;
        let of_judge = self.judge_prices.as_ref();
        let of_judge = of_judge.map_or(0.0, |prices| prices.cost(judge));
        let cost = prices.cost(tokens) + of_judge;
        let most = self.budget.max_cost.filter(|most| cost >= *most)?;
        Some(format!(
            "{} is spent, and --max-cost is {most}",
            prices.money(cost)
        ))
    }

    /// Why the run stopped, if it is for the budget.
    pub(crate) fn failure(&self, name: &str) -> Option<Failure> {
        let reached = self.reached()?;
        Some(
            Failure::new(format!("{name}: stopped: {reached}"))
                .hint(
                    "all answers are saved; the same command with a larger limit asks only the rest",
                )
                .kind(Kind::Unfinished),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_token_has_its_price() {
        let prices = Prices {
            prompt: 2.0,
            cached: Some(0.5),
            answer: 8.0,
            currency: None,
        };
        let tokens = Tokens {
            prompt: 1_000_000,
            cached: 400_000,
            answer: 250_000,
        };
        assert!((prices.cost(tokens) - (1.2 + 0.2 + 2.0)).abs() < 1e-12);
        let alike = Prices {
            cached: None,
            ..prices.clone()
        };
        assert!((alike.cost(tokens) - 4.0).abs() < 1e-12);
    }

    #[test]
    fn a_limit_without_a_price_is_refused() {
        let budget = Budget {
            max_cost: Some(1.0),
            ..Budget::default()
        };
        assert!(budget.check().is_err());
    }
}
