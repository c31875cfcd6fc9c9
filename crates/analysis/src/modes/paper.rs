//! The further analyses of the paper (Ye et al. 2024).

use std::collections::BTreeMap;
use std::sync::Arc;

use sureness_conformal::{
    Nonconformity, Scores, View, calibrate_jointly, over_ratio, over_temperature, predict,
    set_metrics, thinned_splits,
};

use super::curves::{Moving, PointSettings, charts, curves, table};
use crate::figures::{Figures, GroupFigures, HEADLINE};
use crate::{Cell, Column, Reference, Section, Table, Unit};

/// Accuracy by set size, perplexity, ECE, one joint threshold, calibration share, temperature.
pub(super) fn section(figures: &Figures<'_>) -> Section {
    let mut section = Section {
        id: "paper".into(),
        title: "Additional analyses from the paper".into(),
        text: vec!["Accuracy by set size (Table 6), perplexity as a set size (Table 2), ECE (Table 3), one threshold for all tasks (Table 11), the share of calibration data (Figure 14) and the softmax temperature (Figure 15). The error rate (Figure 13) has a section of its own.".into()],
        ..Section::default()
    };
    section.tables.push(accuracy_by_size(figures));
    section.tables.push(perplexity(figures));
    if figures.tasks().len() > 1 {
        section.tables.push(joint(figures));
    }
    let settings = figures.settings;
    let promise = Some(Reference::At(1.0 - settings.config.alpha));
    let most = settings.config.calibration_ratio;
    let ratios: Vec<f64> = settings
        .ratios
        .iter()
        .copied()
        .filter(|&ratio| ratio <= most)
        .collect();
    let (view, alpha) = (settings.view(), settings.config.alpha);
    let by_ratio = Moving {
        id: "ratio",
        name: "Share of calibration data",
        unit: Unit::Percent,
        promise,
        points: &|group| {
            let table = &group.rows.table;
            let scores = Scores::of_each(table, &HEADLINE, &view);
            let curve = |scores| over_ratio(scores, table, &settings.config, &ratios);
            scores
                .iter()
                .filter_map(|scores| curve(scores).ok())
                .collect()
        },
        places: &|group| {
            let splits = thinned_splits(&group.rows.table, &settings.config, &ratios);
            let place = |split| PointSettings {
                view,
                alpha,
                split: Arc::new(split),
            };
            splits.unwrap_or_default().into_iter().map(place).collect()
        },
    };
    let by_temperature = Moving {
        id: "temperature",
        name: "Softmax temperature",
        unit: Unit::Number(1),
        promise,
        points: &|group| {
            let (table, temperatures) = (&group.rows.table, &settings.temperatures);
            over_temperature(table, &HEADLINE, &view, &group.split, alpha, temperatures)
                .unwrap_or_default()
        },
        places: &|group| {
            let place = |&temperature: &f64| PointSettings {
                view: View {
                    temperature,
                    ..view
                },
                alpha,
                split: Arc::clone(&group.split),
            };
            settings.temperatures.iter().map(place).collect()
        },
    };
    for moving in [by_ratio, by_temperature] {
        let all = curves(figures, &moving);
        for task in &all {
            section.charts.extend(charts(task, &moving));
        }
        let title = format!("Over the {}", moving.name.to_lowercase());
        section
            .tables
            .push(table(&title, moving.name, &all, &moving));
    }
    section
}

/// Mean over strategies of the accuracy at each set size, as Table 6 has it.
fn accuracy_by_size(figures: &Figures<'_>) -> Table {
    let mut rows = Vec::new();
    let mut widest = 0;
    for model in &figures.models {
        for (task, title) in figures.tasks() {
            for (index, score) in HEADLINE.iter().enumerate() {
                let groups: Vec<&GroupFigures<'_>> = model.of_task(task).collect();
                let mut by_size: BTreeMap<usize, (f64, usize, usize)> = BTreeMap::new();
                for stratum in groups.iter().flat_map(|g| &g.scores[index].metrics.strata) {
                    let entry = by_size.entry(stratum.size).or_default();
                    entry.0 += stratum.accuracy;
                    entry.1 += 1;
                    entry.2 += stratum.n;
                }
                let Some(&most) = by_size.keys().next_back() else {
                    continue;
                };
                widest = widest.max(most);
                let mut row = vec![
                    Cell::text(model.model.name.clone()),
                    Cell::text(title),
                    Cell::text(score.title()),
                ];
                row.extend((1..=most).map(|size| {
                    by_size
                        .get(&size)
                        .map_or(Cell::Empty, |&(sum, strategies, n)| Cell::Figure {
                            value: sum / strategies as f64,
                            low: None,
                            high: None,
                            n: Some(n as u64),
                            no_interval: None,
                        })
                }));
                rows.push(row);
            }
        }
    }
    let mut columns = vec![
        Column::text("model", "Model"),
        Column::text("task", "Task"),
        Column::text("score", "Score"),
    ];
    columns.extend((1..=widest).map(|size| {
        Column::new(
            &format!("size_{size}"),
            &format!("Acc % at size {size}"),
            Unit::Percent,
        )
        .help("Accuracy where the set holds this many options.")
    }));
    for row in &mut rows {
        row.resize(columns.len(), Cell::Empty);
    }
    Table {
        id: "accuracy-by-size".into(),
        title: "Accuracy by set size".into(),
        caption:
            "Mean over strategies: where sets are small, the model should be right more often."
                .into(),
        columns,
        rows,
        ..Table::default()
    }
}

