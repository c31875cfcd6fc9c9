//! Figures as one setting moves: lines with bands, and a table.

use std::sync::Arc;

use rayon::prelude::*;
use sureness_conformal::{Answers, CurvePoint, FIGURES, Interval, NoInterval, Panel, Split, View};

use super::basic::estimate;
use super::comparative::axis;
use super::leaderboard::{COVERAGE, SET_SIZE, UACC};
use crate::figures::{Figures, GroupFigures, Intervals};
use crate::{Cell, Chart, ChartKind, Column, Line, Point, Reference, Table, Unit};

/// Bands of more models cover each other, and each takes as long as the headline's intervals.
const MAX_BANDS: usize = 8;

/// What moves, and what each figure is at each of its values.
pub(super) struct Moving<'f> {
    /// Short name for files.
    pub(super) id: &'static str,
    /// Its name.
    pub(super) name: &'static str,
    /// How its values are written.
    pub(super) unit: Unit,
    /// What coverage is promised.
    pub(super) promise: Option<Reference>,
    /// The points of one group, by each of the headline's scores.
    pub(super) points: &'f (dyn Fn(&GroupFigures<'_>) -> Vec<Vec<CurvePoint>> + Sync),
    /// What is done at each point: the softmax, the error rate and the split.
    pub(super) places: &'f (dyn Fn(&GroupFigures<'_>) -> Vec<PointSettings> + Sync),
}

/// The settings behind one point of a curve.
pub(super) struct PointSettings {
    pub(super) view: View,
    pub(super) alpha: f64,
    pub(super) split: Arc<Split>,
}

/// One task's curves.
pub(super) struct TaskCurves<'a> {
    task: &'a str,
    title: &'a str,
    curves: Vec<Curve<'a>>,
}

/// One model's curve: the mean over strategies and scores.
struct Curve<'a> {
    model: &'a str,
    points: Vec<CurvePoint>,
    /// Of each point; none at all where too many models are shown.
    intervals: Vec<Intervals>,
}

/// The curves of every model on every task.
pub(super) fn curves<'a>(figures: &Figures<'a>, moving: &Moving<'_>) -> Vec<TaskCurves<'a>> {
    let banded = figures.models.len() <= MAX_BANDS;
    let of_task = |(task, title): (&'a str, &'a str)| {
        let curves = figures.models.par_iter().filter_map(|model| {
            let groups: Vec<&GroupFigures<'a>> = model.of_task(task).collect();
            let of_group = |group: &&GroupFigures<'a>| (moving.points)(group);
            let all: Vec<Vec<CurvePoint>> = groups.iter().flat_map(of_group).collect();
            Some(Curve {
                model: &model.model.name,
                points: average(&all)?,
                intervals: if banded {
                    intervals(figures, &groups, moving)
                } else {
                    Vec::new()
                },
            })
        });
        TaskCurves {
            task,
            title,
            curves: curves.collect(),
        }
    };
    figures.tasks().into_iter().map(of_task).collect()
}

/// Point by point; `None` of no curves.
fn average(all: &[Vec<CurvePoint>]) -> Option<Vec<CurvePoint>> {
    let (first, n) = (all.first()?, all.len() as f64);
    let mean = |index: usize, read: fn(&CurvePoint) -> f64| {
        all.iter()
            .filter_map(|curve| curve.get(index))
            .map(read)
            .sum::<f64>()
            / n
    };
    let point = |(index, first): (usize, &CurvePoint)| CurvePoint {
        acc: mean(index, |p| p.acc),
        coverage: mean(index, |p| p.coverage),
        set_size: mean(index, |p| p.set_size),
        uacc: mean(index, |p| p.uacc),
        ..*first
    };
    Some(first.iter().enumerate().map(point).collect())
}

