//! Figures as people read them.

use sureness_analysis::Unit;
use sureness_analysis::number::{self, MISSING, fixed};

/// What stands for a value that is not there.
pub(super) const NONE: &str = MISSING;

/// A value as text, without its unit; that stands in the heading. Words and charts' values, which
/// have no unit, keep their digits.
pub(super) fn figure(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Text if value.is_finite() => {
            let text = fixed(value, 6, false);
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => number::figure(value, unit),
    }
}

/// An interval as text.
pub(super) fn interval(low: Option<f64>, high: Option<f64>, unit: Unit) -> Option<String> {
    match (low, high) {
        (Some(low), Some(high)) => {
            // A dash between signs would be read as one of them.
            let signed = low < 0.0 || matches!(unit, Unit::PercentDifference | Unit::Difference(_));
            let between = if signed { " to " } else { "–" };
            Some(figure(low, unit) + between + &figure(high, unit))
        }
        (Some(low), None) => Some(format!("≥ {}", figure(low, unit))),
        (None, Some(high)) => Some(format!("≤ {}", figure(high, unit))),
        (None, None) => None,
    }
}

/// What stands behind a column's heading.
pub(super) fn suffix(unit: Unit) -> &'static str {
    match unit {
        Unit::Percent => "%",
        Unit::PercentDifference => "pp",
        Unit::Text | Unit::Count | Unit::Number(_) | Unit::Difference(_) | Unit::PValue => "",
    }
}

/// A value for sorting, in six significant digits or more.
pub(super) fn sort_key(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-3 {
        format!("{value:.5e}")
    } else {
        trimmed(value)
    }
}

fn trimmed(value: f64) -> String {
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0" } else { text }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_without_a_unit_keep_their_digits() {
        for (value, unit, text) in [
            (0.125, Unit::Text, "0.125"),
            (12_345.0, Unit::Text, "12,345"),
            (12_345.0, Unit::Count, "12,345"),
            (f64::NAN, Unit::Text, "–"),
            (f64::INFINITY, Unit::Text, "∞"),
        ] {
            assert_eq!(figure(value, unit), text, "{value} {unit:?}");
        }
    }

    #[test]
    fn intervals_do_not_mix_dashes_with_signs() {
        let text = |low, high, unit| interval(Some(low), Some(high), unit).unwrap();
        assert_eq!(text(0.698, 0.726, Unit::Percent), "69.8–72.6");
        assert_eq!(text(-0.01, 0.02, Unit::PercentDifference), "−1.0 to +2.0");
        assert_eq!(text(-1.0, 2.0, Unit::Number(0)), "−1 to 2");
        assert_eq!(interval(Some(0.5), None, Unit::Percent).unwrap(), "≥ 50.0");
    }

    #[test]
    fn small_values_keep_their_order() {
        assert_eq!(sort_key(0.5), "0.5");
        assert_eq!(sort_key(1e-12), "1.00000e-12");
        assert_eq!(sort_key(0.0), "0");
        assert_eq!(sort_key(1200.0), "1200");
    }
}
