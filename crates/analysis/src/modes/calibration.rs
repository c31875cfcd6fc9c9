//! Whether confidence is calibrated.

use rayon::prelude::*;
use sureness_conformal::{ConfidenceIntervals, Interval, RowDraws, confidence_intervals};

use crate::figures::{Figures, GroupFigures};
use crate::{Bin, Cell, Chart, ChartKind, Column, Section, Table, Unit};

/// Reliability diagrams are drawn for no more groups than these, the worst first.
const MAX_DIAGRAMS: usize = 12;

/// All groups with their models' names.
pub(super) fn groups<'f>(figures: &'f Figures<'_>) -> Vec<(&'f str, &'f GroupFigures<'f>)> {
    let models = figures.models.iter();
    models
        .flat_map(|model| model.groups.iter().map(|group| (&*model.model.name, group)))
        .collect()
}

/// Intervals of the confidence figures of each of [`groups`], on all cores. This takes longer than
/// all else that a section needs, so that sections share it.
pub(super) fn confidence(figures: &Figures<'_>) -> Vec<Option<ConfidenceIntervals>> {
    let settings = figures.settings;
    let groups = groups(figures);
    // Groups whose test questions belong together alike share their draws.
    let mut alike: Vec<(Vec<[u8; 32]>, Vec<usize>)> = Vec::new();
    for (number, (_, group)) in groups.iter().enumerate() {
        let names = group.test_cluster_names();
        match alike.iter_mut().find(|(of, _)| *of == names) {
            Some((_, numbers)) => numbers.push(number),
            None => alike.push((names, vec![number])),
        }
    }
    let mut intervals = vec![None; groups.len()];
    for (names, numbers) in alike {
        let draws = RowDraws::new(&names, &settings.resampling);
        let of_group = |&number: &usize| {
            let group = groups[number].1;
            let (table, rows) = (&group.rows.table, &group.split.test);
            confidence_intervals(table, rows, &settings.view(), settings.bins, &draws)
        };
        let found: Vec<Option<ConfidenceIntervals>> = numbers.par_iter().map(of_group).collect();
        for (number, found) in numbers.into_iter().zip(found) {
            intervals[number] = found;
        }
    }
    intervals
}

/// Test clusters that the interval of a confidence figure takes, beside those with right and with wrong
/// answers.
const LEAST: usize = 50;
/// The condition for readers of a table.
pub(super) const CONDITION: &str = "An interval takes 50 clusters of questions, 10 of them with a right \
                                    and 10 with a wrong answer; that of AUROC also 10 with another \
                                    confidence than the commonest.";
/// Test clusters per bin that the interval of the ECE takes.
const LEAST_PER_BIN: usize = 20;

/// A figure with its interval, where there are enough questions for one.
pub(super) fn with_interval(value: f64, interval: Option<Interval>, enough: bool) -> Cell {
    match interval {
        Some(interval) if enough => Cell::estimate(value, interval.ends()),
        _ => Cell::without_interval(value, "too few"),
    }
}

/// Whether there are enough questions for the interval of a confidence figure.
pub(super) fn enough(group: &GroupFigures<'_>) -> bool {
    group.test_clusters() >= LEAST
}

/// AUROC with its interval; nothing where all answers are right or all wrong.
pub(super) fn auroc(group: &GroupFigures<'_>, intervals: Option<&ConfidenceIntervals>) -> Cell {
    group.selective.auroc.map_or(Cell::Empty, |auroc| {
        with_interval(auroc, intervals.and_then(|i| i.auroc), enough(group))
    })
}

