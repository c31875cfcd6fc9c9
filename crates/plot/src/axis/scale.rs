//! From values to pixels.

use super::Domain;

/// A domain laid along a stretch of pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    pub domain: Domain,
    /// Where the low end is.
    pub from: f64,
    /// Where the high end is.
    pub to: f64,
}

impl Scale {
    pub(crate) fn new(domain: Domain, from: f64, to: f64) -> Self {
        Self { domain, from, to }
    }

    /// The pixel of a value; values beyond an end are at that end.
    pub(crate) fn at(&self, value: f64) -> f64 {
        self.from + self.share(value).clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// Whether a value lies within the axis.
    pub(crate) fn holds(&self, value: f64) -> bool {
        (self.domain.low..=self.domain.high).contains(&value)
    }

    /// The pixel of a value that may lie beyond an end, though not absurdly far.
    pub(crate) fn beyond(&self, value: f64) -> f64 {
        self.from + self.share(value).clamp(-50.0, 50.0) * (self.to - self.from)
    }

    /// The value at a share of the way from the low to the high end.
    pub(crate) fn value(&self, share: f64) -> f64 {
        let Domain { low, high, log } = self.domain;
        if log {
            10_f64.powf(low.log10() + share * (high.log10() - low.log10()))
        } else {
            low + share * (high - low)
        }
    }

    fn share(&self, value: f64) -> f64 {
        let Domain { low, high, log } = self.domain;
        let share = if log {
            (value.log10() - low.log10()) / (high.log10() - low.log10())
        } else {
            (value - low) / (high - low)
        };
        // What has no logarithm lies below all that have one.
        if share.is_nan() { 0.0 } else { share }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_ends_and_decades_are_equal() {
        let domain = Domain {
            low: 1.0,
            high: 100.0,
            log: true,
        };
        let scale = Scale::new(domain, 200.0, 0.0);
        assert!((scale.at(10.0) - 100.0).abs() < 1e-9);
        assert!((scale.at(-4.0) - 200.0).abs() < 1e-9);
        assert!((scale.at(1e9) - 0.0).abs() < 1e-9);
        assert!((scale.value(0.5) - 10.0).abs() < 1e-9);
    }
}
