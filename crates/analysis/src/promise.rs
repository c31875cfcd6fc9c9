//! Whether the promise of coverage is kept, over everything that was measured.

use sureness_conformal::{CoverageVerdict, benjamini_hochberg};

use crate::Figures;
use crate::text::percent;

/// Among groups that are said to fall short, this share at most is expected to do so by chance.
const FALSE_FINDINGS: f64 = 0.05;

/// What LAC's coverage of all groups, each a (model, task, strategy), adds up to.
///
/// One rule for every output: the p-values of the groups whose verdict is too low are adjusted
/// after Benjamini and Hochberg for all groups that can be told, and the promise is broken where
/// one of them stays at 5 % or less. Taken one by one, a group in forty is too low by chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Promise {
    /// Groups with a finite threshold and enough clusters. Of the others nothing can be said.
    pub told: usize,
    /// Groups with too few calibration questions for a finite threshold.
    pub vacuous: usize,
    /// Groups with too few clusters to know the law of coverage.
    pub few: usize,
    /// Groups that are too low, taken one by one.
    pub low: usize,
    /// Groups that are too low even so many at once.
    pub broken: usize,
    /// In the median group, only a coverage below this is too low: with ten test questions about one
    /// half. 1 where nothing can be said.
    pub floor: f64,
}

/// Where only a shortfall of more than this is too low, that none was found says nothing.
const TELLING: f64 = 0.1;

impl Promise {
    /// Whether coverage is as promised, one minus `alpha`; `None` where there are too few questions to
    /// tell.
    pub fn kept(&self, alpha: f64) -> Option<bool> {
        let telling = self.broken > 0 || !self.is_coarse(alpha);
        (self.told > 0 && telling).then_some(self.broken == 0)
    }

    fn is_coarse(&self, alpha: f64) -> bool {
        self.floor < 1.0 - alpha - TELLING
    }

    /// The same in a sentence, for a promise of one minus `alpha`.
    pub fn sentence(&self, alpha: f64) -> String {
        let promise = percent(1.0 - alpha);
        let Self {
            told,
            vacuous,
            few,
            low,
            broken,
            floor,
        } = *self;
        let of = format!(
            "{told} {}",
            match told {
                1 => "combination of model, task and strategy",
                _ => "combinations of model, task and strategy",
            }
        );
        let unclear = vacuous + few;
        let mut sentence = match (told, unclear, low, broken) {
            (0, 0, ..) => return "No task has enough answers to be evaluated.".into(),
            (0, ..) if few == 0 => {
                return format!(
                    "Too few calibration questions for {promise} % coverage: every set is full."
                );
            }
            (0, ..) => {
                return format!(
                    "Too few clusters of questions to tell whether coverage is {promise} %."
                );
            }
            (1, _, _, 0) => format!("LAC's coverage is compatible with {promise} %"),
            (_, _, 0, _) => format!("LAC's coverage is compatible with {promise} % in all {of}"),
            (.., 0) => format!(
                "LAC's coverage is compatible with {promise} %: it falls short in {low} of {of}, as expected by chance"
            ),
            (..) => format!(
                "LAC misses {promise} % coverage: it falls short in {broken} of {of} by more than chance explains"
            ),
        };
        if broken == 0 && self.is_coarse(alpha) {
            let each = if told == 1 { "" } else { " in the median one" };
            sentence.push_str(&format!(
                ", but with so few questions only a coverage below {} % would show{each}",
                percent(floor)
            ));
        }
        let what = if vacuous > 0 {
            "calibration questions"
        } else {
            "clusters"
        };
        sentence.push_str(&match unclear {
            0 => ".".to_owned(),
            _ => format!("; {unclear} more have too few {what} to tell."),
        });
        sentence
    }
}

impl Figures<'_> {
    /// Whether LAC keeps the promise of coverage.
    pub fn promise(&self) -> Promise {
        let groups = self.models.iter().flat_map(|model| &model.groups);
        of(groups.map(|group| {
            let check = &group.lac().check;
            (check.verdict, check.p_value, check.low)
        }))
    }
}