/// Calibration errors, and reliability diagrams.
pub(super) fn section(figures: &Figures<'_>, intervals: &[Option<ConfidenceIntervals>]) -> Section {
    let mut section = Section {
        id: "calibration".into(),
        title: "Is the confidence calibrated?".into(),
        text: vec!["Confidence is the probability of the most probable option, after a softmax over the options. A calibrated model is right as often as it is confident; one whose bars lie below the diagonal is overconfident.".into()],
        ..Section::default()
    };
    if figures.several_right() > 0 {
        section.notes.push("Several right options count as one class in Brier score and log loss. Confidence is still that of a single option: a model that divides its probability among right options looks less confident than it is accurate.".into());
    }
    let mut groups = groups(figures);
    let rows = groups
        .iter()
        .zip(intervals)
        .map(|((model, group), intervals)| {
            let c = &group.calibration;
            let of = intervals.as_ref();
            vec![
                Cell::text(*model),
                Cell::text(group.rows.title.clone()),
                Cell::text(group.rows.id.strategy.clone()),
                Cell::count(c.n),
                with_interval(
                    c.ece,
                    of.map(|i| i.ece),
                    group.test_clusters() >= LEAST_PER_BIN * figures.settings.bins,
                ),
                Cell::figure(c.ece_mass),
                Cell::figure(c.mce),
                with_interval(c.brier, of.and_then(|i| i.brier), enough(group)),
                with_interval(c.log_loss, of.and_then(|i| i.log_loss), enough(group)),
                auroc(group, of),
                Cell::figure(group.entropy.perplexity),
            ]
        })
        .collect();
    section.tables.push(Table {
        id: "calibration".into(),
        title: "Calibration".into(),
        caption: format!(
            "On the test questions, with {} bins. {CONDITION} That of the ECE takes {LEAST_PER_BIN} \
             clusters per bin.",
            figures.settings.bins
        ),
        columns: columns(),
        rows,
        ..Table::default()
    });
    groups.sort_by(|a, b| b.1.calibration.ece.total_cmp(&a.1.calibration.ece));
    if groups.len() > MAX_DIAGRAMS {
        section.notes.push(format!(
            "Of {} reliability diagrams, the {MAX_DIAGRAMS} with the largest ECE are shown.",
            groups.len()
        ));
    }
    for (index, (model, group)) in groups.iter().take(MAX_DIAGRAMS).enumerate() {
        let id = &group.rows.id;
        section.charts.push(Chart {
            id: format!("reliability-{}", index + 1),
            title: format!("{model}: {}, {}", group.rows.title, id.strategy),
            caption: format!(
                "How often answers of each confidence are right, over {} test questions (ECE {:.1} %).",
                group.calibration.n,
                group.calibration.ece * 100.0
            ),
            kind: ChartKind::Reliability {
                bins: group
                    .calibration
                    .bins
                    .iter()
                    .map(|bin| Bin {
                        range: (bin.low, bin.high),
                        confidence: bin.confidence,
                        accuracy: bin.accuracy,
                        count: bin.n,
                    })
                    .collect(),
            },
        });
    }
    section
}

fn columns() -> Vec<Column> {
    vec![
        Column::text("model", "Model"),
        Column::text("task", "Task"),
        Column::text("strategy", "Strategy"),
        Column::new("n", "n", Unit::Count),
        Column::new("ece", "ECE", Unit::Percent)
            .lower()
            .help("Mean distance of confidence from accuracy, bins of equal width."),
        Column::new("ece_mass", "ECE mass", Unit::Percent)
            .lower()
            .help("The same with bins of equally many questions."),
        Column::new("mce", "MCE", Unit::Percent)
            .lower()
            .help("The largest such distance of a bin."),
        Column::new("brier", "Brier", Unit::Number(3))
            .lower()
            .help("Squared error of the probabilities, summed over the options."),
        Column::new("log_loss", "Log loss", Unit::Number(3))
            .lower()
            .help("In nats."),
        Column::new("auroc", "AUROC", Unit::Number(3))
            .higher()
            .help("How often a right answer is more confident than a wrong one."),
        Column::new("perplexity", "2^H", Unit::Number(2))
            .help("Perplexity of the options' probabilities: among how many the model is divided."),
    ]
}
