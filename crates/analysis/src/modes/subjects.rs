//! Subject by subject.

use std::collections::BTreeMap;

use sureness_conformal::{
    Estimand, Scores, ThresholdLaw, effective_clusters, part_interval, wilson_share,
};

use crate::figures::Figures;
use crate::number::counted;
use crate::{Cell, Chart, ChartKind, Column, Scale, Section, Settings, Table, Unit};

/// Clusters that the interval of a category takes.
const LEAST: f64 = 5.0;

/// Counts of one model in one category, over all strategies.
#[derive(Default)]
struct CategoryCounts {
    questions: usize,
    /// Answers in each cluster of these questions.
    clusters: BTreeMap<[u8; 32], usize>,
    answers: usize,
    correct: usize,
    size: usize,
    covered: usize,
    /// The same under each threshold of a [`ThresholdLaw`].
    under_law: [usize; ThresholdLaw::LEN],
}

impl CategoryCounts {
    /// The row of a model and category.
    fn row(&self, model: &str, category: &str, settings: &Settings) -> Vec<Cell> {
        let level = settings.resampling.level;
        let share = |count: usize| count as f64 / self.answers as f64;
        // As many independent questions as there are clusters.
        let clusters = effective_clusters(self.clusters.values().map(|&size| size as f64));
        let shown = |value: f64, interval: (f64, f64)| {
            if clusters < LEAST {
                Cell::without_interval(value, "too few")
            } else {
                Cell::estimate(value, interval)
            }
        };
        let (acc, covered) = (share(self.correct), share(self.covered));
        let under_law = self.under_law.map(share);
        let moved: &[f64] = match settings.estimand {
            Estimand::Procedure => &under_law,
            Estimand::Deployed => &[],
        };
        let coverage = part_interval(covered, moved, clusters, level);
        vec![
            Cell::text(model),
            Cell::text(category),
            Cell::count(self.questions),
            shown(acc, wilson_share(acc, clusters, level)),
            Cell::figure(share(self.size)),
            shown(covered, coverage),
            Cell::figure(covered - (1.0 - settings.config.alpha)),
        ]
    }
}

/// Per task with categories: a table of all categories, and a heatmap over the models.
pub(super) fn section(figures: &Figures<'_>) -> Section {
    let mut section = Section {
        id: "subjects".into(),
        title: "Subject by subject".into(),
        ..Section::default()
    };
    let moved = match figures.settings.estimand {
        Estimand::Procedure => {
            " That of coverage also reflects how far the thresholds of other calibration sets would move it."
        }
        Estimand::Deployed => "",
    };
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
                rows.push(tally.row(&model.model.name, name, figures.settings));
            }
        }
        let without = match without_category(figures, task) {
            0 => String::new(),
            without => format!(
                " {} without a category {} left out.",
                counted(without, "test question"),
                if without == 1 { "is" } else { "are" },
            ),
        };
        section.tables.push(Table {
            id: format!("subjects-{task}"),
            title: format!("{title}: categories"),
            caption: format!("{} categories, sets by LAC with one threshold for all, mean over strategies. Intervals are Wilson's, for as many answers as there are clusters of questions, unequal ones counted as fewer.{moved}{without}", names.len()),
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

/// Test questions of a task that no category has, of the model with most of them.
fn without_category(figures: &Figures<'_>, task: &str) -> usize {
    let of_models = figures.models.iter().filter_map(|model| {
        let group = model.of_task(task).next()?;
        let categories = group.rows.table.categories();
        let test = group.split.test.iter();
        Some(test.filter(|&&row| categories[row].is_none()).count())
    });
    of_models.max().unwrap_or(0)
}

/// What each model did in each category of a task.
fn counts_by_category<'a>(
    figures: &'a Figures<'_>,
    task: &str,
) -> Vec<BTreeMap<&'a str, CategoryCounts>> {
    let (covers, alpha) = (
        figures.settings.config.covers,
        figures.settings.config.alpha,
    );
    figures
        .models
        .iter()
        .map(|model| {
            let mut counts_by_category: BTreeMap<&str, CategoryCounts> = BTreeMap::new();
            for (strategy, group) in model.of_task(task).enumerate() {
                let lac = group.lac();
                let categories = group.rows.table.categories();
                let names = group.rows.table.clusters();
                let scores = Scores::of(&group.rows.table, lac.score, &figures.settings.view());
                let law = ThresholdLaw::of(&scores, &group.split.calibration, names, alpha);
                for (position, (&row, set)) in group.split.test.iter().zip(&lac.sets).enumerate() {
                    let Some(name) = categories[row]
                        .and_then(|category| group.rows.categories.get(category as usize))
                    else {
                        continue;
                    };
                    let tally = counts_by_category.entry(name).or_default();
                    tally.questions += usize::from(strategy == 0);
                    *tally.clusters.entry(names[row]).or_default() += 1;
                    tally.answers += 1;
                    let right = group.rows.table.right(row);
                    tally.correct += usize::from(right.contains(group.top(position)));
                    tally.size += set.len();
                    tally.covered += usize::from(covers.holds(*set, right));
                    for (count, covers) in tally.under_law.iter_mut().zip(law.covers(&scores, row))
                    {
                        *count += usize::from(covers);
                    }
                }
            }
            counts_by_category
        })
        .collect()
}
