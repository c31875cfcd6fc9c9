//! What the prompt strategies change.

use rayon::prelude::*;
use sureness_conformal::{Outcome, Panel};

use super::basic::estimate;
use super::comparative::axis;
use crate::align::common_questions;
use crate::figures::{Figures, GroupFigures, ModelFigures};
use crate::{Cell, Chart, ChartKind, Column, Dot, Section, Table, Unit};

/// Per model and task: each pair of strategies, paired by question.
pub(super) fn section(figures: &Figures<'_>) -> Section {
    let mut section = Section {
        id: "prompt".into(),
        title: "What the prompt changes".into(),
        ..Section::default()
    };
    if figures.strategies().len() < 2 {
        section.text.push(
            "Everything was asked in one prompt strategy: there is nothing to compare.".into(),
        );
        return section;
    }
    section.text.push("The same model on the same questions, in different prompt strategies; differences are paired by question. \"Changed\" is the share of questions whose most probable option is another one.".into());
    let mut pairs = Vec::new();
    for model in &figures.models {
        for (task, title) in figures.tasks() {
            let groups: Vec<&GroupFigures<'_>> = model.of_task(task).collect();
            for (index, a) in groups.iter().enumerate() {
                pairs.extend(groups[index + 1..].iter().map(|b| (model, title, *a, *b)));
            }
        }
    }
    let rows = pairs
        .into_par_iter()
        .filter_map(|(model, title, a, b)| pair(figures, model, title, a, b))
        .collect();
    section.charts = charts(figures);
    section.tables.push(Table {
        id: "prompts".into(),
        title: "Strategies, paired by question".into(),
        caption: "The first strategy's figure less the second's; p-values of permutation tests, not adjusted.".into(),
        columns: vec![
            Column::text("model", "Model"),
            Column::text("task", "Task"),
            Column::text("first", "First"),
            Column::text("second", "Second"),
            Column::new("n", "n", Unit::Count),
            Column::new("changed", "Changed", Unit::Percent).lower(),
            Column::new("uacc", "ΔUAcc", Unit::PercentDifference),
            Column::new("uacc_p", "p", Unit::PValue),
            Column::new("acc", "ΔAcc", Unit::PercentDifference),
            Column::new("acc_p", "p", Unit::PValue),
            Column::new("set_size", "ΔSS", Unit::Difference(2)),
            Column::new("set_size_p", "p", Unit::PValue),
        ],
        rows,
        ..Table::default()
    });
    section
}

fn pair(
    figures: &Figures<'_>,
    model: &ModelFigures<'_>,
    title: &str,
    a: &GroupFigures<'_>,
    b: &GroupFigures<'_>,
) -> Option<Vec<Cell>> {
    let positions = common_questions(&[a, b]);
    let n = positions[0].len();
    let of = |group: &GroupFigures<'_>, positions: &[usize]| -> Vec<Vec<Outcome>> {
        let scores = group.scores.iter();
        scores
            .map(|score| positions.iter().map(|&p| score.outcomes[p]).collect())
            .collect()
    };
    let cells = [of(a, &positions[0]), of(b, &positions[1])];
    let borrowed: Vec<Vec<&[Outcome]>> = cells
        .iter()
        .map(|model| model.iter().map(Vec::as_slice).collect())
        .collect();
    let mut panel = Panel::new(2);
    panel.add(&borrowed).ok()?;
    if panel.questions() == 0 {
        return None;
    }
    let resampled = panel.resample(&figures.settings.resampling);
    let p = panel.permutation(0, 1, figures.settings.swaps, figures.settings.config.seed);
    let difference = |figure: usize| {
        let value = resampled.figures(0)[figure] - resampled.figures(1)[figure];
        estimate(value, resampled.difference(0, 1, figure).map(|i| i.bca))
    };
    let changed = positions[0]
        .iter()
        .zip(&positions[1])
        .filter(|&(&pa, &pb)| a.top(pa) != b.top(pb))
        .count();
    Some(vec![
        Cell::text(model.model.name.clone()),
        Cell::text(title),
        Cell::text(a.rows.id.strategy.clone()),
        Cell::text(b.rows.id.strategy.clone()),
        Cell::count(n),
        Cell::figure(changed as f64 / n as f64),
        difference(3),
        Cell::figure(p[3]),
        difference(0),
        Cell::figure(p[0]),
        difference(2),
        Cell::figure(p[2]),
    ])
}

/// Set size by strategy: one chart per task, a row per model.
fn charts(figures: &Figures<'_>) -> Vec<Chart> {
    let mut charts = Vec::new();
    for (task, title) in figures.tasks() {
        let mut rows = Vec::new();
        for model in &figures.models {
            for group in model.of_task(task) {
                let lac = group.lac();
                rows.push(Dot {
                    label: model.model.name.clone(),
                    series: group.rows.id.strategy.clone(),
                    value: lac.metrics.set_size,
                    interval: lac.intervals.as_ref().map(|i| i.set_size.bca),
                });
            }
        }
        if rows.len() > 1 {
            charts.push(Chart {
                id: format!("prompts-{task}"),
                title: format!("{title}: set size by prompt strategy"),
                caption: "Sets by LAC. Dots that lie apart show how much of a model's certainty is owed to the wording.".into(),
                kind: ChartKind::Dots {
                    axis: axis("Mean set size", Unit::Number(1)),
                    rows,
                    reference: None,
                },
            });
        }
    }
    charts
}
