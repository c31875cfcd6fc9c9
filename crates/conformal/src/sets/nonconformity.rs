//! The nonconformity scores and their names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::row::RowView;
use crate::{Order, Real, Score};

/// A nonconformity score: how strange an option looks to the model. Larger is stranger; a
/// prediction set contains the options whose score is at most the threshold.
///
/// Below, `p` are the probabilities of a row's options, the *rank* of an option counts from 1 in
/// descending order of probability, and `u` is one uniform random number per row.
///
/// The name of a score is what [`fmt::Display`], [`FromStr`] and serde use: `raps` with its
/// default parameters, `raps(0.1,3)` with others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Nonconformity {
    /// `1 − p(option)`: least ambiguous set-valued classifiers (Sadinle, Lei & Wasserman 2019).
    /// Small sets on average, but set sizes say little about which rows are hard.
    Lac,
    /// Sum of `p` down to the option, itself included: adaptive prediction sets without
    /// randomisation, as in Ye et al. 2024, equation 4. Over-covers.
    Aps,
    /// Sum of `p` above the option plus `u · p(option)`: adaptive prediction sets as they were
    /// proposed (Romano, Sesia & Candès 2020, section 2). Coverage is exact before empty sets are
    /// filled.
    ApsRandomized,
    /// [`Self::ApsRandomized`] plus `lambda · max(rank − k_reg, 0)`: regularised adaptive
    /// prediction sets (Angelopoulos, Bates, Malik & Jordan 2021, section 2), in the randomised
    /// variant and with empty sets allowed. That paper tunes both parameters on each data set; with
    /// few options and no data to tune on, the defaults here are 0.01 and 2.
    Raps {
        /// Penalty per rank beyond `k_reg`; at least 0.
        lambda: f64,
        /// Number of ranks without a penalty.
        k_reg: usize,
    },
    /// `u · max p` for the most probable option, else `max p + (rank − 2 + u) · lambda`: sorted
    /// adaptive prediction sets (Huang et al. 2024, section 3). Depends on the largest probability
    /// alone. Lambda defaults to 0.2.
    Saps {
        /// Penalty per rank; at least 0.
        lambda: f64,
    },
    /// The largest `p` of the other options minus `p(option)`, in -1..1: the margin of
    /// Johansson et al. 2017 ("Model-agnostic nonconformity functions for conformal
    /// classification"), without its scaling to 0..1, which changes no set.
    Margin,
    /// The rank of the option. All sets have the same size, and there are only as many thresholds
    /// as options: coverage moves in steps and may lie far above `1 − alpha` (the fixed-size
    /// baseline of Angelopoulos et al. 2021).
    TopK,
}

const RAPS_LAMBDA: f64 = 0.01;
const RAPS_K_REG: usize = 2;
const SAPS_LAMBDA: f64 = 0.2;

impl Nonconformity {
    /// Every score, with default parameters.
    pub const ALL: [Self; 7] = [
        Self::Lac,
        Self::Aps,
        Self::ApsRandomized,
        Self::Raps {
            lambda: RAPS_LAMBDA,
            k_reg: RAPS_K_REG,
        },
        Self::Saps {
            lambda: SAPS_LAMBDA,
        },
        Self::Margin,
        Self::TopK,
    ];

