//! Differences between prompt strategies.

use std::borrow::Cow;

use rayon::prelude::*;
use sureness_conformal::{Panel, Resampled};

use super::basic::estimate;
use super::comparative::axis;
use crate::align::common_rows;
use crate::figures::{Figures, GroupFigures, ModelFigures};
use crate::{Cell, Chart, ChartKind, Column, Dot, Section, Table, Unit};

/// Per model and task: each pair of strategies, paired by question.
pub(super) fn section(figures: &Figures<'_>) -> Section {
    let mut section = Section {
        id: "prompt".into(),
        title: "Differences between prompt strategies".into(),
        ..Section::default()
    };
    if figures.strategies().len() < 2 {
        section
            .text
            .push("Nothing to compare: all questions were asked in one prompt strategy.".into());
        return section;
    }
    section.text.push("The same model on the same questions, in different prompt strategies; differences are paired by question. \"Changed\" is the share of questions whose most probable option differs.".into());
    let mut rows = Vec::new();
    for (task, title) in figures.tasks() {
        let mut pairs = Vec::new();
        for (number, model) in figures.models.iter().enumerate() {
            let groups: Vec<&GroupFigures<'_>> = model.of_task(task).collect();
            for (index, a) in groups.iter().enumerate() {
                pairs.extend(groups[index + 1..].iter().map(|b| (number, model, *a, *b)));
            }
        }
        let groups = || pairs.iter().flat_map(|&(_, _, a, b)| [a, b]);
        let drawn = match Drawn::of_board(figures, task) {
            Some(board) if groups().all(|group| board.place(group).is_some()) => vec![board],
            _ => draw_together(figures, groups()),
        };
        let told = pairs.into_par_iter().filter_map(|(number, model, a, b)| {
            Some((number, pair(figures, &drawn, model, title, a, b)?))
        });
        rows.extend(told.collect::<Vec<_>>());
    }
    // Model by model, and task by task within each.
    rows.sort_by_key(|&(number, _)| number);
    let rows = rows.into_iter().map(|(_, row)| row).collect();
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
            Column::new("uacc_p", "p(ΔUAcc)", Unit::PValue),
            Column::new("acc", "ΔAcc", Unit::PercentDifference),
            Column::new("acc_p", "p(ΔAcc)", Unit::PValue),
            Column::new("set_size", "ΔSS", Unit::Difference(2)),
            Column::new("set_size_p", "p(ΔSS)", Unit::PValue),
        ],
        rows,
        ..Table::default()
    });
    section
}

/// Groups of the same questions, drawn together.
struct Drawn<'a> {
    groups: Vec<&'a GroupFigures<'a>>,
    panel: Cow<'a, Panel>,
    resampled: Cow<'a, Resampled>,
}

impl<'a> Drawn<'a> {
    /// Of groups side by side, each as if it were a model of its own, on the questions that all have.
    fn of(figures: &Figures<'_>, groups: Vec<&'a GroupFigures<'a>>) -> Option<Self> {
        let mut panel = figures.panel(groups.len());
        let sides: Vec<Vec<&GroupFigures<'_>>> = groups.iter().map(|&group| vec![group]).collect();
        figures.add_groups(&mut panel, &sides);
        (panel.questions() > 0).then(|| Self {
            groups,
            resampled: Cow::Owned(panel.resample(&figures.settings.resampling)),
            panel: Cow::Owned(panel),
        })
    }

    /// Of all models' strategies in a task, where all were asked the same: the draws of
    /// the leaderboard are then used again.
    fn of_board(figures: &'a Figures<'_>, task: &str) -> Option<Self> {
        let board = figures.board.as_ref()?;
        let common = &board.common;
        let place = common.tasks.iter().position(|of| of.task == task)?;
        let of_task = common.tasks.get(place).filter(|of| of.whole)?;
        let of_model = |&model: &usize| {
            let strategies = of_task.strategies.iter();
            strategies.map(move |strategy| figures.models[model].group(task, strategy))
        };
        let groups: Option<Vec<&GroupFigures<'_>>> =
            common.models.iter().flat_map(of_model).collect();
        let (panel, resampled) = board.strategies.get(place)?;
        Some(Self {
            groups: groups?,
            panel: Cow::Borrowed(panel),
            resampled: Cow::Borrowed(resampled),
        })
    }

    fn place(&self, group: &GroupFigures<'_>) -> Option<usize> {
        self.groups
            .iter()
            .position(|other| std::ptr::eq(*other, group))
    }
}

/// Puts groups of the same questions together: their draws are then made only once.
fn draw_together<'a>(
    figures: &Figures<'_>,
    groups: impl Iterator<Item = &'a GroupFigures<'a>>,
) -> Vec<Drawn<'a>> {
    let mut alike: Vec<Vec<&GroupFigures<'_>>> = Vec::new();
    for group in groups {
        let keys = group.rows.table.keys();
        match alike.iter_mut().find(|of| of[0].rows.table.keys() == keys) {
            Some(of) if of.iter().any(|other| std::ptr::eq(*other, group)) => {}
            Some(of) => of.push(group),
            None => alike.push(vec![group]),
        }
    }
    let several = alike.into_iter().filter(|of| of.len() > 1);
    several.filter_map(|of| Drawn::of(figures, of)).collect()
}

fn pair(
    figures: &Figures<'_>,
    drawn: &[Drawn<'_>],
    model: &ModelFigures<'_>,
    title: &str,
    a: &GroupFigures<'_>,
    b: &GroupFigures<'_>,
) -> Option<Vec<Cell>> {
    let together = drawn
        .iter()
        .find_map(|drawn| Some((drawn, [drawn.place(a)?, drawn.place(b)?])));
    let own;
    let (drawn, [first, second]) = if let Some(found) = together {
        found
    } else {
        own = Drawn::of(figures, vec![a, b])?;
        (&own, [0, 1])
    };
    let Drawn {
        panel, resampled, ..
    } = drawn;
    let settings = figures.settings;
    let (swaps, seed) = (settings.swaps, settings.config.seed);
    let p = resampled.test(panel, [first, second], [swaps; 2], seed);
    let tested = [first, second]
        .iter()
        .all(|&side| resampled.absent(side, 2).is_none());
    let p_of = |figure: usize| {
        if tested {
            Cell::figure(p[figure])
        } else {
            Cell::Empty
        }
    };
    let difference = |figure: usize| {
        let value = resampled.figures(first)[figure] - resampled.figures(second)[figure];
        estimate(value, resampled.difference(first, second, figure))
    };
    let rows = common_rows(&[&a.rows.table, &b.rows.table]);
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
        Cell::count(rows[0].len()),
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
                caption: "Sets by LAC. Dots far apart show how much of a model's certainty depends on the prompt.".into(),
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
