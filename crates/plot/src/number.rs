//! How numbers are written in charts: as in tables, but with their unit, and with the decimals that
//! there is room for.

use sureness_analysis::Unit;
use sureness_analysis::number::{self, MINUS, MISSING};

/// Beyond these, a number is written with a power of ten.
const LARGEST: f64 = 1e9;
const SMALLEST: f64 = 1e-6;

/// A single value with its unit.
pub(crate) fn value(value: f64, unit: Unit) -> String {
    let text = bare(value, unit, 0);
    match unit {
        Unit::Percent if value.is_finite() => text + " %",
        Unit::PercentDifference if value.is_finite() => text + " pp",
        Unit::PValue if (0.0..0.001).contains(&value) => number::figure(value, unit),
        _ => text,
    }
}

/// A value without its unit, which is said elsewhere, with so many decimals less than in tables.
pub(crate) fn bare(value: f64, unit: Unit, fewer: usize) -> String {
    if !value.is_finite() {
        return MISSING.to_owned();
    }
    let decimals = |usual: usize| usual.saturating_sub(fewer);
    let value = value * factor(unit);
    match unit {
        Unit::Text | Unit::PValue => plain(value, decimals(3)),
        Unit::Count => plain(value, 0),
        Unit::Percent => plain(value, decimals(1)),
        Unit::PercentDifference => signed(value, decimals(1)),
        Unit::Number(usual) => plain(value, decimals(usual.into())),
        Unit::Difference(usual) => signed(value, decimals(usual.into())),
    }
}

/// How many decimals [`bare`] can leave out.
pub(crate) fn spare_decimals(unit: Unit) -> usize {
    match unit {
        Unit::Count => 0,
        Unit::Percent | Unit::PercentDifference => 1,
        Unit::Text | Unit::PValue => 2,
        // One decimal at least: without any, close values would look equal.
        Unit::Number(usual) | Unit::Difference(usual) => usize::from(usual).saturating_sub(1),
    }
}

/// What stands behind an axis title or over a key, for numbers written without their unit.
pub(crate) fn suffix(unit: Unit) -> &'static str {
    match unit {
        Unit::PercentDifference => " (percentage points)",
        _ => "",
    }
}

/// A number on an axis whose ticks are `step` apart.
pub(crate) fn tick(value: f64, unit: Unit, step: f64) -> String {
    let factor = factor(unit);
    let (value, step) = (value * factor, step * factor);
    let text = if value.abs() >= LARGEST || (step < SMALLEST && value.abs() < 1.0) {
        power(value, step)
    } else {
        let decimals = decimals(step);
        match unit {
            Unit::PercentDifference | Unit::Difference(_) => signed(value, decimals),
            _ => plain(value, decimals),
        }
    };
    if unit == Unit::Percent {
        text + " %"
    } else {
        text
    }
}

/// What a value is multiplied with before it is written.
pub(crate) fn factor(unit: Unit) -> f64 {
    match unit {
        Unit::Percent | Unit::PercentDifference => 100.0,
        _ => 1.0,
    }
}

/// The decimals that multiples of a step need.
fn decimals(step: f64) -> usize {
    (0..9)
        .find(|&digits| {
            let scaled = step * 10_f64.powi(digits);
            (scaled - scaled.round()).abs() < 1e-6 * scaled && scaled > 0.5
        })
        .unwrap_or(9) as usize
}

fn signed(value: f64, decimals: usize) -> String {
    written(value, decimals, true)
}

fn plain(value: f64, decimals: usize) -> String {
    written(value, decimals, false)
}

fn written(value: f64, decimals: usize, signed: bool) -> String {
    if value.abs() >= LARGEST {
        let plus = if signed && value > 0.0 { "+" } else { "" };
        return plus.to_owned() + &power(value, value.abs() * 1e-4);
    }
    number::fixed(value, decimals.min(9), signed)
}

/// With a power of ten, exact to `step`.
fn power(value: f64, step: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let digits = (value.abs() / step).log10();
    let digits = if digits.is_finite() {
        digits.ceil().clamp(0.0, 9.0)
    } else {
        3.0
    };
    let text = format!("{:.*e}", digits as usize, value);
    let (number, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let number = if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        number
    };
    format!("{number}e{exponent}").replace('-', &MINUS.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_follow_their_unit() {
        assert_eq!(value(0.8341, Unit::Percent), "83.4 %");
        assert_eq!(value(-0.032, Unit::PercentDifference), "−3.2 pp");
        assert_eq!(value(0.0, Unit::Difference(2)), "0.00");
        assert_eq!(value(0.5, Unit::Difference(2)), "+0.50");
        assert_eq!(value(-0.001, Unit::Number(1)), "0.0");
        assert_eq!(value(0.0004, Unit::PValue), "<0.001");
        assert_eq!(value(1234.0, Unit::Count), "1,234");
        assert_eq!(value(1_234_567.0, Unit::Count), "1,234,567");
        assert_eq!(value(f64::NAN, Unit::Count), "–");
    }

    #[test]
    fn ticks_have_the_decimals_of_their_step() {
        assert_eq!(tick(0.85, Unit::Percent, 0.05), "85 %");
        assert_eq!(tick(0.875, Unit::Percent, 0.025), "87.5 %");
        assert_eq!(tick(0.3, Unit::Number(3), 0.1), "0.3");
        assert_eq!(tick(2.0, Unit::Number(2), 1.0), "2");
        assert_eq!(tick(0.02, Unit::PercentDifference, 0.01), "+2");
        assert_eq!(tick(-0.02, Unit::PercentDifference, 0.01), "−2");
        assert_eq!(tick(2e12, Unit::Number(1), 1e12), "2e12");
        assert_eq!(tick(3e-9, Unit::Number(1), 1e-9), "3e−9");
    }

    #[test]
    fn cells_can_do_with_less() {
        assert_eq!(bare(0.8341, Unit::Percent, 0), "83.4");
        assert_eq!(bare(0.8341, Unit::Percent, 1), "83");
        assert_eq!(bare(1.237, Unit::Number(2), 1), "1.2");
        assert_eq!(spare_decimals(Unit::Number(2)), 1);
    }
}
