//! How figures and their intervals moved while a run was watched.

use sureness_analysis::{Axis, Chart, ChartKind, Line, Point, Reference, Unit};
use sureness_report::{IntervalOr, ModelResult};

/// Points that are kept; of more, every second one is dropped.
const MOST: usize = 120;

/// Figures after so many answers.
#[derive(Debug, Clone, Copy)]
struct Moment {
    answered: usize,
    acc: (f64, Option<(f64, f64)>),
    set_size: (f64, Option<(f64, f64)>),
    coverage: (f64, Option<(f64, f64)>),
}

/// The figures so far.
#[derive(Debug, Default)]
pub(super) struct History(Vec<Moment>);

impl History {
    /// Notes the figures after this many answers.
    pub(super) fn note(&mut self, answered: usize, model: &ModelResult) {
        let Some(mean) = &model.mean else { return };
        if self.0.last().is_some_and(|last| last.answered == answered) {
            self.0.pop();
        }
        let intervals = model.intervals.as_ref();
        let ends = |interval: Option<&IntervalOr>| match interval {
            Some(IntervalOr::Ends([low, high])) => Some((*low, *high)),
            _ => None,
        };
        self.keep(Moment {
            answered,
            acc: (mean.acc, ends(intervals.map(|i| &i.acc))),
            set_size: (mean.set_size, ends(intervals.map(|i| &i.set_size))),
            coverage: (mean.coverage, ends(intervals.map(|i| &i.coverage))),
        });
    }

    fn keep(&mut self, moment: Moment) {
        self.0.push(moment);
        if self.0.len() > MOST {
            let mut at = 0;
            self.0.retain(|_| {
                at += 1;
                at % 2 == 1
            });
        }
    }

    /// Set size, coverage and accuracy over the number of answers; nothing before there are two points.
    pub(super) fn charts(&self, alpha: f64) -> Vec<Chart> {
        if self.0.len() < 2 {
            return Vec::new();
        }
        let percent = (Unit::Percent, None);
        vec![
            self.chart("set-size", "Set size", (Unit::Number(2), None), |m| {
                m.set_size
            }),
            self.chart(
                "coverage",
                "Coverage",
                (Unit::Percent, Some(Reference::At(1.0 - alpha))),
                |m| m.coverage,
            ),
            self.chart("acc", "Accuracy", percent, |m| m.acc),
        ]
    }

    fn chart(
        &self,
        id: &str,
        title: &str,
        (unit, reference): (Unit, Option<Reference>),
        value: impl Fn(&Moment) -> (f64, Option<(f64, f64)>),
    ) -> Chart {
        let points = self.0.iter().map(|moment| {
            let (y, interval) = value(moment);
            Point {
                x: moment.answered as f64,
                y,
                interval,
            }
        });
        let axis = |title: &str, unit| Axis {
            title: title.to_owned(),
            unit,
            log: false,
            range: None,
        };
        Chart {
            id: id.to_owned(),
            title: title.to_owned(),
            caption: "Mean over the tasks and its 95 % interval, since this run is watched."
                .to_owned(),
            kind: ChartKind::Lines {
                x: axis("Answers", Unit::Count),
                y: axis(title, unit),
                lines: vec![Line {
                    name: title.to_owned(),
                    points: points.collect(),
                }],
                reference,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_short_and_keeps_its_ends() {
        let mut history = History::default();
        for answered in 0..1000 {
            history.keep(Moment {
                answered,
                acc: (0.5, None),
                set_size: (2.0, Some((1.5, 2.5))),
                coverage: (0.9, None),
            });
        }
        assert!(history.0.len() <= MOST);
        assert_eq!(history.0.first().map(|m| m.answered), Some(0));
        assert!(history.0.last().is_some_and(|m| m.answered > 980));
        assert_eq!(history.charts(0.1).len(), 3);
    }
}