    /// The name without parameters.
    fn stem(self) -> &'static str {
        match self {
            Self::Lac => "lac",
            Self::Aps => "aps",
            Self::ApsRandomized => "aps-randomized",
            Self::Raps { .. } => "raps",
            Self::Saps { .. } => "saps",
            Self::Margin => "margin",
            Self::TopK => "top-k",
        }
    }

    /// The name that [`FromStr`] reads, such as `lac` or `raps(0.1,3)`.
    pub fn name(&self) -> String {
        self.to_string()
    }

    /// The display name, such as `LAC` or `RAPS (λ 0.1, k 3)`.
    pub fn title(&self) -> String {
        let title = match self {
            Self::Lac => "LAC",
            Self::Aps => "APS",
            Self::ApsRandomized => "APS (randomised)",
            Self::Raps { lambda, k_reg } if !self.is_default() => {
                return format!("RAPS (λ {lambda}, k {k_reg})");
            }
            Self::Saps { lambda } if !self.is_default() => return format!("SAPS (λ {lambda})"),
            Self::Raps { .. } => "RAPS",
            Self::Saps { .. } => "SAPS",
            Self::Margin => "Margin",
            Self::TopK => "Top-k",
        };
        title.to_owned()
    }

    /// Whether the score uses a random number per row.
    pub fn is_randomized(self) -> bool {
        matches!(
            self,
            Self::ApsRandomized | Self::Raps { .. } | Self::Saps { .. }
        )
    }

    fn is_default(&self) -> bool {
        Self::ALL.contains(self)
    }

    /// The scores of all options of the row in `view`. `wide` are its probabilities in f64, `u` its
    /// random number. LAC and APS ignore both and use the protocol's precision, and have 1 subtracted
    /// under the standard protocol; see [`Score::of`].
    pub(crate) fn fill<F: Real>(self, view: &RowView<F>, wide: &[f64], u: f64, out: &mut [f64]) {
        let order = view.order();
        let mut published = |score: Score| {
            score.each(view.probabilities(), order, view.arithmetic(), |i, s| {
                out[i] = s.to_f64();
            });
        };
        match self {
            Self::Lac => published(Score::Lac),
            Self::Aps => published(Score::Aps),
            Self::ApsRandomized => {
                ranked(order, wide, |_, i, above| out[i] = above + u * wide[i]);
            }
            Self::Raps { lambda, k_reg } => ranked(order, wide, |rank, i, above| {
                let beyond = rank.saturating_sub(k_reg) as f64;
                out[i] = above + u * wide[i] + lambda * beyond;
            }),
            Self::Saps { lambda } => {
                let max = wide[order.top()];
                ranked(order, wide, |rank, i, _| {
                    out[i] = if rank == 1 {
                        u * max
                    } else {
                        max + ((rank - 2) as f64 + u) * lambda
                    };
                });
            }
            Self::Margin => {
                let mut best = order.indices().map(|i| wide[i]);
                let (first, second) = (best.next(), best.next());
                let (first, second) = (first.unwrap_or(0.0), second.unwrap_or(0.0));
                ranked(order, wide, |rank, i, _| {
                    out[i] = if rank == 1 { second } else { first } - wide[i];
                });
            }
            Self::TopK => ranked(order, wide, |rank, i, _| out[i] = rank as f64),
        }
    }
}

/// Visits the options in order: `each(rank, option, total probability above it)`.
fn ranked(order: &Order, probabilities: &[f64], mut each: impl FnMut(usize, usize, f64)) {
    let mut above = 0.0;
    for (before, i) in order.indices().enumerate() {
        each(before + 1, i, above);
        above += probabilities[i];
    }
}

impl fmt::Display for Nonconformity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raps { lambda, k_reg } if !self.is_default() => {
                write!(f, "{}({lambda},{k_reg})", self.stem())
            }
            Self::Saps { lambda } if !self.is_default() => write!(f, "{}({lambda})", self.stem()),
            _ => f.write_str(self.stem()),
        }
    }
}

/// The text does not name a nonconformity score.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NonconformityError {
    /// The name is unknown.
    #[error(
        "unknown nonconformity score `{0}`; the scores are lac, aps, aps-randomized, raps, saps, margin and top-k"
    )]
    Unknown(String),
    /// The score does not take these parameters.
    #[error("`{text}`: {what}")]
    Parameters {
        /// The whole text.
        text: String,
        /// What the score takes.
        what: &'static str,
    },
}

