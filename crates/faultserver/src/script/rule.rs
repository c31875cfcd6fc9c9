//! Rules: when faults occur.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

use super::fault::Fault;
use crate::asked::Asked;

/// One of several faults on some requests. The first rule of a script that applies to a request
/// plays its fault.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The requests, among those on `routes`.
    #[serde(default)]
    pub when: When,
    /// The routes.
    #[serde(default)]
    pub routes: Routes,
    /// The faults, one of which is drawn.
    pub faults: Vec<Fault>,
    /// Maximum number of times in all.
    #[serde(default)]
    pub limit: Option<u64>,
    /// Maximum number of times for requests with the same first prompt.
    #[serde(default)]
    pub per_prompt: Option<u64>,
}

/// The requests to which a rule applies.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// All.
    #[default]
    Always,
    /// The first `n` on the rule's routes.
    First(u64),
    /// Every n-th on the rule's routes: `Nth(3)` means the third, the sixth and so on.
    Nth(u64),
    /// A random share. The draw depends on the seed, the prompts and how often the first one was
    /// asked before, but not on the order of arrival.
    Chance {
        /// Share of the requests, in 0..=1.
        probability: f64,
        /// Seed of the draw.
        #[serde(default)]
        seed: u64,
    },
    /// Those with a prompt that contains this text.
    Contains(String),
    /// Those for which a function returns true. Not available in script files.
    #[serde(skip)]
    If(Predicate),
}

/// A condition on a request.
pub type Predicate = Arc<dyn Fn(&Asked) -> bool + Send + Sync>;

/// The routes to which a rule applies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Routes {
    /// Those that score prompts.
    #[default]
    Scoring,
    /// All.
    Any,
    /// Those whose path contains this text.
    Path(String),
}

impl Rule {
    /// One of `faults` on the scoring requests that `when` picks.
    pub fn new(when: When, faults: impl Into<Vec<Fault>>) -> Self {
        Self {
            when,
            routes: Routes::Scoring,
            faults: faults.into(),
            limit: None,
            per_prompt: None,
        }
    }

    /// This fault on every scoring request.
    pub fn always(fault: Fault) -> Self {
        Self::new(When::Always, [fault])
    }

    /// One of `faults` on a share of the scoring requests.
    pub fn chance(probability: f64, seed: u64, faults: impl Into<Vec<Fault>>) -> Self {
        Self::new(When::Chance { probability, seed }, faults)
    }

    /// This fault on scoring requests with a prompt that contains `text`.
    pub fn containing(text: impl Into<String>, fault: Fault) -> Self {
        Self::new(When::Contains(text.into()), [fault])
    }

    /// This fault on scoring requests for which `predicate` is true.
    pub fn matching(
        predicate: impl Fn(&Asked) -> bool + Send + Sync + 'static,
        fault: Fault,
    ) -> Self {
        Self::new(When::If(Arc::new(predicate)), [fault])
    }

    /// Replaces the routes.
    #[must_use]
    pub fn on(mut self, routes: Routes) -> Self {
        self.routes = routes;
        self
    }

    /// Limits the number of times in all.
    #[must_use]
    pub fn limit(mut self, times: u64) -> Self {
        self.limit = Some(times);
        self
    }

    /// Limits the number of times per prompt.
    #[must_use]
    pub fn per_prompt(mut self, times: u64) -> Self {
        self.per_prompt = Some(times);
        self
    }
}

impl fmt::Debug for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => f.write_str("Always"),
            Self::First(n) => write!(f, "First({n})"),
            Self::Nth(n) => write!(f, "Nth({n})"),
            Self::Chance { probability, seed } => write!(f, "Chance({probability}, seed {seed})"),
            Self::Contains(text) => write!(f, "Contains({text:?})"),
            Self::If(_) => f.write_str("If(..)"),
        }
    }
}
