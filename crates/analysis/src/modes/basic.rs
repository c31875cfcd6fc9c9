//! Each model's figures.

use super::improbable::marked_title;
use super::leaderboard::{ACC, COVERAGE, EMPTY, SET_SIZE, SINGLE, UACC};
use crate::figures::{Figures, GroupFigures, ModelFigures};
use crate::number::{count, counted};
use crate::text::{list, measured, percent};
use crate::{Axis, Cell, Chart, ChartKind, Column, Section, Segment, Stack, Table, Unit};
use sureness_conformal::{CoverageVerdict, Estimand, Interval, NoInterval, wilson};

/// One table per model: a row per group, and the means.
pub(super) fn section(figures: &Figures<'_>) -> Section {
    let mut section = Section {
        id: "basic".into(),
        title: "Figures of each model".into(),
        text: vec![format!(
            "Intervals ({} %) are {}; that of accuracy is Wilson's. LAC and APS apart, since they reach \
             coverage differently: APS fills more empty sets, which lifts its coverage. SSCV, a \
             maximum, grows with the number of thin strata and has no interval that would hold.",
            percent(figures.settings.resampling.level),
            about(figures.settings.estimand),
        )],
        ..Section::default()
    };
    for (index, model) in figures.models.iter().enumerate() {
        section.tables.push(groups_table(figures, model, index));
        section.tables.push(more_table(figures, model, index));
        section.notes.extend(notes(model));
    }
    section.charts.extend(size_charts(figures));
    section.notes.extend(coverage_notes(figures));
    section
}

/// What intervals are about.
pub(super) fn about(estimand: Estimand) -> &'static str {
    match estimand {
        Estimand::Procedure => {
            "of the procedure: both halves, calibration and test questions, are drawn anew, and each draw sets its own threshold"
        }
        Estimand::Deployed => {
            "of the deployed threshold: test questions are drawn anew, and the threshold stays as it was set"
        }
    }
}

fn groups_table(figures: &Figures<'_>, model: &ModelFigures<'_>, index: usize) -> Table {
    let level = figures.settings.resampling.level;
    let mut rows = Vec::new();
    for group in &model.groups {
        let n = group.lac().metrics.n;
        let mut row = vec![
            Cell::text(marked_title(group)),
            Cell::text(group.rows.id.strategy.clone()),
            Cell::count(group.split.calibration.len()),
            Cell::count(n),
            clusters(group),
            accuracy(group, level),
        ];
        for score in &group.scores {
            let of = score.intervals;
            row.push(estimate(score.metrics.set_size, of[SET_SIZE]));
            row.push(estimate(score.metrics.coverage, of[COVERAGE]));
            row.push(estimate(score.metrics.uacc, of[UACC]));
        }
        row.push(Cell::figure(group.evaluation.e_rate));
        row.push(Cell::figure(group.evaluation.f_rate));
        rows.push(row);
    }
    Table {
        id: format!("figures-{}", index + 1),
        title: model.model.name.clone(),
        model: Some(model.model.name.clone()),
        caption: format!("{}: each task in each prompt strategy.", model.model.name),
        columns: vec![
            Column::text("task", "Task"),
            Column::text("strategy", "Strategy"),
            Column::new("n_calibration", "n cal", Unit::Count).help("Calibration questions."),
            Column::new("n", "n test", Unit::Count).help("Test questions."),
            Column::text("clusters", "Clusters")
                .help("Clusters of test questions that are not independent, such as those on one passage; unknown without the texts of the questions."),
            Column::new("acc", "Acc", Unit::Percent)
                .higher()
                .help("Share of test questions whose most probable option is right."),
            Column::new("lac_set_size", "SS LAC", Unit::Number(2))
                .lower()
                .help("Mean prediction-set size by the LAC score."),
            Column::new("lac_coverage", "Cov LAC", Unit::Percent)
                .help("Share of LAC sets that contain the right answer."),
            Column::new("lac_uacc", "UAcc LAC", Unit::Percent)
                .higher()
                .help("Acc · √|Y| / SS, by LAC; above 100 % where the model is right with small sets."),
            Column::new("aps_set_size", "SS APS", Unit::Number(2))
                .lower()
                .help("Mean prediction-set size by the APS score."),
            Column::new("aps_coverage", "Cov APS", Unit::Percent)
                .help("Share of APS sets that contain the right answer."),
            Column::new("aps_uacc", "UAcc APS", Unit::Percent)
                .higher()
                .help("Acc · √|Y| / SS, by APS; above 100 % where the model is right with small sets."),
            Column::new("e_rate", "E", Unit::Percent)
                .help("Share of \"I don't know\" as the answer."),
            Column::new("f_rate", "F", Unit::Percent)
                .help("Share of \"None of the above\" as the answer."),
        ],
        rows,
        ..Table::default()
    }
}

