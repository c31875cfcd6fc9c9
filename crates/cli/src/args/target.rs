//! `--detect`.

use std::fmt;
use std::str::FromStr;

use sureness_bench::Failure;

/// A figure to compare models by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    Accuracy,
    SetSize,
    UAcc,
}

impl Figure {
    /// The figure's index in a panel.
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Accuracy => 0,
            Self::SetSize => 2,
            Self::UAcc => 3,
        }
    }
}

/// A difference of one figure to detect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Target {
    pub(crate) figure: Figure,
    pub(crate) difference: f64,
}

impl Target {
    /// Refuses a difference that two models cannot have.
    pub(crate) fn check(self, options: f64) -> Result<(), Failure> {
        let max = match self.figure {
            Figure::Accuracy => 1.0,
            Figure::SetSize => options - 1.0,
            Figure::UAcc => options.sqrt(),
        };
        if self.difference < max {
            return Ok(());
        }
        let hint = match self.figure {
            Figure::SetSize => format!("give less: sets have 1 to {options:.0} options"),
            Figure::Accuracy | Figure::UAcc => {
                "give percentage points, such as 2pp, or a share, such as 0.02".into()
            }
        };
        Err(Failure::new(format!("{self}: two models cannot differ by that much")).hint(hint))
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, number) = text
            .split_once('=')
            .ok_or("must be of the form FIGURE=DIFFERENCE, such as size=0.1")?;
        let figure = match name.to_lowercase().as_str() {
            "acc" | "accuracy" => Figure::Accuracy,
            "size" | "set-size" | "ss" => Figure::SetSize,
            "uacc" => Figure::UAcc,
            _ => {
                return Err(format!(
                    "{name:?} is unknown; the figures are acc, size and uacc"
                ));
            }
        };
        let (number, unit) = match number.strip_suffix("pp") {
            Some(_) if figure == Figure::SetSize => {
                return Err("set size takes options, such as size=0.1".into());
            }
            Some(points) => (points, 100.0),
            None => (number, 1.0),
        };
        match number.trim_end().parse::<f64>() {
            Ok(number) if number > 0.0 && number.is_finite() => Ok(Self {
                figure,
                difference: number / unit,
            }),
            _ => Err("the difference must be a number above 0, such as size=0.1 or acc=2pp".into()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let points = 100.0 * self.difference;
        // The digits given, without those added by binary floating point.
        let points = (points * 1e6).round() / 1e6;
        match self.figure {
            Figure::Accuracy => write!(f, "accuracy {points} pp"),
            Figure::SetSize => write!(f, "set size {}", self.difference),
            Figure::UAcc => write!(f, "UAcc {points} pp"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_and_shown() {
        for (text, shown) in [
            ("size=0.1", "set size 0.1"),
            ("acc=0.02", "accuracy 2 pp"),
            ("acc=2pp", "accuracy 2 pp"),
            ("UAcc=0.07", "UAcc 7 pp"),
            ("uacc=1.5pp", "UAcc 1.5 pp"),
        ] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), shown);
        }
        for bad in [
            "size", "size=0", "size=-1", "size=nan", "acc=inf", "cov=0.1", "=1", "size=",
            "size=2pp", "acc=pp",
        ] {
            assert!(bad.parse::<Target>().is_err(), "{bad}");
        }
    }
}
