//! Coverage and set size over the error rate.

use sureness_conformal::{CurvePoint, Scores, over_alpha};

use super::comparative::axis;
use crate::figures::{Figures, HEADLINE};
use crate::{Cell, Chart, ChartKind, Column, Line, Point, Reference, Section, Table, Unit};

/// Curves per task, mean over strategies, LAC and APS.
pub(super) fn section(figures: &Figures<'_>) -> Section {
    let mut section = Section {
        id: "alpha".into(),
        title: "How much certainty is asked for".into(),
        text: vec!["The error rate α is the share of sets that may miss the right answer. A stricter promise takes larger sets: how much larger tells models apart. Coverage should follow the line 1 − α.".into()],
        ..Section::default()
    };
    let alphas = &figures.settings.alphas;
    let curves = curves(figures, |scores, group| {
        over_alpha(scores, &group.split, alphas)
    });
    for (task, title, models) in &curves {
        section.charts.extend(charts(
            task,
            title,
            models,
            "alpha",
            "Error rate α",
            Some(Reference::Falling(1.0)),
        ));
    }
    section.tables.push(table(
        "alpha",
        "Over the error rate",
        "α",
        Unit::Number(2),
        &curves,
    ));
    section
}

/// Per task: each model's curve.
pub(super) type Curves<'a> = Vec<(&'a str, &'a str, Vec<(&'a str, Vec<CurvePoint>)>)>;

/// Works out a curve for each group and score, and averages over strategies and scores.
pub(super) fn curves<'a>(
    figures: &Figures<'a>,
    of: impl Fn(&Scores, &crate::figures::GroupFigures<'a>) -> Vec<CurvePoint> + Sync,
) -> Curves<'a> {
    use rayon::prelude::*;
    let view = figures.settings.view();
    figures
        .tasks()
        .into_iter()
        .map(|(task, title)| {
            let models = figures
                .models
                .par_iter()
                .filter_map(|model| {
                    let all: Vec<Vec<CurvePoint>> = model
                        .of_task(task)
                        .flat_map(|group| {
                            HEADLINE.map(|score| {
                                of(&Scores::of(&group.rows.table, score, &view), group)
                            })
                        })
                        .collect();
                    Some((&*model.model.name, average(&all)?))
                })
                .collect();
            (task, title, models)
        })
        .collect()
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

/// Coverage and set size, a line per model.
pub(super) fn charts(
    task: &str,
    title: &str,
    models: &[(&str, Vec<CurvePoint>)],
    id: &str,
    x: &str,
    promise: Option<Reference>,
) -> Vec<Chart> {
    let lines = |read: fn(&CurvePoint) -> f64| -> Vec<Line> {
        models
            .iter()
            .map(|(model, points)| Line {
                name: (*model).to_owned(),
                points: points
                    .iter()
                    .map(|point| Point {
                        x: point.x,
                        y: read(point),
                        interval: None,
                    })
                    .collect(),
            })
            .collect()
    };
    if models.is_empty() {
        return Vec::new();
    }
    let x = axis(x, Unit::Number(2));
    let chart = |what: &str, name: &str, caption: &str, y, lines, reference| Chart {
        id: format!("{id}-{what}-{task}"),
        title: format!("{title}: {name}"),
        caption: caption.to_owned(),
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
            "Mean over strategies, LAC and APS. The lower, the surer.",
            axis("Mean set size", Unit::Number(1)),
            lines(|p| p.set_size),
            None,
        ),
        chart(
            "coverage",
            "coverage",
            "Mean over strategies, LAC and APS. The dashed line is the promise.",
            axis("Coverage", Unit::Percent),
            lines(|p| p.coverage),
            promise,
        ),
    ]
}

/// All points of all curves.
pub(super) fn table(id: &str, title: &str, x: &str, unit: Unit, curves: &Curves<'_>) -> Table {
    let mut rows = Vec::new();
    for (_, task, models) in curves {
        for (model, points) in models {
            rows.extend(points.iter().map(|point| {
                vec![
                    Cell::text(*task),
                    Cell::text(*model),
                    Cell::figure(point.x),
                    Cell::count(point.n_calibration),
                    Cell::count(point.n_test),
                    Cell::figure(point.coverage),
                    Cell::figure(point.set_size),
                    Cell::figure(point.uacc),
                ]
            }));
        }
    }
    Table {
        id: id.to_owned(),
        title: title.to_owned(),
        caption: "Mean over strategies, LAC and APS.".into(),
        columns: vec![
            Column::text("task", "Task"),
            Column::text("model", "Model"),
            Column::new("x", x, unit),
            Column::new("n_calibration", "n cal", Unit::Count),
            Column::new("n_test", "n test", Unit::Count),
            Column::new("coverage", "Coverage", Unit::Percent),
            Column::new("set_size", "Set size", Unit::Number(2)).lower(),
            Column::new("uacc", "UAcc", Unit::Percent).higher(),
        ],
        rows,
        ..Table::default()
    }
}