/// Accuracy with Wilson's interval, of as many questions as the clusters are worth.
fn accuracy(group: &GroupFigures<'_>, level: f64) -> Cell {
    let metrics = &group.lac().metrics;
    let interval = match group.lac().intervals[ACC] {
        Ok(interval) => interval.ends(),
        Err(_) => wilson(metrics.correct, metrics.n, level),
    };
    Cell::estimate(group.evaluation.acc, interval)
}

/// Number of clusters among the test questions.
fn clusters(group: &GroupFigures<'_>) -> Cell {
    if group.rows.clustered {
        Cell::text(count(group.test_clusters()))
    } else {
        Cell::text("unknown")
    }
}

fn more_table(figures: &Figures<'_>, model: &ModelFigures<'_>, index: usize) -> Table {
    let rows = model
        .groups
        .iter()
        .map(|group| {
            let lac = group.lac();
            let spread = lac.repeated.set_size;
            let coverage = lac.repeated.coverage;
            let mass = &group.rows.mass;
            // Saved logits are whole, so that neither is a question there.
            let bounded = group.rows.bounded.iter().filter(|&&bounded| bounded);
            let share = bounded.count() as f64 / group.rows.table.len().max(1) as f64;
            let bounded = (!mass.is_empty()).then_some(share);
            let mean_mass =
                (!mass.is_empty()).then(|| mass.iter().sum::<f64>() / mass.len() as f64);
            vec![
                Cell::text(marked_title(group)),
                Cell::text(group.rows.id.strategy.clone()),
                Cell::text(verdict(group, figures.settings.config.alpha)),
                Cell::figure(coverage.mean),
                Cell::figure(coverage.sd),
                Cell::figure(spread.mean),
                Cell::figure(spread.sd),
                estimate(lac.metrics.singleton_rate, lac.intervals[SINGLE]),
                Cell::maybe(lac.metrics.singleton_accuracy),
                estimate(lac.metrics.empty_rate, lac.intervals[EMPTY]),
                estimate(group.aps().metrics.empty_rate, group.aps().intervals[EMPTY]),
                Cell::figure(lac.metrics.sscv),
                Cell::figure(group.tied),
                Cell::maybe(mean_mass),
                Cell::maybe(bounded),
            ]
        })
        .collect();
    Table {
        id: format!("sets-{}", index + 1),
        title: format!("{}: prediction sets by LAC", model.model.name),
        model: Some(model.model.name.clone()),
        caption: format!(
            "Coverage check, figures over {} random splits (mean and standard deviation), and shapes of the sets.",
            figures.settings.splits
        ),
        columns: vec![
            Column::text("task", "Task"),
            Column::text("strategy", "Strategy"),
            Column::text("verdict", "Coverage")
                .help("Compared with the exact beta-binomial law of split conformal coverage."),
            Column::new("splits_coverage", "Cov, splits", Unit::Percent)
                .help("Mean coverage over random splits of the same questions."),
            Column::new("splits_coverage_sd", "SD", Unit::Percent)
                .help("Standard deviation of coverage over the splits; not an interval."),
            Column::new("splits_set_size", "SS, splits", Unit::Number(2))
                .lower()
                .help("Mean set size over random splits of the same questions."),
            Column::new("splits_set_size_sd", "SD", Unit::Number(2))
                .help("Standard deviation of set size over the splits."),
            Column::new("singletons", "Single", Unit::Percent)
                .higher()
                .help("Share of sets of one option."),
            Column::new("singleton_acc", "Acc single", Unit::Percent)
                .higher()
                .help("Accuracy where the set holds one option."),
            Column::new("empty", "Empty", Unit::Percent)
                .help("Share of LAC sets that were empty and were given the most probable option."),
            Column::new("aps_empty", "Empty APS", Unit::Percent)
                .help("The same of APS sets; it lifts their coverage above 1 − α."),
            Column::new("sscv", "SSCV", Unit::Percent)
                .lower()
                .help("Largest distance from 1 − α among the coverages of sets of one size."),
            Column::new("tied", "Tied", Unit::Percent)
                .help("Share of questions with two exactly equal probabilities."),
            Column::new("mass", "Mass", Unit::Percent)
                .higher()
                .help("Mean total probability of the options."),
            Column::new("bounded", "Bounded", Unit::Percent)
                .lower()
                .help("Share of questions with an option outside the server's top tokens."),
        ],
        rows,
        ..Table::default()
    }
}

