//! Figures as people read them.

use sureness_analysis::Unit;

/// What stands for a value that is not there.
pub(super) const NONE: &str = "–";

/// A value as text, without its unit; that stands in the heading.
pub(super) fn figure(value: f64, unit: Unit) -> String {
    if value.is_nan() {
        return NONE.to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞" } else { "−∞" }.to_owned();
    }
    match unit {
        Unit::Text => trimmed(value),
        Unit::Count => grouped(value),
        Unit::Percent => fixed(value * 100.0, 1, false),
        Unit::PercentDifference => fixed(value * 100.0, 1, true),
        Unit::Number(decimals) => fixed(value, decimals, false),
        Unit::Difference(decimals) => fixed(value, decimals, true),
        Unit::PValue if value < 0.001 => "<0.001".to_owned(),
        Unit::PValue => fixed(value, 3, false),
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

fn fixed(value: f64, decimals: u8, signed: bool) -> String {
    let text = format!("{:.*}", usize::from(decimals), value.abs());
    let zero = text.bytes().all(|b| matches!(b, b'0' | b'.'));
    match (zero, value < 0.0) {
        (false, true) => format!("−{text}"),
        (false, false) if signed => format!("+{text}"),
        (true, _) if signed => format!("±{text}"),
        (true, _) | (false, false) => text,
    }
}

/// A whole number in groups of three digits.
pub(super) fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if value < 0.0 && digits != "0" {
        text.push('−');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_rounded_in_their_unit() {
        for (value, unit, text) in [
            (0.7126, Unit::Percent, "71.3"),
            (-0.012, Unit::PercentDifference, "−1.2"),
            (0.012, Unit::PercentDifference, "+1.2"),
            (-0.0001, Unit::PercentDifference, "±0.0"),
            (-0.0001, Unit::Percent, "0.0"),
            (1.625, Unit::Number(1), "1.6"),
            (12_345.0, Unit::Count, "12,345"),
            (999.0, Unit::Count, "999"),
            (1e-9, Unit::PValue, "<0.001"),
            (0.0424, Unit::PValue, "0.042"),
            (f64::NAN, Unit::Percent, "–"),
            (f64::INFINITY, Unit::Number(2), "∞"),
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
