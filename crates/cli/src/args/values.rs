//! Parsers for the values of flags.

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroU32;
use std::ops::Bound::{self, Excluded, Included};
use std::ops::RangeBounds;
use std::str::FromStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use sureness_bench::MIN_RECHECK;
use sureness_bench::evidence::Drop;
use sureness_questions::letter_index;

/// Parses one of these values by its name.
pub(super) fn one_of<T: Clone + Send + Sync + 'static>(
    values: impl IntoIterator<Item = (PossibleValue, T)>,
) -> impl TypedValueParser<Value = T> {
    let values: Vec<_> = values.into_iter().collect();
    let names = values.iter().map(|(name, _)| name.clone());
    let names = PossibleValuesParser::new(names.collect::<Vec<_>>());
    names.try_map(move |text| {
        let value = values.iter().find(|(name, _)| name.get_name() == text);
        value.map(|(_, value)| value.clone()).ok_or("unknown")
    })
}

/// A value for [`one_of`], with its name and help.
pub(super) fn named<T>(name: &'static str, help: &'static str, value: T) -> (PossibleValue, T) {
    (PossibleValue::new(name).help(help), value)
}

/// Parses a number within `range`; `expected` completes the sentence "must be".
pub(super) fn number(
    text: &str,
    range: impl RangeBounds<f64>,
    expected: &str,
) -> Result<f64, String> {
    let number = text.parse().ok().filter(|x| range.contains(x));
    number.ok_or_else(|| format!("must be {expected}"))
}

/// All numbers above 0.
pub(super) const POSITIVE: (Bound<f64>, Bound<f64>) = (Excluded(0.0), Excluded(f64::INFINITY));

/// Parses a share strictly between 0 and 1.
pub(crate) fn open_share(text: &str) -> Result<f64, String> {
    let range = (Excluded(0.0), Excluded(1.0));
    number(text, range, "a number between 0 and 1, such as 0.1")
}

/// Parses a share from 0 to 1.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    number(text, 0.0..=1.0, "a number from 0 to 1, such as 0.01")
}

/// Parses the half-width of an interval of a share.
pub(crate) fn within(text: &str) -> Result<f64, String> {
    let range = (Included(0.01), Excluded(0.5));
    number(text, range, "a number from 0.01 to below 0.5, such as 0.1")
}

/// A number of answers, or as many as it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Samples {
    Fixed(NonZeroU32),
    Auto,
}

impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(samples) => samples.fmt(f),
            Self::Auto => f.write_str("auto"),
        }
    }
}

impl FromStr for Samples {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(number_or_auto(text)?.map_or(Self::Auto, Self::Fixed))
    }
}

/// A number from 1 on; `None` for `auto`.
fn number_or_auto(text: &str) -> Result<Option<NonZeroU32>, &'static str> {
    if text == "auto" {
        return Ok(None);
    }
    let number = text.parse().map(Some);
    number.map_err(|_| "must be a whole number from 1 on, or auto")
}

/// A number of orders of the options, or the prior of the letters from a part of the questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrdersArg {
    Each(NonZeroU32),
    Auto,
}

impl FromStr for OrdersArg {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(number_or_auto(text)?.map_or(Self::Auto, Self::Each))
    }
}

/// Parses seconds, up to a day.
pub(crate) fn seconds(text: &str) -> Result<f64, String> {
    number(text, 0.0..=86_400.0, "a number of seconds from 0 to 86400")
}

/// Parses seconds above 0, up to a day.
pub(crate) fn positive_seconds(text: &str) -> Result<f64, String> {
    let range = (Excluded(0.0), Included(86_400.0));
    number(text, range, "a number of seconds above 0, up to 86400")
}

/// Parses a price or a cost.
pub(crate) fn price(text: &str) -> Result<f64, String> {
    number(text, 0.0..=1e9, "a number from 0 on")
}

/// Parses the temperature of a softmax.
pub(crate) fn temperature(text: &str) -> Result<f64, String> {
    let range = (Included(1e-3), Included(1e3));
    number(text, range, "a number from 0.001 to 1000")
}

/// Parses a rate per minute.
pub(crate) fn per_minute(text: &str) -> Result<f64, String> {
    number(text, POSITIVE, "a number above 0")
}

/// Parses the number of cached questions to ask again: 0, or enough to detect a change.
pub(crate) fn recheck(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(n) if n == 0 || (MIN_RECHECK..=10_000).contains(&n) => Ok(n),
        _ => Err(format!(
            "must be 0 or a whole number from {MIN_RECHECK} to 10000"
        )),
    }
}

/// Ids of questions to drop; the default is the ids that saved logits are scored without.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ids(pub(crate) Drop);

impl fmt::Display for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = self.0.ids.iter().map(i64::to_string);
        let ids: Vec<String> = numbers.chain(self.0.text_ids.iter().cloned()).collect();
        f.write_str(&ids.join(","))
    }
}

impl FromStr for Ids {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut drop = Drop {
            ids: BTreeSet::new(),
            ..Drop::default()
        };
        if text.trim() == "none" {
            return Ok(Self(drop));
        }
        for word in text.split(',').map(str::trim) {
            if word.is_empty() {
                return Err("an id is empty; give ids such as 1,3,5, or none");
            }
            match word.parse() {
                Ok(id) => drop.ids.insert(id),
                Err(_) => drop.text_ids.insert(word.to_owned()),
            };
        }
        Ok(Self(drop))
    }
}

/// Options by letter, as indices.
#[derive(Debug, Clone, Default)]
pub(crate) struct Letters(pub(crate) Vec<usize>);

impl FromStr for Letters {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let index = |word: &str| {
            let word = word.trim();
            letter_index(&word.to_ascii_uppercase())
                .ok_or_else(|| format!("{word:?} is not a letter; give option letters such as E,F"))
        };
        text.split(',')
            .map(index)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_ids_are_shown_as_they_are_read() {
        let shown = Ids::default().to_string();
        assert_eq!(shown.parse::<Ids>().unwrap().0, Ids::default().0);
    }

    #[test]
    fn ids_and_letters_are_read() {
        let ids: Ids = "1, 3,-5".parse().unwrap();
        assert_eq!(ids.0.ids, BTreeSet::from([1, 3, -5]));
        let texts: Ids = "7,anatomy/4".parse().unwrap();
        assert_eq!(texts.0.ids, BTreeSet::from([7]));
        assert_eq!(texts.0.text_ids, BTreeSet::from(["anatomy/4".to_owned()]));
        assert!("none".parse::<Ids>().unwrap().0.ids.is_empty());
        assert!("".parse::<Ids>().is_err() && "1,,3".parse::<Ids>().is_err());
        assert_eq!("E, f".parse::<Letters>().unwrap().0, [4, 5]);
        assert!("EF".parse::<Letters>().is_err() && "1".parse::<Letters>().is_err());
    }

    #[test]
    fn shares_lie_strictly_between_0_and_1() {
        assert_eq!(open_share("0.1"), Ok(0.1));
        for text in ["0", "1", "-0.1", "1.5", "NaN", "inf", "a tenth", ""] {
            assert!(open_share(text).is_err(), "{text}");
        }
    }
}