impl FromStr for Nonconformity {
    type Err = NonconformityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let trimmed = text.trim();
        let (stem, parameters) = match trimmed.strip_suffix(')').and_then(|t| t.split_once('(')) {
            Some((stem, parameters)) => (stem.trim_end(), Some(parameters)),
            None => (trimmed, None),
        };
        let Some(default) = Self::ALL.into_iter().find(|score| score.stem() == stem) else {
            return Err(NonconformityError::Unknown(trimmed.to_owned()));
        };
        let Some(parameters) = parameters else {
            return Ok(default);
        };
        let parameters: Vec<&str> = parameters.split(',').map(str::trim).collect();
        let weight = |text: &str| {
            let value: f64 = text.parse().ok()?;
            (value.is_finite() && value >= 0.0).then_some(value)
        };
        let (parsed, what) = match (default, parameters.as_slice()) {
            (Self::Raps { .. }, [lambda, k_reg]) => (
                weight(lambda)
                    .zip(k_reg.parse().ok())
                    .map(|(lambda, k_reg)| Self::Raps { lambda, k_reg }),
                "lambda must be at least 0, and k_reg a whole number",
            ),
            (Self::Saps { .. }, [lambda]) => (
                weight(lambda).map(|lambda| Self::Saps { lambda }),
                "lambda must be at least 0",
            ),
            (Self::Raps { .. }, _) => (None, "raps takes two parameters, as in raps(0.01,2)"),
            (Self::Saps { .. }, _) => (None, "saps takes one parameter, as in saps(0.2)"),
            _ => (None, "this score takes no parameters"),
        };
        parsed.ok_or(NonconformityError::Parameters {
            text: trimmed.to_owned(),
            what,
        })
    }
}

impl From<Nonconformity> for String {
    fn from(score: Nonconformity) -> Self {
        score.to_string()
    }
}

impl TryFrom<String> for Nonconformity {
    type Error = NonconformityError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_read_back() {
        let names = Nonconformity::ALL.map(|score| score.name());
        assert_eq!(
            names,
            [
                "lac",
                "aps",
                "aps-randomized",
                "raps",
                "saps",
                "margin",
                "top-k"
            ]
        );
        let raps = Nonconformity::Raps {
            lambda: 0.1,
            k_reg: 3,
        };
        assert_eq!(raps.name(), "raps(0.1,3)");
        assert_eq!(raps.title(), "RAPS (λ 0.1, k 3)");
        assert_eq!("raps( 0.1 , 3 )".parse(), Ok(raps));
        assert_eq!(
            "raps(0.01,2)".parse::<Nonconformity>().map(|s| s.name()),
            Ok("raps".to_owned())
        );
        assert_eq!(serde_json::to_string(&raps).unwrap(), r#""raps(0.1,3)""#);
        assert_eq!(
            serde_json::from_str::<Nonconformity>(r#""top-k""#).unwrap(),
            Nonconformity::TopK
        );
    }

    #[test]
    fn errors_name_the_score_and_the_reason() {
        let error = |text: &str| text.parse::<Nonconformity>().unwrap_err().to_string();
        assert!(error("lak").contains("the scores are lac, aps"));
        assert_eq!(error("lac(1)"), "`lac(1)`: this score takes no parameters");
        assert_eq!(
            error("saps(1,2)"),
            "`saps(1,2)`: saps takes one parameter, as in saps(0.2)"
        );
        for text in ["raps(-1,2)", "raps(NaN,2)", "raps(inf,2)", "raps(0.1,-2)"] {
            assert!(error(text).contains("lambda must be"), "{text}");
        }
        assert!(serde_json::from_str::<Nonconformity>(r#""?""#).is_err());
    }

    proptest! {
        #[test]
        fn every_parameter_survives_its_name(lambda in 0.0..10.0_f64, k_reg in 0..30_usize) {
            for score in [Nonconformity::Raps { lambda, k_reg }, Nonconformity::Saps { lambda }] {
                prop_assert_eq!(score.name().parse::<Nonconformity>(), Ok(score));
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,20}") {
            let _ = text.parse::<Nonconformity>();
        }
    }
}
