//! How numbers are written for people, in every table, chart and sentence.
//!
//! Signs are true minus signs (U+2212) and missing figures a dash, so that a column of numbers
//! lines up. From 1,000 on, thousands are grouped, and from 10¹² on the rest is a power of ten. CSV and
//! JSON have plain numbers, which do not come through here.

use crate::Unit;

/// Stands where there is no figure.
pub const MISSING: &str = "–";

/// The minus sign of figures.
pub const MINUS: char = '\u{2212}';

/// A value as its unit says: percentages with one decimal, p-values below 0.001 as `<0.001`,
/// differences with their sign.
pub fn figure(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Percent => fixed(value * 100.0, 1, false),
        Unit::PercentDifference => fixed(value * 100.0, 1, true),
        Unit::Number(decimals) => fixed(value, decimals.into(), false),
        Unit::Difference(decimals) => fixed(value, decimals.into(), true),
        Unit::PValue if value < 0.001 => "<0.001".to_owned(),
        Unit::Count | Unit::Text if value.fract() == 0.0 => fixed(value, 0, false),
        Unit::Count => fixed(value, 1, false),
        Unit::PValue | Unit::Text => fixed(value, 3, false),
    }
}

/// `[47.0, 49.8]`; an end that is not known is a dash. Nothing where neither is known.
pub fn interval(low: Option<f64>, high: Option<f64>, unit: Unit) -> Option<String> {
    let end = |end: Option<f64>| end.map_or_else(|| MISSING.to_owned(), |x| figure(x, unit));
    (low.is_some() || high.is_some()).then(|| format!("[{}, {}]", end(low), end(high)))
}

/// `14,042` of 14042.
pub fn count(number: usize) -> String {
    grouped(&number.to_string())
}

/// The number with its noun: `1 question`, `2 questions`.
pub fn counted(number: usize, noun: &str) -> String {
    let shown = count(number);
    let stem = noun.strip_suffix('y').filter(|stem| !stem.ends_with('a'));
    match stem {
        _ if number == 1 => format!("{shown} {noun}"),
        Some(stem) => format!("{shown} {stem}ies"),
        None => format!("{shown} {noun}s"),
    }
}

/// From here on digits tell nothing: a log loss this large is that of one absurd logit.
const ABSURD: f64 = 1e12;

/// A number with so many decimals. Zero has no sign, nor has a value that rounds to it.
pub fn fixed(value: f64, decimals: usize, signed: bool) -> String {
    if value.is_nan() {
        return MISSING.to_owned();
    }
    let digits = if value.is_infinite() {
        "∞".to_owned()
    } else if value.abs() >= ABSURD {
        format!("{:.3e}", value.abs())
    } else {
        grouped(&format!("{:.decimals$}", value.abs()))
    };
    let zero = digits.chars().all(|c| matches!(c, '0' | '.'));
    if zero {
        digits
    } else if value < 0.0 {
        format!("{MINUS}{digits}")
    } else if signed {
        format!("+{digits}")
    } else {
        digits
    }
}

/// Digits with commas between the thousands of the integer part.
fn grouped(digits: &str) -> String {
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut text = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_unit_has_its_form() {
        for (value, unit, text) in [
            (0.4837, Unit::Percent, "48.4"),
            (1.0, Unit::Percent, "100.0"),
            (-0.0123, Unit::PercentDifference, "−1.2"),
            (0.0123, Unit::PercentDifference, "+1.2"),
            (-0.0001, Unit::PercentDifference, "0.0"),
            (2.345, Unit::Number(1), "2.3"),
            (-2.0, Unit::Number(2), "−2.00"),
            (0.5, Unit::Difference(2), "+0.50"),
            (0.000_99, Unit::PValue, "<0.001"),
            (0.0, Unit::PValue, "<0.001"),
            (0.0375, Unit::PValue, "0.037"),
            (1.0, Unit::PValue, "1.000"),
            (999.0, Unit::Count, "999"),
            (1_000.0, Unit::Count, "1,000"),
            (10_000.0, Unit::Count, "10,000"),
            (1_234_567.0, Unit::Count, "1,234,567"),
            (12_345.678, Unit::Number(2), "12,345.68"),
            (-3.3333e28, Unit::Number(3), "−3.333e28"),
            (42.0, Unit::Text, "42"),
            (0.1, Unit::Text, "0.100"),
            (f64::NAN, Unit::Percent, MISSING),
            (f64::NAN, Unit::PValue, MISSING),
            (f64::INFINITY, Unit::Number(3), "∞"),
            (f64::NEG_INFINITY, Unit::Difference(1), "−∞"),
        ] {
            assert_eq!(figure(value, unit), text, "{value} as {unit:?}");
        }
    }

    #[test]
    fn an_open_end_is_a_dash() {
        assert_eq!(
            interval(None, Some(0.5), Unit::Percent).as_deref(),
            Some("[–, 50.0]")
        );
        assert_eq!(interval(None, None, Unit::Percent), None);
    }

    #[test]
    fn counts_have_their_noun() {
        assert_eq!(counted(1, "question"), "1 question");
        assert_eq!(counted(2000, "question"), "2,000 questions");
        assert_eq!(counted(0, "model"), "0 models");
        assert_eq!(counted(3, "strategy"), "3 strategies");
        assert_eq!(counted(2, "day"), "2 days");
    }

    proptest! {
        /// What is shown reads back as the value, to the last digit shown.
        #[test]
        fn shown_numbers_read_back(value in -1e7..1e7_f64, decimals in 0..6_u8, signed: bool) {
            let unit = if signed { Unit::Difference(decimals) } else { Unit::Number(decimals) };
            let text = figure(value, unit).replace(MINUS, "-").replace(',', "");
            let read: f64 = text.parse().unwrap();
            prop_assert!((read - value).abs() <= 0.500_001 * 10_f64.powi(-i32::from(decimals)));
            prop_assert_eq!(signed && read > 0.0, text.starts_with('+'));
            prop_assert!(!(read == 0.0 && text.starts_with('-')));
        }
    }
}
