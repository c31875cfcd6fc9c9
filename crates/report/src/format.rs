//! How figures are written for people: one home for every format that is read rather than parsed.
//!
//! Signs are true minus signs (U+2212) and missing figures a dash, so that a column of numbers
//! lines up. What programs read (CSV, JSON) has plain numbers and does not come through here.

use sureness_analysis::{Better, Cell, Column, Unit};

/// Stands where there is no figure.
pub const MISSING: &str = "–";

/// The minus sign of figures.
pub const MINUS: char = '\u{2212}';

/// Integers from this many digits on are written in groups of three: 9999, but 10,000.
const GROUPED_FROM: usize = 5;

/// A figure as it is shown, in its parts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shown {
    /// The value, or the words; empty where there is nothing to say.
    pub value: String,
    /// Its interval in brackets.
    pub interval: Option<String>,
    /// How many observations it rests on, such as `n=120`.
    pub n: Option<String>,
}

impl Shown {
    /// A cell of a column of `unit`.
    pub fn of(cell: &Cell, unit: Unit) -> Self {
        match cell {
            Cell::Empty if unit == Unit::Text => Self::default(),
            Cell::Empty => Self::words(MISSING),
            Cell::Text(text) => Self::words(text),
            Cell::Figure {
                value,
                low,
                high,
                n,
                no_interval,
            } => Self {
                value: number(*value, unit),
                interval: interval(*low, *high, unit)
                    .or_else(|| no_interval.as_ref().map(|why| format!("[{why}]"))),
                n: n.map(|n| format!("n={}", grouped(&n.to_string()))),
            },
        }
    }

    /// All parts on one line: `48.4 [47.0, 49.8] n=120`.
    pub fn line(&self) -> String {
        [
            Some(self.value.as_str()),
            self.interval.as_deref(),
            self.n.as_deref(),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ")
    }

    fn words(text: &str) -> Self {
        Self {
            value: text.to_owned(),
            ..Self::default()
        }
    }
}

/// A value as its unit says: percentages with one decimal, p-values below 0.001 as `<0.001`,
/// differences with their sign.
pub fn number(value: f64, unit: Unit) -> String {
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
    let end = |end: Option<f64>| end.map_or_else(|| MISSING.to_owned(), |x| number(x, unit));
    (low.is_some() || high.is_some()).then(|| format!("[{}, {}]", end(low), end(high)))
}

/// A column's heading with its unit and an arrow towards the good values: `Acc % ↑`.
pub fn heading(column: &Column) -> String {
    let title = column.title.trim();
    let has = |unit: &str| {
        let mut words = title.split([' ', '(', ')', '[', ']', ',']);
        words.any(|word| word == unit)
    };
    let unit = match column.unit {
        Unit::Percent if !has("%") => " %",
        Unit::PercentDifference if !["%", "pp", "points"].into_iter().any(has) => " pp",
        _ => "",
    };
    let arrow = match column.better {
        Some(Better::Higher) => " ↑",
        Some(Better::Lower) => " ↓",
        None => "",
    };
    format!("{title}{unit}{arrow}")
}

/// A number with so many decimals. Zero has no sign, also where it was rounded to.
fn fixed(value: f64, decimals: usize, signed: bool) -> String {
    if value.is_nan() {
        return MISSING.to_owned();
    }
    let digits = if value.is_infinite() {
        "∞".to_owned()
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

/// Commas between the thousands of a long integer part.
fn grouped(digits: &str) -> String {
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    if whole.len() < GROUPED_FROM {
        return digits.to_owned();
    }
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
            (9_999.0, Unit::Count, "9999"),
            (10_000.0, Unit::Count, "10,000"),
            (1_234_567.0, Unit::Count, "1,234,567"),
            (12_345.678, Unit::Number(2), "12,345.68"),
            (42.0, Unit::Text, "42"),
            (0.1, Unit::Text, "0.100"),
            (f64::NAN, Unit::Percent, MISSING),
            (f64::NAN, Unit::PValue, MISSING),
            (f64::INFINITY, Unit::Number(3), "∞"),
            (f64::NEG_INFINITY, Unit::Difference(1), "−∞"),
        ] {
            assert_eq!(number(value, unit), text, "{value} as {unit:?}");
        }
    }

    #[test]
    fn a_cell_in_its_parts() {
        let cell = Cell::Figure {
            value: 0.4837,
            low: Some(0.47),
            high: Some(0.4979),
            n: Some(12_000),
            no_interval: None,
        };
        let shown = Shown::of(&cell, Unit::Percent);
        assert_eq!(shown.line(), "48.4 [47.0, 49.8] n=12,000");
        let alone = Cell::without_interval(1.0, "too few");
        assert_eq!(Shown::of(&alone, Unit::Percent).line(), "100.0 [too few]");
        assert_eq!(Shown::of(&Cell::Empty, Unit::Percent).line(), MISSING);
        assert_eq!(Shown::of(&Cell::Empty, Unit::Text).line(), "");
        assert_eq!(Shown::of(&Cell::text("a b"), Unit::Count).line(), "a b");
        assert_eq!(
            interval(None, Some(0.5), Unit::Percent).as_deref(),
            Some("[–, 50.0]")
        );
        assert_eq!(interval(None, None, Unit::Percent), None);
    }

    #[test]
    fn headings_name_unit_and_direction_once() {
        let column = |title, unit| Column::new("key", title, unit);
        assert_eq!(heading(&column("Acc", Unit::Percent).higher()), "Acc % ↑");
        assert_eq!(heading(&column("Acc %", Unit::Percent)), "Acc %");
        assert_eq!(heading(&column("SS", Unit::Number(2)).lower()), "SS ↓");
        assert_eq!(
            heading(&column("Δ Acc", Unit::PercentDifference)),
            "Δ Acc pp"
        );
        assert_eq!(heading(&column("Task", Unit::Text)), "Task");
    }

    proptest! {
        /// What is shown reads back as the value, to the last digit shown.
        #[test]
        fn shown_numbers_read_back(value in -1e7..1e7_f64, decimals in 0..6_u8, signed: bool) {
            let unit = if signed { Unit::Difference(decimals) } else { Unit::Number(decimals) };
            let text = number(value, unit).replace(MINUS, "-").replace(',', "");
            let read: f64 = text.parse().unwrap();
            prop_assert!((read - value).abs() <= 0.500_001 * 10_f64.powi(-i32::from(decimals)));
            prop_assert_eq!(signed && read > 0.0, text.starts_with('+'));
            prop_assert!(!(read == 0.0 && text.starts_with('-')));
        }
    }
}
