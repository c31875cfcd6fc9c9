//! What the prompt strategies change.

use rayon::prelude::*;

use super::basic::estimate;
use super::comparative::axis;
use crate::align::common_rows;
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
        caption: "First minus second; p-values not adjusted.".into(),
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
    let mut panel = figures.panel(2);
    let (n, _) = figures.add_groups(&mut panel, &[vec![a], vec![b]]);
    if panel.questions() == 0 {
        return None;
    }
    let settings = figures.settings;
    let resampled = panel.resample(&settings.resampling);
    let p = resampled.test(&panel, [0, 1], [settings.swaps; 2], settings.config.seed);
    let tested = resampled.absent(0, 2).is_none() && resampled.absent(1, 2).is_none();
    let p_of = |figure: usize| {
        if tested {
            Cell::figure(p[figure])
        } else {
            Cell::Empty
        }
    };
    let difference = |figure: usize| {
        let value = resampled.figures(0)[figure] - resampled.figures(1)[figure];
        estimate(value, resampled.difference(0, 1, figure))
    };
    let rows = common_rows(&[a, b]);
    let tops = [a.tops_of(&rows[0]), b.tops_of(&rows[1])];
    let both: Vec<bool> = tops[0]
        .iter()
        .zip(&tops[1])
        .filter_map(|(a, b)| Some((*a)? != (*b)?))
        .collect();
    let changed = both.iter().filter(|&&changed| changed).count() as f64 / both.len().max(1) as f64;
    Some(vec![
        Cell::text(model.model.name.clone()),
        Cell::text(title),
        Cell::text(a.rows.id.strategy.clone()),
        Cell::text(b.rows.id.strategy.clone()),
        Cell::count(n),
        Cell::figure(changed),
        difference(3),
        p_of(3),
        difference(0),
        p_of(0),
        difference(2),
        p_of(2),
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
                    interval: lac.intervals[2].ok().map(|interval| interval.ends()),
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
