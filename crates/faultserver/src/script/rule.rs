//! When something goes wrong.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

use super::fault::Fault;
use crate::asked::Asked;

/// On some requests, one of some faults. A script's rules are tried in order; the first whose
/// time has come plays its fault.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Which requests, among those on `routes`.
    #[serde(default)]
    pub when: When,
    /// On which routes.
    #[serde(default)]
    pub routes: Routes,
    /// What happens. Of several, one is drawn.
    pub faults: Vec<Fault>,
    /// How often the rule plays in all; `None` for ever.
    #[serde(default)]
    pub limit: Option<u64>,
    /// How often the rule plays on requests that begin with the same prompt; `None` for ever.
    #[serde(default)]
    pub per_prompt: Option<u64>,
}

/// Which requests a rule is about.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// All.
    #[default]
    Always,
    /// The first so many on the rule's routes.
    First(u64),
    /// Every n-th on the rule's routes: `Nth(3)` means the third, the sixth and so on.
    Nth(u64),
    /// Some, at random. The draw depends on the seed, on the prompts and on how often the first
    /// one was asked before, and not on the order in which requests arrive.
    Chance {
        /// Share of the requests, in 0..=1.
        probability: f64,
        /// Another seed, other requests.
        #[serde(default)]
        seed: u64,
    },
    /// Those with a prompt that contains this text.
    Contains(String),
    /// Those for which a function says so. Not available in script files.
    #[serde(skip)]
    If(Predicate),
}

/// Decides by looking at a request.
pub type Predicate = Arc<dyn Fn(&Asked) -> bool + Send + Sync>;

/// Which routes a rule is about.
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

    /// This fault on scoring requests for which `predicate` says so.
    pub fn matching(
        predicate: impl Fn(&Asked) -> bool + Send + Sync + 'static,
        fault: Fault,
    ) -> Self {
        Self::new(When::If(Arc::new(predicate)), [fault])
    }

    /// The same on other routes.
    #[must_use]
    pub fn on(mut self, routes: Routes) -> Self {
        self.routes = routes;
        self
    }

    /// The same, at most so often.
    #[must_use]
    pub fn limit(mut self, times: u64) -> Self {
        self.limit = Some(times);
        self
    }

    /// The same, at most so often for one prompt.
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
