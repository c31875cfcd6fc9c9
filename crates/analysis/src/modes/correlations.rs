//! Correlations between metrics.

use sureness_conformal::{pearson, spearman};

use crate::figures::{Figures, GroupFigures};
use crate::number::counted;
use crate::{Cell, Chart, ChartKind, Column, Scale, Section, Table, Unit};

/// Fewer points say nothing about a correlation.
const FEWEST: usize = 4;

/// A coefficient with its interval.
type Correlation = (f64, (f64, f64));
/// Works one out from two lists and a level.
type Coefficient = fn(&[f64], &[f64], f64) -> Option<Correlation>;

/// A metric's name, and how to read it off a group.
type Metric = (&'static str, fn(&GroupFigures<'_>) -> f64);

const METRICS: [Metric; 9] = [
    ("Accuracy", |g| g.evaluation.acc),
    ("Set size", |g| {
        f64::midpoint(g.evaluation.lac.set_size, g.evaluation.aps.set_size)
    }),
    ("Coverage", |g| {
        f64::midpoint(g.evaluation.lac.coverage, g.evaluation.aps.coverage)
    }),
    ("UAcc", |g| {
        f64::midpoint(g.evaluation.lac.uacc, g.evaluation.aps.uacc)
    }),
    ("ECE", |g| g.calibration.ece),
    ("Brier", |g| g.calibration.brier),
    ("AUROC", |g| g.selective.auroc.unwrap_or(f64::NAN)),
    ("AURC", |g| g.selective.aurc),
    ("Perplexity", |g| g.entropy.perplexity),
];

/// Pearson's and Spearman's coefficients over all models, tasks and strategies.
pub(super) fn section(figures: &Figures<'_>) -> Section {
    let mut section = Section {
        id: "correlations".into(),
        title: "Correlations between metrics".into(),
        ..Section::default()
    };
    let groups: Vec<&GroupFigures<'_>> = figures
        .models
        .iter()
        .flat_map(|model| &model.groups)
        .collect();
    if groups.len() < FEWEST {
        section.text.push(format!(
            "There are {}, one per model, task and strategy; a correlation takes at least {FEWEST}.",
            counted(groups.len(), "point")
        ));
        return section;
    }
    let columns: Vec<Vec<f64>> = METRICS
        .iter()
        .map(|(_, read)| groups.iter().map(|group| read(group)).collect())
        .collect();
    let matrix = |of: Coefficient| -> Vec<Vec<Option<Correlation>>> {
        columns
            .iter()
            .map(|a| {
                columns
                    .iter()
                    .map(|b| of(a, b, figures.settings.resampling.level))
                    .collect()
            })
            .collect()
    };
    let (pearson, spearman) = (matrix(pearson), matrix(spearman));
    section.text.push(format!(
        "Over {}, one per model, task and strategy. Pearson's r measures a straight line, Spearman's ρ any rise or fall. Points of one model or one task are not independent, so that no interval would hold.",
        counted(groups.len(), "point")
    ));
    section.charts.push(Chart {
        id: "correlations".into(),
        title: "Correlations between metrics".into(),
        caption: "Spearman's ρ: 1 where two metrics rank everything alike, −1 where they rank it in reverse.".into(),
        kind: ChartKind::Heatmap {
            rows: METRICS.iter().map(|(name, _)| (*name).to_owned()).collect(),
            columns: METRICS.iter().map(|(name, _)| (*name).to_owned()).collect(),
            values: spearman.iter().map(|row| row.iter().map(|cell| cell.map(|(r, _)| r)).collect()).collect(),
            unit: Unit::Number(2),
            scale: Scale::Diverging(1.0),
        },
    });
    let mut rows = Vec::new();
    for a in 0..METRICS.len() {
        for b in a + 1..METRICS.len() {
            let cell = |found: Option<Correlation>| {
                found.map_or(Cell::Empty, |(value, _)| Cell::figure(value))
            };
            rows.push(vec![
                Cell::text(METRICS[a].0),
                Cell::text(METRICS[b].0),
                cell(pearson[a][b]),
                cell(spearman[a][b]),
            ]);
        }
    }
    section.tables.push(Table {
        id: "correlations".into(),
        title: "Correlations".into(),
        caption: format!("Over {}.", counted(groups.len(), "point")),
        columns: vec![
            Column::text("first", "Metric"),
            Column::text("second", "with"),
            Column::new("pearson", "Pearson r", Unit::Difference(2)),
            Column::new("spearman", "Spearman ρ", Unit::Difference(2)),
        ],
        rows,
        ..Table::default()
    });
    section
}