/// Adds up verdicts with their p-values and the lowest coverage that is compatible.
fn of(checks: impl Iterator<Item = (CoverageVerdict, f64, f64)>) -> Promise {
    let (mut vacuous, mut few) = (0, 0);
    let (p, mut floors): (Vec<f64>, Vec<f64>) = checks
        .filter_map(|(verdict, p, floor)| match verdict {
            CoverageVerdict::Vacuous => {
                vacuous += 1;
                None
            }
            CoverageVerdict::TooFew => {
                few += 1;
                None
            }
            CoverageVerdict::TooLow => Some((p, floor)),
            // Covering more breaks no promise.
            CoverageVerdict::Compatible | CoverageVerdict::TooHigh => Some((1.0, floor)),
        })
        .unzip();
    floors.sort_unstable_by(f64::total_cmp);
    let adjusted = benjamini_hochberg(&p);
    Promise {
        told: p.len(),
        vacuous,
        few,
        low: p.iter().filter(|&&p| p < 1.0).count(),
        broken: adjusted.iter().filter(|&&p| p <= FALSE_FINDINGS).count(),
        floor: floors.get(floors.len() / 2).copied().unwrap_or(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::CoverageVerdict::{Compatible, TooFew, TooHigh, TooLow, Vacuous};
    use super::*;

    fn promise(checks: &[(CoverageVerdict, f64)]) -> Promise {
        of(checks.iter().map(|&(verdict, p)| (verdict, p, 0.85)))
    }

    #[test]
    fn few_questions_tell_little() {
        let few = of([(Compatible, 0.8, 0.6)].into_iter());
        assert_eq!(few.kept(0.1), None);
        assert_eq!(
            few.sentence(0.1),
            "LAC's coverage is compatible with 90 %, but with so few questions only a coverage below 60 % would show."
        );
        // A shortfall that shows all the same is one.
        assert_eq!(of([(TooLow, 0.01, 0.6)].into_iter()).kept(0.1), Some(false));
        let mixed = of([
            (Compatible, 0.8, 0.85),
            (Compatible, 0.8, 0.4),
            (Vacuous, 1.0, 1.0),
        ]
        .into_iter());
        assert_eq!((mixed.kept(0.1), mixed.floor), (Some(true), 0.85));
    }

    #[test]
    fn nothing_to_tell() {
        assert_eq!(promise(&[]).kept(0.1), None);
        assert!(promise(&[]).sentence(0.1).starts_with("No task"));
        let full = promise(&[(Vacuous, 1.0); 3]);
        assert_eq!((full.kept(0.1), full.vacuous), (None, 3));
        assert!(full.sentence(0.1).contains("every set is full"));
        let few = promise(&[(Vacuous, 1.0), (TooFew, 1.0)]);
        assert_eq!((few.kept(0.1), few.vacuous, few.few), (None, 1, 1));
        assert!(few.sentence(0.1).starts_with("Too few clusters"));
    }

    #[test]
    fn a_few_of_many_are_too_low_by_chance() {
        let mut checks = vec![(Compatible, 0.5); 79];
        checks.push((TooLow, 0.04));
        let kept = promise(&checks);
        assert_eq!((kept.kept(0.1), kept.low, kept.broken), (Some(true), 1, 0));
        assert_eq!(
            kept.sentence(0.1),
            "LAC's coverage is compatible with 90 %: it falls short in 1 of 80 combinations of model, task and strategy, as expected by chance."
        );
        // Alone, the same group breaks it.
        assert_eq!(promise(&checks[79..]).kept(0.1), Some(false));
        // So does one that chance cannot explain even so, or many that each fall short a little.
        checks.push((TooLow, 1e-6));
        assert_eq!(promise(&checks).broken, 1);
        let many = promise(&[[(TooLow, 0.04); 40], [(Compatible, 1.0); 40]].concat());
        assert_eq!((many.kept(0.1), many.broken), (Some(true), 0));
        let most = promise(&[[(TooLow, 0.02); 40], [(Compatible, 1.0); 40]].concat());
        assert_eq!((most.kept(0.1), most.broken), (Some(false), 40));
    }

    #[test]
    fn covering_more_breaks_nothing() {
        let above = promise(&[(TooHigh, 1e-9), (Compatible, 0.3), (Vacuous, 1.0)]);
        assert_eq!(above.kept(0.1), Some(true));
        assert_eq!(
            above.sentence(0.075),
            "LAC's coverage is compatible with 92.5 % in all 2 combinations of model, task and strategy; 1 more have too few calibration questions to tell."
        );
    }
}
