//! Where ticks are: at round numbers, as many as there is room for.

use sureness_analysis::Unit;

use super::Domain;
use crate::number::{factor, tick as written};

/// A tick with its label.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub value: f64,
    pub label: String,
}

/// The most ticks, `most` at the utmost, for which `fits` holds.
pub(crate) fn ticks_that_fit(
    domain: Domain,
    unit: Unit,
    most: usize,
    fits: impl Fn(&[Tick]) -> bool,
) -> Vec<Tick> {
    (1..=most)
        .rev()
        .map(|count| ticks(domain, unit, count))
        .find(|ticks| !ticks.is_empty() && fits(ticks))
        .unwrap_or_default()
}

/// About `count` ticks.
fn ticks(domain: Domain, unit: Unit, count: usize) -> Vec<Tick> {
    if domain.log && domain.high / domain.low > 5.0 {
        logarithmic(domain, unit, count)
    } else {
        linear(domain, unit, count)
    }
}

fn linear(domain: Domain, unit: Unit, count: usize) -> Vec<Tick> {
    let step = step((domain.high - domain.low) / count.max(1) as f64, unit);
    let nearly = 1e-9;
    let first = (domain.low / step - nearly).ceil();
    let last = (domain.high / step + nearly).floor();
    // A step is at most the range, so there is a limit to this; it is kept all the same.
    let number = ((last - first).max(-1.0) + 1.0).min(100.0) as usize;
    (0..number)
        .map(|i| {
            // Minus nought would be written with its sign.
            let value = (first + i as f64) * step + 0.0;
            Tick {
                value,
                label: written(value, unit, step),
            }
        })
        .collect()
}

/// The next round number: 1, 2, 5 or 10 times a power of ten, or 25 where that has no decimals.
fn step(least: f64, unit: Unit) -> f64 {
    let least = least * factor(unit);
    let power = 10_f64.powf(least.log10().floor());
    let quarter = 2.5 * power;
    let quarter = (20.0..1e6).contains(&quarter).then_some(quarter);
    let round = [power, 2.0 * power]
        .into_iter()
        .chain(quarter)
        .chain([5.0 * power, 10.0 * power])
        .find(|&round| round >= least * (1.0 - 1e-9))
        .unwrap_or(10.0 * power);
    let round = if unit == Unit::Count {
        round.max(1.0)
    } else {
        round
    };
    round / factor(unit)
}

fn logarithmic(domain: Domain, unit: Unit, count: usize) -> Vec<Tick> {
    let nearly = 1e-9;
    let (low, high) = (domain.low.log10(), domain.high.log10());
    let first = (low - nearly).floor() as i32;
    let last = (high + nearly).ceil() as i32;
    let within = |ticks: Vec<f64>| -> Vec<f64> {
        ticks
            .into_iter()
            .filter(|value| {
                let place = value.log10();
                place >= low - nearly && place <= high + nearly
            })
            .collect()
    };
    let decades = |every: i32, within_decade: &[f64]| -> Vec<f64> {
        (first..=last)
            .filter(|decade| decade.rem_euclid(every) == 0)
            .flat_map(|decade| {
                within_decade
                    .iter()
                    .map(move |digit| digit * 10_f64.powi(decade))
            })
            .collect()
    };
    let choices = [
        decades(1, &[1.0, 2.0, 5.0]),
        decades(1, &[1.0, 3.0]),
        decades(1, &[1.0]),
    ];
    choices
        .into_iter()
        .chain([2, 5, 10, 20, 50, 100].map(|every| decades(every, &[1.0])))
        .map(within)
        .find(|ticks| ticks.len() <= count.max(1))
        .unwrap_or_default()
        .into_iter()
        .map(|value| Tick {
            value,
            label: written(value, unit, value),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(low: f64, high: f64, log: bool, unit: Unit, count: usize) -> Vec<String> {
        ticks(Domain { low, high, log }, unit, count)
            .into_iter()
            .map(|tick| tick.label)
            .collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(
            labels(0.0, 1.0, false, Unit::Percent, 5),
            ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]
        );
        assert_eq!(
            labels(0.0, 1.0, false, Unit::Percent, 4),
            ["0 %", "25 %", "50 %", "75 %", "100 %"]
        );
        assert_eq!(
            labels(1.13, 3.4, false, Unit::Number(2), 5),
            ["1.5", "2.0", "2.5", "3.0"]
        );
        assert_eq!(labels(0.2, 2.2, false, Unit::Count, 8), ["1", "2"]);
        assert_eq!(
            labels(-0.031, 0.02, false, Unit::PercentDifference, 5),
            ["−2", "0", "+2"]
        );
    }

    #[test]
    fn logarithmic_ticks_are_powers_of_ten_where_there_are_many() {
        assert_eq!(
            labels(1.0, 1e4, true, Unit::Count, 6),
            ["1", "10", "100", "1,000", "10,000"]
        );
        assert_eq!(
            labels(1.0, 100.0, true, Unit::Count, 8),
            ["1", "2", "5", "10", "20", "50", "100"]
        );
        assert!(labels(1e-90, 1e90, true, Unit::Number(2), 5).len() <= 5);
    }

    proptest! {
        #[test]
        fn ticks_lie_within_and_say_different_things(low in -1e6..1e6_f64, span in 1e-6..1e6_f64, count in 1_usize..12) {
            let domain = Domain { low, high: low + span, log: false };
            let ticks = ticks(domain, Unit::Number(2), count);
            prop_assert!(ticks.len() <= 2 * count + 2);
            for pair in ticks.windows(2) {
                prop_assert!(pair[0].value < pair[1].value);
                prop_assert_ne!(&pair[0].label, &pair[1].label);
            }
            for tick in &ticks {
                prop_assert!(tick.value >= low - 1e-6 * span && tick.value <= low + span * (1.0 + 1e-6));
            }
        }
    }
}
