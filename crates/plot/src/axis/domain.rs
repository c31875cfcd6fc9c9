//! What part of the numbers an axis shows.

use sureness_analysis::{Axis, Unit};

use crate::number::factor;

/// Larger numbers count as missing: their differences would not be numbers any more.
const LARGEST: f64 = 1e100;
/// A range that is smaller than this share of its values is taken for one value.
const FLAT: f64 = 1e-9;
/// Space between the outermost value and the end of the axis, as a share of the range.
const PADDING: f64 = 0.04;

/// The ends of an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Domain {
    pub low: f64,
    pub high: f64,
    pub log: bool,
}

/// The value, if it can be shown on an axis.
pub(crate) fn usable(value: f64, log: bool) -> Option<f64> {
    let shown = value.abs() <= LARGEST && (!log || value >= 1.0 / LARGEST);
    shown.then_some(value)
}

impl Domain {
    /// The domain for an axis with these values and ends of intervals. Ends that the axis fixes
    /// are moved where a value lies outside, so that none is lost; intervals may be cut there.
    pub(crate) fn of(axis: &Axis, values: &[f64], intervals: &[f64]) -> Self {
        let log = axis.log;
        let fixed = axis.range.and_then(|(a, b)| {
            let (a, b) = (usable(a, log)?, usable(b, log)?);
            (a < b || b < a).then(|| (a.min(b), a.max(b)))
        });
        if let Some((low, high)) = fixed {
            let (low, high) =
                ends(values, log).map_or((low, high), |(a, b)| (low.min(a), high.max(b)));
            return Self { low, high, log };
        }
        let ends = match (ends(values, log), ends(intervals, log)) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, other) => one.or(other),
        };
        match ends {
            None => Self::empty(axis.unit, log),
            Some(ends) if log => Self::logarithmic(ends),
            Some(ends) => Self::linear(ends, axis.unit),
        }
    }

    fn empty(unit: Unit, log: bool) -> Self {
        let (low, high) = match unit {
            _ if log => (1.0, 10.0),
            Unit::PercentDifference | Unit::Difference(_) => {
                (-1.0 / factor(unit), 1.0 / factor(unit))
            }
            Unit::Count => (0.0, 10.0),
            _ => (0.0, 1.0),
        };
        Self { low, high, log }
    }

    fn logarithmic((low, high): (f64, f64)) -> Self {
        let (low, high) = (low.log10(), high.log10());
        let pad = if high - low < FLAT {
            0.5
        } else {
            PADDING * (high - low)
        };
        Self {
            low: 10_f64.powf(low - pad),
            high: 10_f64.powf(high + pad),
            log: true,
        }
    }

    fn linear((mut low, mut high): (f64, f64), unit: Unit) -> Self {
        // Of a difference one wants to see on which side of zero it is.
        if matches!(unit, Unit::PercentDifference | Unit::Difference(_)) {
            low = low.min(0.0);
            high = high.max(0.0);
        }
        let largest = low.abs().max(high.abs());
        let pad = if high - low > FLAT * largest && high > low {
            PADDING * (high - low)
        } else if unit == Unit::Count {
            (0.1 * largest).max(1.0)
        } else if largest > 0.0 {
            0.1 * largest
        } else {
            0.1
        };
        let (start, end) = (low, high);
        low -= pad;
        high += pad;
        // No padding past where no value can be.
        if start >= 0.0 && low < 0.0 {
            low = 0.0;
        }
        if end <= 0.0 && high > 0.0 && start < 0.0 {
            high = 0.0;
        }
        if matches!(unit, Unit::Percent | Unit::PValue) && end <= 1.0 && high > 1.0 {
            high = 1.0;
        }
        if high <= low {
            high = low + 1.0;
        }
        Self {
            low,
            high,
            log: false,
        }
    }
}

fn ends(values: &[f64], log: bool) -> Option<(f64, f64)> {
    values
        .iter()
        .filter_map(|&value| usable(value, log))
        .fold(None, |ends, value| match ends {
            None => Some((value, value)),
            Some((low, high)) => Some((value.min(low), value.max(high))),
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn axis(unit: Unit) -> Axis {
        Axis {
            title: String::new(),
            unit,
            log: false,
            range: None,
        }
    }

    #[test]
    fn percentages_end_at_a_hundred() {
        let domain = Domain::of(&axis(Unit::Percent), &[0.2, 1.0], &[]);
        assert!((domain.high - 1.0).abs() < 1e-12 && domain.low < 0.2 && domain.low > 0.1);
    }

    #[test]
    fn differences_show_zero() {
        let domain = Domain::of(&axis(Unit::Difference(2)), &[0.5, 0.6], &[]);
        assert!(domain.low <= 0.0);
    }

    #[test]
    fn a_fixed_range_holds_intervals_and_gives_way_to_values() {
        let fixed = Axis {
            range: Some((0.0, 1.0)),
            ..axis(Unit::Number(2))
        };
        let domain = Domain::of(&fixed, &[0.5, 1.5], &[-3.0, 9.0]);
        assert_eq!((domain.low, domain.high), (0.0, 1.5));
    }

    proptest! {
        #[test]
        fn any_values_have_a_domain(values in prop::collection::vec(any::<f64>(), 0..6), log: bool, percent: bool) {
            let unit = if percent { Unit::Percent } else { Unit::Number(2) };
            let axis = Axis { log, ..axis(unit) };
            let domain = Domain::of(&axis, &values, &[]);
            prop_assert!(domain.low < domain.high && domain.low.is_finite() && domain.high.is_finite());
            for value in values.into_iter().filter_map(|value| usable(value, log)) {
                prop_assert!(value >= domain.low && value <= domain.high);
            }
        }
    }
}
