//! A simulated model, for planning without measurements.

use super::figure::Estimand;
use super::panel::{Answers, Panel};
use super::random::Stream;
use crate::{Row, Table, View};

/// A law of answers. Each option's logit is normal noise; the right one adds a skill that varies
/// between questions, and logits are scaled by the mean skill. Half of the noise's variance is
/// shared by all prompt strategies of a question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reference {
    /// Options per question, 2 to 26.
    pub options: usize,
    /// Prompt strategies, at least 1.
    pub strategies: usize,
    /// Share of right answers, above chance level and below 1.
    pub accuracy: f64,
}

/// Standard deviation of the skill between questions.
const SKILL_SPREAD: f64 = 0.5;
/// Upper limit of the search for the skill.
const MAX_SKILL: f64 = 12.0;

impl Reference {
    /// Answers of one model to `questions` questions, the first half of which calibrates. `None` if
    /// a setting is out of range.
    pub fn panel(&self, questions: usize, alpha: f64, seed: u64) -> Option<Panel> {
        let least = 1.0 / self.options.max(1) as f64;
        let usable = (2..=26).contains(&self.options)
            && self.strategies > 0
            && self.accuracy > least
            && self.accuracy < 1.0;
        if !usable {
            return None;
        }
        let skill = self.skill();
        let mut normal = Normal(Stream::new("reference model", seed, 0));
        let half = 0.5_f64.sqrt();
        let mut tables = vec![Table::new(self.options); self.strategies];
        for index in 0..questions {
            let answer = normal.0.below(self.options);
            let of_question = skill + SKILL_SPREAD * normal.next();
            let shared: Vec<f64> = (0..self.options).map(|_| half * normal.next()).collect();
            let mut key = [0; 32];
            key[..8].copy_from_slice(&(index as u64).to_le_bytes());
            for table in &mut tables {
                let logits: Vec<f64> = shared
                    .iter()
                    .enumerate()
                    .map(|(option, shared)| {
                        let right = if option == answer { of_question } else { 0.0 };
                        skill * (right + shared + half * normal.next())
                    })
                    .collect();
                let row = Row {
                    key: &key,
                    cluster: None,
                    logits: (&logits).into(),
                    right: answer.into(),
                    dont_know: None,
                    none_of_the_above: None,
                };
                table.push(key, &row, None).ok()?;
            }
        }
        let rows: Vec<usize> = (0..questions).collect();
        let calibrates: Vec<bool> = rows.iter().map(|&row| row < questions / 2).collect();
        let answers = tables.iter().map(|table| Answers { table, rows: &rows });
        let mut panel = Panel::new(1, View::default(), alpha, Estimand::Procedure);
        let clusters = tables.first()?.clusters();
        panel
            .add(&[answers.collect()], clusters, &calibrates)
            .ok()?;
        Some(panel)
    }

    /// The skill at which accuracy is [`Self::accuracy`].
    fn skill(&self) -> f64 {
        let (mut low, mut high) = (0.0, MAX_SKILL);
        for _ in 0..50 {
            let middle = f64::midpoint(low, high);
            if self.accuracy_at(middle) < self.accuracy {
                low = middle;
            } else {
                high = middle;
            }
        }
        f64::midpoint(low, high)
    }

    /// The probability that a normal number around `skill` exceeds all others, around 0.
    fn accuracy_at(&self, skill: f64) -> f64 {
        const STEP: f64 = 0.02;
        let others = self.options as f64 - 1.0;
        let sd = (1.0 + SKILL_SPREAD * SKILL_SPREAD).sqrt();
        let density = |x: f64| (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
        (-400..=400)
            .map(|step| STEP * f64::from(step))
            .map(|x| STEP * density(x) * super::normal::cdf(skill + sd * x).powf(others))
            .sum()
    }
}

/// Normal numbers.
struct Normal(Stream);

impl Normal {
    /// Box & Muller 1958, of which one number of each pair is used.
    fn next(&mut self) -> f64 {
        let radius = (-2.0 * libm::log(1.0 - self.0.unit())).sqrt();
        radius * libm::cos(std::f64::consts::TAU * self.0.unit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracy_is_as_wanted() {
        for (options, accuracy) in [(2, 0.7), (4, 0.3), (6, 0.6), (10, 0.9)] {
            let reference = Reference {
                options,
                strategies: 1,
                accuracy,
            };
            let figures = reference.panel(8000, 0.1, 1).unwrap().figures(0);
            // Four standard errors of 4,000 test questions.
            assert!((figures[0] - accuracy).abs() < 0.032, "{figures:?}");
            assert!((figures[1] - 0.9).abs() < 0.06, "{figures:?}");
        }
    }

    #[test]
    fn out_of_range_settings_have_no_panel() {
        let good = Reference {
            options: 6,
            strategies: 3,
            accuracy: 0.6,
        };
        assert!(good.panel(100, 0.1, 1).is_some());
        for bad in [
            Reference { options: 1, ..good },
            Reference {
                options: 27,
                ..good
            },
            Reference {
                strategies: 0,
                ..good
            },
            Reference {
                accuracy: 1.0 / 6.0,
                ..good
            },
            Reference {
                accuracy: 1.0,
                ..good
            },
            Reference {
                accuracy: f64::NAN,
                ..good
            },
        ] {
            assert!(bad.panel(100, 0.1, 1).is_none(), "{bad:?}");
        }
    }
}
