//! Scores and calibration schemes beside each other.

use rayon::prelude::*;
use sureness_conformal::{
    CoverageLaw, Covers, Nonconformity, Scheme, Scores, SetMetrics, calibrate, predict, set_metrics,
};

use crate::figures::{Figures, GroupFigures};
use crate::text::list;
use crate::{Cell, Column, Section, Table, Unit};

/// One table per task: each score with each scheme, the mean over models and strategies.
pub(super) fn section(figures: &Figures<'_>) -> Section {
    let least = figures.settings.least;
    let mut section = Section {
        id: "scores".into(),
        title: "Scores and calibration schemes".into(),
        text: vec![format!(
            "Every score guarantees the same coverage, on average over questions; they differ in how large the sets are and which questions they under-cover. A threshold for each class (right answer A, B, …) or each category makes the promise hold within it, at the price of larger sets; groups with fewer than {least} calibration questions use the common threshold."
        )],
        ..Section::default()
    };
    let schemes = [
        ("split", Scheme::Split),
        ("by class", Scheme::ClassConditional { least }),
        ("by category", Scheme::Mondrian { least }),
    ];
    let by_class = figures.settings.config.covers == Covers::Any || figures.several_right() == 0;
    if !by_class {
        section.notes.push(
            "Thresholds by class are left out: a set could hold the right option that decides and lack another whose threshold is lower, so nothing would be guaranteed where a set covers if it holds all right options.".into(),
        );
    }
    let mut fallbacks: Vec<String> = Vec::new();
    let mut rows = Vec::new();
    for model in &figures.models {
        for (task, title) in figures.tasks() {
            let groups: Vec<&GroupFigures<'_>> = model.of_task(task).collect();
            if groups.is_empty() {
                continue;
            }
            let combinations: Vec<(Nonconformity, (&str, Scheme))> = figures
                .settings
                .scores
                .iter()
                .flat_map(|&score| schemes.map(|scheme| (score, scheme)))
                .filter(|(score, (_, scheme))| {
                    // Other schemes of the headline scores only: the table stays readable.
                    *scheme == Scheme::Split
                        || matches!(score, Nonconformity::Lac | Nonconformity::Aps)
                })
                .filter(|(_, (_, scheme))| {
                    by_class || !matches!(scheme, Scheme::ClassConditional { .. })
                })
                .filter(|(_, (_, scheme))| {
                    !matches!(scheme, Scheme::Mondrian { .. })
                        || groups.iter().any(|group| group.rows.categories.len() > 1)
                })
                .collect();
            let measured: Vec<(SetMetrics, usize, f64)> = combinations
                .par_iter()
                .map(|&(score, (_, scheme))| measure(figures, &groups, score, scheme))
                .collect();
            for ((score, (name, _)), (metrics, thin, p)) in combinations.iter().zip(measured) {
                if thin > 0 {
                    fallbacks.push(format!("{}, {task}, {name}: {thin}", model.model.name));
                }
                rows.push(vec![
                    Cell::text(model.model.name.clone()),
                    Cell::text(title),
                    Cell::text(score.title()),
                    Cell::text(*name),
                    Cell::count(metrics.n),
                    Cell::figure(metrics.coverage),
                    Cell::figure(p),
                    Cell::figure(metrics.set_size),
                    Cell::figure(metrics.uacc),
                    Cell::figure(metrics.singleton_rate),
                    Cell::figure(metrics.sscv),
                    Cell::figure(metrics.class_gap),
                    Cell::maybe(
                        metrics
                            .category_gap
                            .filter(|_| metrics.by_category.len() > 1),
                    ),
                ]);
            }
        }
    }
    fallbacks.dedup();
    if !fallbacks.is_empty() {
        section.notes.push(format!(
            "Groups with too few calibration questions for their own threshold, which used the common one: {}.",
            list(&fallbacks)
        ));
    }
    section.tables.push(Table {
        id: "scores".into(),
        title: "Scores and schemes".into(),
        caption: "In each model's first prompt strategy.".into(),
        columns: columns(),
        rows,
        ..Table::default()
    });
    section
}

/// The columns of the table.
fn columns() -> Vec<Column> {
    vec![
            Column::text("model", "Model"),
            Column::text("task", "Task"),
            Column::text("score", "Score"),
            Column::text("scheme", "Thresholds"),
            Column::new("n", "n", Unit::Count),
            Column::new("coverage", "Coverage", Unit::Percent),
            Column::new("coverage_p", "p(Cov)", Unit::PValue).help("Of the observed coverage, by the exact law for one threshold; other schemes and scores with ties follow it only roughly."),
            Column::new("set_size", "Set size", Unit::Number(2)).lower(),
            Column::new("uacc", "UAcc", Unit::Percent).higher(),
            Column::new("singletons", "Single", Unit::Percent).higher(),
            Column::new("sscv", "SSCV", Unit::Percent).lower().help("Largest distance from 1 − α among the coverages of sets of one size."),
            Column::new("class_gap", "Class gap", Unit::Percent).lower().help("Mean distance from 1 − α over the letters of the right answer."),
            Column::new("category_gap", "Cat. gap", Unit::Percent).lower().help("Mean distance from 1 − α over categories."),
]
}

/// Metrics in the first strategy, thin groups, and the coverage's p-value.
fn measure(
    figures: &Figures<'_>,
    groups: &[&GroupFigures<'_>],
    score: Nonconformity,
    scheme: Scheme,
) -> (SetMetrics, usize, f64) {
    let group = groups[0];
    let table = &group.rows.table;
    let alpha = figures.settings.config.alpha;
    let scores = Scores::of(table, score, &figures.settings.view());
    let calibrated = calibrate(&scores, table, &group.split.calibration, alpha, scheme);
    let sets = predict(&calibrated, &scores, table, &group.split.test);
    let metrics = set_metrics(&sets, &scores, table, &group.split.calibration, alpha);
    let law = CoverageLaw::new(
        group.split.calibration.len(),
        alpha,
        figures.settings.config.protocol,
    );
    let check = law.check(metrics.covered, metrics.n);
    (metrics, calibrated.fallbacks.len(), check.p_value)
}
