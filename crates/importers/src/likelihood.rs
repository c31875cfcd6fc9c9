//! Log-likelihoods of a question's options, and what harnesses divide them by.

use sureness_questions::{MAX_OPTIONS, letter};

use crate::Problem;

/// How far above 0 rounding takes a log-likelihood.
const SLACK: f64 = 1e-3;

/// What the log-likelihood of each option is divided by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Normalise {
    /// Log-likelihoods as they are
    #[default]
    None,
    /// Divided by the characters of the option's text
    Chars,
    /// Divided by the bytes of the option's text
    Bytes,
    /// Divided by the tokens of the option's text
    Tokens,
}

impl Normalise {
    /// The name on the command line and in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Chars => "chars",
            Self::Bytes => "bytes",
            Self::Tokens => "tokens",
        }
    }

    /// The end of a strategy's name, which keeps divided and undivided scores apart.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Chars => "-per-char",
            Self::Bytes => "-per-byte",
            Self::Tokens => "-per-token",
        }
    }

    /// The rules that it may stand for, the most usual first.
    pub(crate) fn rules(self) -> &'static [Rule] {
        match self {
            Self::None => &[Rule::Sum],
            Self::Chars => &[Rule::Chars, Rule::CharsWithoutBlank],
            Self::Bytes => &[Rule::Bytes],
            Self::Tokens => &[Rule::Tokens],
        }
    }
}

/// How a harness compares options: the greatest value wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The log-likelihood.
    Sum,
    /// Per character, with the blank before the text.
    Chars,
    /// Per character, without the blank before the text.
    CharsWithoutBlank,
    /// Per byte in UTF-8.
    Bytes,
    /// Per token.
    Tokens,
    /// Less the log-likelihood of the option without the question.
    Unconditioned,
}

/// The log-likelihoods of one question's options with what they may be divided by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Likelihoods {
    /// One finite value per option; empty where the log has only quotients.
    sums: Vec<f64>,
    /// What a rule divides by, per option.
    lengths: Vec<(Rule, Vec<f64>)>,
    /// Values that a log has for a rule itself.
    values: Vec<(Rule, Vec<f64>)>,
}

impl Likelihoods {
    /// Log-likelihoods, each finite and at most 0.
    pub(crate) fn new(sums: Vec<f64>) -> Result<Self, Problem> {
        check_count(sums.len())?;
        let checked = sums.into_iter().enumerate();
        let checked = checked.map(|(option, value)| checked_score(option, value));
        Ok(Self {
            sums: checked.collect::<Result<_, _>>()?,
            ..Self::default()
        })
    }

    /// Finite values that are defined only up to a constant per question.
    pub(crate) fn relative(values: Vec<f64>) -> Result<Self, Problem> {
        check_count(values.len())?;
        check_finite(&values)?;
        Ok(Self {
            sums: values,
            ..Self::default()
        })
    }

    /// Adds the lengths that a rule divides by, unless they are those of other options.
    pub(crate) fn divided(mut self, rule: Rule, lengths: Vec<f64>) -> Self {
        if lengths.len() == self.sums.len() && lengths.iter().all(|it| *it > 0.0) {
            self.lengths.push((rule, lengths));
        }
        self
    }

    /// Adds the lengths of texts as the model read them.
    pub(crate) fn of_texts(self, texts: &[String]) -> Self {
        let count = |of: fn(&str) -> usize| -> Vec<f64> {
            texts.iter().map(|text| of(text).max(1) as f64).collect()
        };
        self.divided(Rule::Chars, count(|text| text.chars().count()))
            .divided(
                Rule::CharsWithoutBlank,
                count(|text| text.strip_prefix(' ').unwrap_or(text).chars().count()),
            )
            .divided(Rule::Bytes, count(str::len))
    }

    /// Adds values of a rule.
    pub(crate) fn with(mut self, rule: Rule, values: Vec<f64>) -> Result<Self, Problem> {
        check_count(values.len())?;
        check_finite(&values)?;
        self.values.push((rule, values));
        Ok(self)
    }

    /// Number of options.
    pub(crate) fn len(&self) -> usize {
        let values = self.values.first().map(|(_, values)| values.len());
        self.sums.len().max(values.unwrap_or_default())
    }

    /// The values that a rule compares; `None` where the log lacks what it needs.
    pub(crate) fn by(&self, rule: Rule) -> Option<Vec<f64>> {
        if let Some((_, values)) = self.values.iter().find(|(of, _)| *of == rule) {
            return (values.len() == self.len()).then(|| values.clone());
        }
        if rule == Rule::Sum {
            return (!self.sums.is_empty()).then(|| self.sums.clone());
        }
        let (_, lengths) = self.lengths.iter().find(|(of, _)| *of == rule)?;
        Some(self.sums.iter().zip(lengths).map(|(a, b)| a / b).collect())
    }
}

/// The option with the greatest value, the first of equals.
pub(crate) fn top(values: &[f64]) -> usize {
    let mut top = 0;
    for (option, value) in values.iter().enumerate() {
        if values.get(top).is_none_or(|best| value > best) {
            top = option;
        }
    }
    top
}

fn check_count(options: usize) -> Result<(), Problem> {
    if (2..=MAX_OPTIONS).contains(&options) {
        Ok(())
    } else {
        Err(Problem::OptionCount(options))
    }
}

fn check_finite(values: &[f64]) -> Result<(), Problem> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(option) => Err(not_finite(option, values.get(option).copied())),
    }
}

fn not_finite(option: usize, value: Option<f64>) -> Problem {
    Problem::NotFinite {
        id: String::new(),
        option: letter(option),
        value: match value {
            None => "nothing".to_owned(),
            // What JSON lacks is null to most writers, and to `json::parse`.
            Some(value) if value.is_nan() => "NaN, an infinity or null".to_owned(),
            Some(value) => value.to_string(),
        },
    }
}

fn checked_score(option: usize, value: f64) -> Result<f64, Problem> {
    if !value.is_finite() {
        return Err(not_finite(option, Some(value)));
    }
    if value > SLACK {
        let option = letter(option);
        let id = String::new();
        return Err(Problem::Positive { id, option, value });
    }
    Ok(value.min(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_has_its_own_values() {
        let texts = [" né".to_owned(), " a".to_owned()];
        let read = Likelihoods::new(vec![-6.0, -4.0]).unwrap().of_texts(&texts);
        assert_eq!(read.by(Rule::Sum), Some(vec![-6.0, -4.0]));
        assert_eq!(read.by(Rule::Chars), Some(vec![-2.0, -2.0]));
        assert_eq!(read.by(Rule::CharsWithoutBlank), Some(vec![-3.0, -4.0]));
        assert_eq!(read.by(Rule::Bytes), Some(vec![-1.5, -2.0]));
        assert_eq!(read.by(Rule::Tokens), None);
        assert_eq!(top(&[-2.0, -1.0, -1.0]), 1);
    }

    #[test]
    fn lengths_of_other_options_are_not_used() {
        let read = Likelihoods::new(vec![-6.0, -4.0]).unwrap();
        assert_eq!(read.divided(Rule::Tokens, vec![3.0]).by(Rule::Tokens), None);
        assert!(Likelihoods::new(vec![-1.0, f64::NAN]).is_err());
        assert!(Likelihoods::new(vec![-1.0, 0.5]).is_err());
        assert!(Likelihoods::new(vec![-1.0]).is_err());
    }
}
