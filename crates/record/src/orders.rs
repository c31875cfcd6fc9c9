//! The orders in which a run shows the options of its questions.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// In which orders the options of a question are shown.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Orders {
    /// Every question in so many orders, or in as many as it has own options if these are fewer.
    Each(NonZeroU32),
    /// A part of the questions in every order, from which the prior of the letters is estimated; the
    /// others as they are.
    Auto {
        /// The share of the questions that is asked in every order.
        share: f64,
    },
}

impl Orders {
    /// Default share of the questions from which the letters' prior is estimated.
    pub const SHARE: f64 = 0.1;

    /// What its figures are made of, in the name of a strategy: `averaged` or `corrected`.
    pub const fn derived(self) -> OrderOf {
        match self {
            Self::Each(_) => OrderOf::Averaged,
            Self::Auto { .. } => OrderOf::Corrected,
        }
    }
}

/// What follows the name of a prompt strategy: `base`, `base/2`, `base/averaged`, `base/corrected`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderOf {
    /// Options as the questions have them.
    AsIs,
    /// Options in order number 2 or later.
    Number(u32),
    /// Probabilities averaged over all orders.
    Averaged,
    /// Probabilities without the prior of the letters.
    Corrected,
}

impl OrderOf {
    /// Splits the name of a group into that of its prompt strategy and the order.
    ///
    /// ```
    /// use sureness_record::OrderOf;
    ///
    /// assert_eq!(OrderOf::split("base/3"), ("base", OrderOf::Number(3)));
    /// assert_eq!(OrderOf::split("my/own"), ("my/own", OrderOf::AsIs));
    /// ```
    pub fn split(name: &str) -> (&str, Self) {
        let split = name.rsplit_once('/').and_then(|(strategy, order)| {
            let order = match order {
                "averaged" => Self::Averaged,
                "corrected" => Self::Corrected,
                number => Self::Number(number.parse().ok().filter(|number| *number > 1)?),
            };
            Some((strategy, order))
        });
        split.unwrap_or((name, Self::AsIs))
    }

    /// The name of a group of this prompt strategy, from which [`Self::split`] makes the two again.
    pub fn name(self, strategy: &str) -> String {
        match self {
            Self::AsIs => strategy.to_owned(),
            Self::Number(number) => format!("{strategy}/{number}"),
            Self::Averaged => format!("{strategy}/averaged"),
            Self::Corrected => format!("{strategy}/corrected"),
        }
    }

    /// Whether it is made of several orders.
    pub fn is_derived(self) -> bool {
        matches!(self, Self::Averaged | Self::Corrected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for order in [
            OrderOf::AsIs,
            OrderOf::Number(2),
            OrderOf::Averaged,
            OrderOf::Corrected,
        ] {
            assert_eq!(OrderOf::split(&order.name("base")), ("base", order));
        }
        assert_eq!(OrderOf::split("base/1"), ("base/1", OrderOf::AsIs));
    }

    #[test]
    fn the_json_is_short_and_comes_back() {
        let each = Orders::Each(NonZeroU32::new(4).unwrap());
        let auto = Orders::Auto { share: 0.1 };
        for (orders, json) in [(each, r#"{"each":4}"#), (auto, r#"{"auto":{"share":0.1}}"#)] {
            assert_eq!(serde_json::to_string(&orders).unwrap(), json);
            assert_eq!(serde_json::from_str::<Orders>(json).unwrap(), orders);
        }
    }
}