/// LAC's verdict in words.
fn verdict(group: &GroupFigures<'_>, alpha: f64) -> String {
    let check = &group.lac().check;
    let words = match check.verdict {
        CoverageVerdict::Compatible => "kept",
        CoverageVerdict::TooLow => "too low",
        CoverageVerdict::TooHigh => "above",
        CoverageVerdict::Vacuous => return format!("full sets: too few rows for {alpha}"),
        CoverageVerdict::TooFew => return "too few clusters".into(),
    };
    format!(
        "{words} ({} to {})",
        measured(check.low),
        measured(check.high)
    )
}

/// A figure with its interval, or why it has none.
pub(super) fn estimate(value: f64, interval: Result<Interval, NoInterval>) -> Cell {
    match interval {
        Ok(interval) => Cell::estimate(value, interval.ends()),
        Err(why) => Cell::without_interval(value, reason(why)),
    }
}

/// Why there is no interval, in two words.
pub(super) fn reason(why: NoInterval) -> &'static str {
    match why {
        NoInterval::TooFew => "too few",
        NoInterval::Full => "full sets",
    }
}

/// How often sets of each size occur: one chart per task, a bar per model.
fn size_charts(figures: &Figures<'_>) -> Vec<Chart> {
    let mut charts = Vec::new();
    for (task, title) in figures.tasks() {
        let mut bars = Vec::new();
        let mut most = 0;
        for model in &figures.models {
            let sizes: Vec<&Vec<usize>> = model
                .of_task(task)
                .map(|group| &group.lac().metrics.sizes)
                .collect();
            let total: usize = sizes.iter().map(|sizes| sizes.iter().sum::<usize>()).sum();
            if total == 0 {
                continue;
            }
            let width = sizes.iter().map(|sizes| sizes.len()).max().unwrap_or(0);
            most = most.max(width);
            let shares = (1..width)
                .map(|size| {
                    let count: usize = sizes.iter().filter_map(|sizes| sizes.get(size)).sum();
                    count as f64 / total as f64
                })
                .collect();
            bars.push(Stack {
                label: model.model.name.clone(),
                shares,
            });
        }
        if bars.is_empty() {
            continue;
        }
        for bar in &mut bars {
            bar.shares.resize(most.saturating_sub(1), 0.0);
        }
        charts.push(Chart {
            id: format!("sizes-{task}"),
            title: format!("{title}: sizes of prediction sets"),
            caption: "Number of options in a LAC set, over all prompt strategies. The larger the share of small sets, the surer the model.".into(),
            kind: ChartKind::Stacks {
                axis: Axis {
                    title: "Share of test questions".into(),
                    unit: Unit::Percent,
                    log: false,
                    range: Some((0.0, 1.0)),
                },
                segments: (1..most).map(|size| Segment { name: counted(size, "option") }).collect(),
                bars,
            },
        });
    }
    charts
}

fn notes(model: &ModelFigures<'_>) -> Vec<String> {
    let mut notes: Vec<String> = model
        .skipped
        .iter()
        .map(|(id, error)| {
            format!(
                "{}, {}/{}: not evaluated, {error}",
                model.model.name, id.task, id.strategy
            )
        })
        .collect();
    let missing: usize = model
        .model
        .groups
        .iter()
        .map(|group| group.planned.saturating_sub(group.table.len()))
        .sum();
    if missing > 0 {
        notes.push(format!(
            "{}: {} without an answer; the figures exclude them",
            model.model.name,
            counted(missing, "question")
        ));
    }
    notes
}

/// Groups whose coverage is not what was promised.
fn coverage_notes(figures: &Figures<'_>) -> Vec<String> {
    let groups = figures.models.iter().flat_map(|model| {
        model
            .groups
            .iter()
            .filter(|group| group.lac().check.verdict == CoverageVerdict::TooLow)
            .map(|group| {
                format!(
                    "{} {}/{}",
                    model.model.name, group.rows.id.task, group.rows.id.strategy
                )
            })
    });
    let low: Vec<String> = groups.collect();
    if low.is_empty() {
        return Vec::new();
    }
    let left = match figures.promise().broken {
        0 => "chance explains all of these".to_owned(),
        broken => format!("chance does not explain {broken} of these"),
    };
    vec![format!(
        "Coverage by LAC is too low in {}. About one in forty is too low by chance; over all of them, {left}.",
        list(&low)
    )]
}
