//! Selective answering: the least certain questions are left unanswered.

use sureness_conformal::{ConfidenceIntervals, Promises, confidence_grid, sure_answers};

use super::calibration::{CONDITION, auroc, enough, groups, with_interval};
use super::comparative::axis;
use crate::figures::{Figures, GroupFigures};
use crate::{
    Axis, Cell, Chart, ChartKind, Column, Line, Point, Section, Settings, Table, Unit, answering,
};

/// Risk-coverage curves, accuracy at fixed rejection, and how often models abstain by themselves.
pub(super) fn section(figures: &Figures<'_>, intervals: &[Option<ConfidenceIntervals>]) -> Section {
    let mut section = Section {
        id: "abstention".into(),
        title: "Selective answering".into(),
        text: vec!["Questions are left unanswered in order of confidence, the least confident first. A model that knows what it does not know gains accuracy quickly; one that does not gains nothing. AURC is the area under the risk curve, E-AURC the excess over a perfect ranking. E and F are how often the model chose \"I don't know\" and \"None of the above\" by itself.".into()],
        ..Section::default()
    };
    let mut rejected: Vec<f64> = Vec::new();
    let mut rows = Vec::new();
    for ((model, group), intervals) in groups(figures).into_iter().zip(intervals) {
        let s = &group.selective;
        if rejected.is_empty() {
            rejected = s
                .accuracy_after_rejecting
                .iter()
                .map(|(share, _)| *share)
                .collect();
        }
        let mut row = vec![
            Cell::text(model),
            Cell::text(group.rows.title.clone()),
            Cell::text(group.rows.id.strategy.clone()),
            Cell::count(s.n),
            auroc(group, intervals.as_ref()),
            with_interval(
                s.aurc,
                intervals.as_ref().and_then(|i| i.aurc),
                enough(group),
            ),
            Cell::figure(s.e_aurc),
        ];
        row.extend(
            s.accuracy_after_rejecting
                .iter()
                .map(|(_, acc)| Cell::figure(*acc)),
        );
        row.push(Cell::figure(group.evaluation.e_rate));
        row.push(Cell::figure(group.evaluation.f_rate));
        rows.push(row);
    }
    let mut columns = vec![
        Column::text("model", "Model"),
        Column::text("task", "Task"),
        Column::text("strategy", "Strategy"),
        Column::new("n", "n", Unit::Count),
        Column::new("auroc", "AUROC", Unit::Number(3)).higher(),
        Column::new("aurc", "AURC", Unit::Number(3)).lower(),
        Column::new("e_aurc", "E-AURC", Unit::Number(3)).lower(),
    ];
    columns.extend(rejected.iter().map(|share| {
        let percent = (share * 100.0).round();
        Column::new(
            &format!("acc_rejecting_{percent}"),
            &format!("Acc −{percent} %"),
            Unit::Percent,
        )
        .higher()
        .help("Accuracy when this share of the questions is left unanswered.")
    }));
    columns.push(Column::new("e_rate", "E", Unit::Percent));
    columns.push(Column::new("f_rate", "F", Unit::Percent));
    section.tables.push(Table {
        id: "abstention".into(),
        title: "Accuracy when questions are left unanswered".into(),
        caption: format!("On the test questions. {CONDITION}"),
        columns,
        rows,
        ..Table::default()
    });
    section.tables.extend(promises(figures));
    section.charts = charts(figures);
    section
}

/// Each model's answers where it is sure enough to keep a promise.
fn promises(figures: &Figures<'_>) -> Option<Table> {
    let rows = groups(figures).into_iter().filter_map(|(model, group)| {
        let cells = vec![
            Cell::text(model),
            Cell::text(group.rows.title.clone()),
            Cell::text(group.rows.id.strategy.clone()),
        ];
        Some((cells, promises_of(group, figures.settings)?))
    });
    let first = vec![
        Column::text("model", "Model"),
        Column::text("task", "Task"),
        Column::text("strategy", "Strategy"),
    ];
    answering::table(first, rows)
}

fn promises_of(group: &GroupFigures<'_>, settings: &Settings) -> Option<Promises> {
    let view = settings.view();
    let of = |rows: &[usize]| sure_answers(&group.rows.table, rows, &view);
    let (calibration, test) = (of(&group.split.calibration)?, of(&group.split.test)?);
    let alpha = settings.config.alpha;
    Some(Promises::of(&calibration, &test, alpha, &confidence_grid()))
}

/// Risk-coverage curves, one chart per task.
fn charts(figures: &Figures<'_>) -> Vec<Chart> {
    let mut charts = Vec::new();
    for (task, title) in figures.tasks() {
        let lines: Vec<Line> = figures
            .models
            .iter()
            .filter_map(|model| {
                // One strategy is enough to see the shape; the table has all.
                let group = model.of_task(task).next()?;
                Some(Line {
                    name: model.model.name.clone(),
                    points: group
                        .selective
                        .curve
                        .iter()
                        .map(|point| Point {
                            x: point.answered,
                            y: point.risk,
                            interval: None,
                        })
                        .collect(),
                })
            })
            .collect();
        if lines.is_empty() {
            continue;
        }
        charts.push(Chart {
            id: format!("risk-{task}"),
            title: format!("{title}: risk over the share answered"),
            caption: "How often answers are wrong when only the most confident are given; in each model's first prompt strategy. The lower on the left, the better confidence tells right from wrong.".into(),
            kind: ChartKind::Lines {
                x: Axis {
                    range: Some((0.0, 1.0)),
                    ..axis("Share of questions answered", Unit::Percent)
                },
                y: axis("Share of them wrong", Unit::Percent),
                lines,
                reference: None,
            },
        });
    }
    charts
}
