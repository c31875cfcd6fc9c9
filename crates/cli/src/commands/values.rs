//! Values of flags.

use std::num::NonZeroUsize;
use std::str::FromStr;

use crate::session::recheck::LEAST;

/// A number from 1 on, or `auto`: found while the run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// Adapts.
    Auto,
    /// Stays.
    Fixed(NonZeroUsize),
}

impl FromStr for Count {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            _ => text
                .parse()
                .map(Self::Fixed)
                .map_err(|_| "must be a whole number from 1 on, or auto".into()),
        }
    }
}

/// A share strictly between 0 and 1.
pub(crate) fn open_share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x > 0.0 && x < 1.0 => Ok(x),
        _ => Err("must be a number between 0 and 1, such as 0.1".into()),
    }
}

/// A share from 0 to 1.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if (0.0..=1.0).contains(&x) => Ok(x),
        _ => Err("must be a number from 0 to 1, such as 0.01".into()),
    }
}

/// Seconds, up to a day.
pub(crate) fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if (0.0..=86_400.0).contains(&x) => Ok(x),
        _ => Err("must be a number of seconds from 0 to 86400".into()),
    }
}

/// Seconds above 0, up to a day.
pub(crate) fn positive_seconds(text: &str) -> Result<f64, String> {
    match seconds(text) {
        Ok(x) if x > 0.0 => Ok(x),
        _ => Err("must be a number of seconds above 0, up to 86400".into()),
    }
}

/// Something per minute.
pub(crate) fn per_minute(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x > 0.0 && x.is_finite() => Ok(x),
        _ => Err("must be a number above 0".into()),
    }
}

/// How many cached questions to ask again: none, or enough to tell something.
pub(crate) fn recheck(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(n) if n == 0 || (LEAST..=10_000).contains(&n) => Ok(n),
        _ => Err(format!("must be 0 or a whole number from {LEAST} to 10000")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_a_number_from_one_on_or_auto() {
        assert_eq!("auto".parse(), Ok(Count::Auto));
        assert!(matches!("7".parse(), Ok(Count::Fixed(n)) if n.get() == 7));
        for bad in ["0", "-1", "1.5", "", "Auto"] {
            assert!(bad.parse::<Count>().is_err(), "{bad}");
        }
    }
}