/// The intervals of each point, by drawing both halves anew. None where strategies were asked of
/// different questions.
fn intervals(
    figures: &Figures<'_>,
    groups: &[&GroupFigures<'_>],
    moving: &Moving<'_>,
) -> Vec<Intervals> {
    let Some((first, others)) = groups.split_first() else {
        return Vec::new();
    };
    let keys = first.rows.table.keys();
    if others.iter().any(|group| group.rows.table.keys() != keys) {
        return Vec::new();
    }
    let told = groups.iter().find(|group| group.rows.clustered);
    let clusters = told.unwrap_or(first).rows.table.clusters();
    let places = (moving.places)(first);
    let at = |place: &PointSettings| {
        let Split { calibration, test } = &*place.split;
        let sides = calibration.iter().map(|&row| (row, true));
        let mut rows: Vec<(usize, bool)> =
            sides.chain(test.iter().map(|&row| (row, false))).collect();
        // In the order of the table, so that draws and intervals are those of the headline.
        rows.sort_unstable();
        let (rows, calibrates): (Vec<usize>, Vec<bool>) = rows.into_iter().unzip();
        let names: Vec<[u8; 32]> = rows.iter().map(|&row| clusters[row]).collect();
        let answers = groups.iter().map(|group| Answers {
            table: &group.rows.table,
            rows: &rows,
        });
        let mut panel = Panel::new(1, place.view, place.alpha, figures.settings.estimand);
        let added = panel.add(&[answers.collect()], &names, &calibrates);
        if added.is_err() || panel.questions() == 0 {
            return [Err(NoInterval::TooFew); FIGURES];
        }
        let resampled = panel.resample(&figures.settings.resampling);
        std::array::from_fn(|figure| resampled.interval(0, figure))
    };
    places.iter().map(at).collect()
}

impl Curve<'_> {
    fn interval(&self, point: usize, figure: usize) -> Option<Result<Interval, NoInterval>> {
        Some(self.intervals.get(point)?[figure])
    }

    fn cell(&self, point: usize, figure: usize, value: f64) -> Cell {
        match self.interval(point, figure) {
            Some(interval) => estimate(value, interval),
            None => Cell::figure(value),
        }
    }
}

/// Coverage and set size, a line per model.
pub(super) fn charts(of: &TaskCurves<'_>, moving: &Moving<'_>) -> Vec<Chart> {
    let lines = |figure: usize, read: fn(&CurvePoint) -> f64| -> Vec<Line> {
        let line = |curve: &Curve<'_>| Line {
            name: curve.model.to_owned(),
            points: curve
                .points
                .iter()
                .enumerate()
                .map(|(index, point)| Point {
                    x: point.x,
                    y: read(point),
                    interval: curve
                        .interval(index, figure)
                        .and_then(Result::ok)
                        .map(|interval| interval.ends()),
                })
                .collect(),
        };
        of.curves.iter().map(line).collect()
    };
    if of.curves.is_empty() {
        return Vec::new();
    }
    let (id, task, title) = (moving.id, of.task, of.title);
    let x = axis(moving.name, Unit::Number(2));
    let bands = if of.curves.iter().any(|curve| !curve.intervals.is_empty()) {
        " Bands are intervals, point by point."
    } else {
        ""
    };
    let chart = |what: &str, name: &str, caption: &str, y, lines, reference| Chart {
        id: format!("{id}-{what}-{task}"),
        title: format!("{title}: {name}"),
        caption: format!("Mean over strategies, LAC and APS. {caption}{bands}"),
        kind: ChartKind::Lines {
            x: x.clone(),
            y,
            lines,
            reference,
        },
    };
    vec![
        chart(
            "size",
            "mean set size",
            "The lower, the surer.",
            axis("Mean set size", Unit::Number(1)),
            lines(SET_SIZE, |p| p.set_size),
            None,
        ),
        chart(
            "coverage",
            "coverage",
            "The dashed line is 1 − α.",
            axis("Coverage", Unit::Percent),
            lines(COVERAGE, |p| p.coverage),
            moving.promise,
        ),
    ]
}

/// All points of all curves.
pub(super) fn table(title: &str, x: &str, all: &[TaskCurves<'_>], moving: &Moving<'_>) -> Table {
    let mut rows = Vec::new();
    for of in all {
        for curve in &of.curves {
            let row = |(index, point): (usize, &CurvePoint)| {
                vec![
                    Cell::text(of.title),
                    Cell::text(curve.model),
                    Cell::figure(point.x),
                    Cell::count(point.n_calibration),
                    Cell::count(point.n_test),
                    curve.cell(index, COVERAGE, point.coverage),
                    curve.cell(index, SET_SIZE, point.set_size),
                    curve.cell(index, UACC, point.uacc),
                ]
            };
            rows.extend(curve.points.iter().enumerate().map(row));
        }
    }
    let shown = all.iter().flat_map(|of| &of.curves);
    let without = if shown.clone().any(|curve| curve.intervals.is_empty()) {
        format!(
            " Intervals are omitted for more than {MAX_BANDS} models, and where strategies were asked of different questions."
        )
    } else {
        String::new()
    };
    Table {
        id: moving.id.to_owned(),
        title: title.to_owned(),
        caption: format!("Mean over strategies, LAC and APS.{without}"),
        // No column says which values are good: rows of different settings do not compete.
        columns: vec![
            Column::text("task", "Task"),
            Column::text("model", "Model"),
            Column::new("x", x, moving.unit),
            Column::new("n_calibration", "n cal", Unit::Count),
            Column::new("n_test", "n test", Unit::Count),
            Column::new("coverage", "Coverage", Unit::Percent),
            Column::new("set_size", "Set size", Unit::Number(2)),
            Column::new("uacc", "UAcc", Unit::Percent),
        ],
        rows,
        ..Table::default()
    }
}
