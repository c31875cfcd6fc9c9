//! Subject by subject.

use std::collections::BTreeMap;

use sureness_conformal::{effective_clusters, wilson_share};

use crate::figures::Figures;
use crate::{Cell, Chart, ChartKind, Column, Scale, Section, Table, Unit};

/// Clusters that the interval of a category takes.
const LEAST: f64 = 5.0;

/// Counts of one model in one category, over all strategies.
#[derive(Default)]
struct CategoryCounts {
    questions: usize,
    /// Answers in each cluster of these questions.
    clusters: BTreeMap<[u8; 32], usize>,
    /// [`effective`] number of clusters that calibrate.
    calibration: f64,
    answers: usize,
    correct: usize,
    size: usize,
    covered: usize,
}

/// Per task with categories: a table of all categories, and a heatmap over the models.
pub(super) fn section(figures: &Figures<'_>) -> Section {
    let mut section = Section {
        id: "subjects".into(),
        title: "Subject by subject".into(),
        ..Section::default()
    };
    let alpha = figures.settings.config.alpha;
    let level = figures.settings.resampling.level;
    for (task, title) in figures.tasks() {
        let counts_by_category = counts_by_category(figures, task);
        let mut names: Vec<&str> = counts_by_category
            .iter()
            .flat_map(BTreeMap::keys)
            .copied()
            .collect();
        names.sort_unstable();
        names.dedup();
        if names.len() < 2 {
            continue;
        }
        let mut rows = Vec::new();
        for (model, counts_by_category) in figures.models.iter().zip(&counts_by_category) {
            for (name, tally) in counts_by_category {
                let n = tally.answers as f64;
                let (clusters, calibration) = (effective(&tally.clusters), tally.calibration);
                // As many independent questions as there are clusters. Coverage hangs on the threshold
                // as well, which the clusters of the calibration half have set.
                let acc = wilson_share(tally.correct as f64 / n, clusters, level);
                let both = clusters * calibration / (clusters + calibration);
                let coverage = wilson_share(tally.covered as f64 / n, both, level);
                let shown = |value: f64, interval: (f64, f64)| {
                    if clusters < LEAST {
                        Cell::without_interval(value, "too few")
                    } else {
                        Cell::estimate(value, interval)
                    }
                };
                rows.push(vec![
                    Cell::text(model.model.name.clone()),
                    Cell::text(*name),
                    Cell::count(tally.questions),
                    shown(tally.correct as f64 / n, acc),
                    Cell::figure(tally.size as f64 / n),
                    shown(tally.covered as f64 / n, coverage),
                    Cell::figure(tally.covered as f64 / n - (1.0 - alpha)),
                ]);
            }
        }
        section.tables.push(Table {
            id: format!("subjects-{task}"),
            title: format!("{title}: categories"),
            caption: format!("{} categories, sets by LAC with one threshold for all, mean over strategies. Intervals are Wilson's, for as many answers as there are clusters of questions, unequal ones counted as fewer; those of the calibration half are in that of coverage, which is too short where scores have few values, since the threshold then jumps.", names.len()),
            // No column says which values are good: categories do not compete.
            columns: vec![
                Column::text("model", "Model"),
                Column::text("category", "Category"),
                Column::new("n", "n", Unit::Count),
                Column::new("acc", "Acc", Unit::Percent),
                Column::new("set_size", "Set size", Unit::Number(2)),
                Column::new("coverage", "Coverage", Unit::Percent),
                Column::new("gap", "Coverage − (1 − α)", Unit::PercentDifference).help("Coverage minus 1 − α."),
            ],
            rows,
            ..Table::default()
        });
        let read = |counts_by_category: &BTreeMap<&str, CategoryCounts>, name: &str| {
            counts_by_category
                .get(name)
                .map(|tally| tally.size as f64 / tally.answers.max(1) as f64)
        };
        let values: Vec<Vec<Option<f64>>> = names
            .iter()
            .map(|name| {
                counts_by_category
                    .iter()
                    .map(|counts_by_category| read(counts_by_category, name))
                    .collect()
            })
            .collect();
        let all = || values.iter().flatten().flatten().copied();
        section.charts.push(Chart {
            id: format!("subjects-{task}"),
            title: format!("{title}: set size by category"),
            caption: "Sets by LAC: mean number of options in a set, which is largest where models are least certain.".into(),
            kind: ChartKind::Heatmap {
                rows: names.iter().map(|name| name.replace('_', " ")).collect(),
                columns: figures.models.iter().map(|model| model.model.name.clone()).collect(),
                unit: Unit::Number(2),
                scale: Scale::Sequential(
                    all().fold(f64::INFINITY, f64::min),
                    all().fold(f64::NEG_INFINITY, f64::max),
                ),
                values,
            },
        });
    }
    if section.tables.is_empty() {
        section
            .text
            .push("The questions have no categories.".into());
    } else {
        section.text.push("Coverage is guaranteed on average over all questions, not within each category. A threshold for each category (Mondrian) restores it there.".into());
    }
    section
}

/// [`effective_clusters`] of these.
fn effective(clusters: &BTreeMap<[u8; 32], usize>) -> f64 {
    effective_clusters(clusters.values().map(|&size| size as f64))
}

/// What each model did in each category of a task.
fn counts_by_category<'a>(
    figures: &'a Figures<'_>,
    task: &str,
) -> Vec<BTreeMap<&'a str, CategoryCounts>> {
    let covers = figures.settings.config.covers;
    figures
        .models
        .iter()
        .map(|model| {
            let mut counts_by_category: BTreeMap<&str, CategoryCounts> = BTreeMap::new();
            for (strategy, group) in model.of_task(task).enumerate() {
                let lac = group.lac();
                let categories = group.rows.table.categories();
                let names = group.rows.table.clusters();
                let mut calibrating = BTreeMap::new();
                for &row in &group.split.calibration {
                    *calibrating.entry(names[row]).or_default() += 1;
                }
                let calibration = effective(&calibrating);
                for (position, (&row, set)) in group.split.test.iter().zip(&lac.sets).enumerate() {
                    let Some(name) = categories[row]
                        .and_then(|category| group.rows.categories.get(category as usize))
                    else {
                        continue;
                    };
                    let tally = counts_by_category.entry(name).or_default();
                    tally.questions += usize::from(strategy == 0);
                    *tally.clusters.entry(names[row]).or_default() += 1;
                    tally.calibration = calibration;
                    tally.answers += 1;
                    let right = group.rows.table.right(row);
                    tally.correct += usize::from(right.contains(group.top(position)));
                    tally.size += set.len();
                    tally.covered += usize::from(covers.holds(*set, right));
                }
            }
            counts_by_category
        })
        .collect()
}