fn perplexity(figures: &Figures<'_>) -> Table {
    let mut rows = Vec::new();
    for model in &figures.models {
        for (task, title) in figures.tasks() {
            let groups: Vec<&GroupFigures<'_>> = model.of_task(task).collect();
            if groups.is_empty() {
                continue;
            }
            let mean = |read: &dyn Fn(&GroupFigures<'_>) -> f64| {
                groups.iter().map(|g| read(g)).sum::<f64>() / groups.len() as f64
            };
            rows.push(vec![
                Cell::text(model.model.name.clone()),
                Cell::text(title),
                Cell::figure(mean(&|g| g.entropy.perplexity)),
                Cell::figure(mean(&|g| g.lac().metrics.set_size)),
                Cell::figure(mean(&|g| g.aps().metrics.set_size)),
                Cell::figure(mean(&|g| g.calibration.ece)),
            ]);
        }
    }
    Table {
        id: "perplexity".into(),
        title: "Perplexity and set size".into(),
        caption: "2^H of the options' probabilities also counts options, but guarantees no coverage. Mean over strategies, on the test questions.".into(),
        columns: vec![
            Column::text("model", "Model"),
            Column::text("task", "Task"),
            Column::new("perplexity", "2^H", Unit::Number(2)),
            Column::new("lac", "SS LAC", Unit::Number(2)).lower(),
            Column::new("aps", "SS APS", Unit::Number(2)).lower(),
            Column::new("ece", "ECE", Unit::Percent).lower(),
        ],
        rows,
        ..Table::default()
    }
}

/// One threshold for all tasks of a model, strategy by strategy.
fn joint(figures: &Figures<'_>) -> Table {
    let alpha = figures.settings.config.alpha;
    let view = figures.settings.view();
    let mut rows = Vec::new();
    for model in &figures.models {
        let mut by_task: BTreeMap<&str, (f64, f64, f64, usize)> = BTreeMap::new();
        for strategy in figures.strategies() {
            let groups: Vec<&GroupFigures<'_>> = figures
                .tasks()
                .iter()
                .filter_map(|(task, _)| model.group(task, strategy))
                .collect();
            for score in HEADLINE {
                tally_jointly(&groups, score, alpha, &view, &mut by_task);
            }
        }
        for (task, title) in figures.tasks() {
            let Some((coverage, size, apart, n)) = by_task.get(task) else {
                continue;
            };
            let n = *n as f64;
            rows.push(vec![
                Cell::text(model.model.name.clone()),
                Cell::text(title),
                Cell::figure(coverage / n),
                Cell::figure(size / n),
                Cell::figure(apart / n),
            ]);
        }
    }
    Table {
        id: "joint".into(),
        title: "One threshold for all tasks".into(),
        caption: "Calibrated on the calibration questions of all tasks together: coverage is then guaranteed over all tasks, not within each. Mean over strategies, LAC and APS.".into(),
        columns: vec![
            Column::text("model", "Model"),
            Column::text("task", "Task"),
            Column::new("coverage", "Coverage", Unit::Percent),
            Column::new("set_size", "Set size", Unit::Number(2)).lower(),
            Column::new("apart", "SS apart", Unit::Number(2)).lower().help("With a threshold for each task."),
        ],
        rows,
        ..Table::default()
    }
}

fn tally_jointly<'a>(
    groups: &[&'a GroupFigures<'_>],
    score: Nonconformity,
    alpha: f64,
    view: &sureness_conformal::View,
    by_task: &mut BTreeMap<&'a str, (f64, f64, f64, usize)>,
) {
    let scores: Vec<Scores> = groups
        .iter()
        .map(|g| Scores::of(&g.rows.table, score, view))
        .collect();
    let parts: Vec<_> = groups
        .iter()
        .zip(&scores)
        .map(|(g, scores)| (scores, g.split.calibration.as_slice()))
        .collect();
    let calibrated = calibrate_jointly(&parts, alpha);
    for (group, scores) in groups.iter().zip(&scores) {
        let table = &group.rows.table;
        let sets = predict(&calibrated, scores, table, &group.split.test);
        let metrics = set_metrics(&sets, scores, table, &group.split.calibration, alpha);
        let apart = group.scores.iter().find(|s| s.score == score);
        let entry = by_task.entry(&group.rows.id.task).or_default();
        entry.0 += metrics.coverage;
        entry.1 += metrics.set_size;
        entry.2 += apart.map_or(0.0, |s| s.metrics.set_size);
        entry.3 += 1;
    }
}
