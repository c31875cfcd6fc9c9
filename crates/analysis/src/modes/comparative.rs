//! Model comparison.

use sureness_conformal::{
    COMPARED, detectable_mean_difference, figure_step, least_difference, mcnemar,
};

use super::basic::{about, estimate};
use super::leaderboard::{ACC, COVERAGE, Leaderboard, Pair, SET_SIZE, UACC};
use crate::figures::Figures;
use crate::number::{count, counted};
use crate::text::percent;
use crate::{Axis, Cell, Chart, ChartKind, Column, Dot, Mark, Scale, Section, Table, Unit};

/// With more pairs than these, the table lists only neighbours of the leaderboard.
const MAX_PAIRS: usize = 45;

/// Leaderboard, tasks, paired differences.
pub(super) fn section(figures: &Figures<'_>, board: Option<&Leaderboard<'_>>) -> Section {
    let mut section = Section {
        id: "comparative".into(),
        title: "Model comparison".into(),
        ..Section::default()
    };
    let Some(board) = board else {
        section.text.push(
            "The models have no answered question in common in the same task and strategy.".into(),
        );
        return section;
    };
    let several = board.order.len() > 1;
    let compared = several && board.obstacles.is_empty();
    let level = percent(figures.settings.resampling.level);
    let mut text = format!(
        "Means over tasks, prompt strategies, and LAC and APS. Intervals ({level} %) are {}; questions are resampled with all answers to them.",
        about(figures.settings.estimand)
    );
    if compared {
        text.push_str(" A band of ranks holds every rank that cannot be excluded after Holm's correction for all pairs.");
    }
    if !several {
        section.title = "The model as a whole".into();
    }
    section.text.push(text);
    section.text.extend(
        board
            .obstacles
            .iter()
            .map(|obstacle| format!("The models are not ranked or tested: {obstacle}.")),
    );
    section
        .notes
        .extend(board.board.common.notes.iter().cloned());
    section.tables.push(leaderboard(figures, board));
    if several {
        section.charts.push(dots(figures, board));
        section.charts.push(scatter(figures, board));
    }
    if board.board.common.tasks.len() > 1 {
        section.tables.push(by_task(figures, board));
        section.charts.push(heatmap(figures, board));
    }
    if compared && !board.pairs.is_empty() {
        section.tables.push(pair_table(figures, board));
        section.tables.push(power_table(figures, board));
        section
            .notes
            .extend(board.notes(figures, 1.0 - figures.settings.resampling.level));
        section.text.push("Differences are paired by question. p-values of UAcc, set size and coverage are of the difference over its standard error, both halves included; of accuracy, of a sign-flip test, in which on each test question the two models may swap their answers, and in one strategy of McNemar's test as well.".into());
    }
    section
}

fn leaderboard(figures: &Figures<'_>, board: &Leaderboard<'_>) -> Table {
    let rows = board
        .order
        .iter()
        .map(|&model| {
            let values = board.figures(model);
            let ranks = match &board.bands[model] {
                None => "\u{2013}".to_owned(),
                Some(band) if band.best == band.worst => band.best.to_string(),
                Some(band) => format!("{}\u{2013}{}", band.best, band.worst),
            };
            vec![
                Cell::text(ranks),
                Cell::text(board.name(figures, model)),
                estimate(values[UACC], board.interval(model, UACC)),
                estimate(values[ACC], board.interval(model, ACC)),
                estimate(values[SET_SIZE], board.interval(model, SET_SIZE)),
                estimate(values[COVERAGE], board.interval(model, COVERAGE)),
            ]
        })
        .collect();
    let mut table = Table {
        id: "leaderboard".into(),
        title: "Leaderboard".into(),
        caption: format!(
            "{} {} and {} in {}{}.",
            if board.order.len() == 1 || !board.obstacles.is_empty() {
                "Over"
            } else {
                "By UAcc, over"
            },
            counted(
                board.board.common.panel.calibration_questions(),
                "calibration question"
            ),
            counted(board.board.common.panel.questions(), "test question"),
            counted(board.board.common.tasks.len(), "task"),
            clusters(figures, board),
        ),
        columns: vec![
            Column::text("ranks", "Rank").help("Ranks that cannot be excluded."),
            Column::text("model", "Model"),
            Column::new("uacc", "UAcc", Unit::Percent)
                .higher()
                .help("Acc · √|Y| / SS."),
            Column::new("acc", "Acc", Unit::Percent)
                .higher()
                .help("Share of questions whose most probable option is right."),
            Column::new("set_size", "Set size", Unit::Number(2))
                .lower()
                .help("Mean number of options in a prediction set."),
            Column::new("coverage", "Coverage", Unit::Percent)
                .help("Share of sets that contain the right answer."),
        ],
        rows,
        ..Table::default()
    };
    if board.bands.iter().all(Option::is_none) {
        // Nobody has a rank.
        table.title = "Headline figures".into();
        table.columns.remove(0);
        for row in &mut table.rows {
            row.remove(0);
        }
    }
    table
}

/// How many clusters that is, where it is known and another number.
fn clusters(figures: &Figures<'_>, board: &Leaderboard<'_>) -> String {
    let groups = figures.models.iter().flat_map(|model| &model.groups);
    if !groups.into_iter().any(|group| group.rows.clustered) {
        return "; which questions belong together is unknown".into();
    }
    let panel = &board.board.common.panel;
    let (calibration, test) = panel.clusters();
    if (calibration, test) == (panel.calibration_questions(), panel.questions()) {
        return String::new();
    }
    format!(", in {} and {} clusters", count(calibration), count(test))
}

fn dots(figures: &Figures<'_>, board: &Leaderboard<'_>) -> Chart {
    let known = |&model: &usize| board.ends(model, UACC).is_some();
    let caption = match board.order.iter().filter(|model| known(model)).count() {
        0 => "Accuracy weighted by certainty; the table says why there are no intervals.",
        1 => "Accuracy weighted by certainty, with its interval.",
        _ => {
            "Accuracy weighted by certainty, with intervals. Ranks mean little where intervals overlap widely."
        }
    };
    Chart {
        id: "leaderboard".into(),
        title: "UAcc of each model".into(),
        caption: caption.into(),
        kind: ChartKind::Dots {
            axis: axis("UAcc", Unit::Percent),
            rows: board
                .order
                .iter()
                .map(|&model| Dot {
                    label: board.name(figures, model).to_owned(),
                    series: String::new(),
                    value: board.figures(model)[UACC],
                    interval: board.ends(model, UACC),
                })
                .collect(),
            reference: None,
        },
    }
}

/// An axis that the data choose.
pub(super) fn axis(title: &str, unit: Unit) -> Axis {
    Axis {
        title: title.into(),
        unit,
        log: false,
        range: None,
    }
}

fn scatter(figures: &Figures<'_>, board: &Leaderboard<'_>) -> Chart {
    Chart {
        id: "accuracy-size".into(),
        title: "Accuracy and certainty".into(),
        caption: "Models at the same height are equally accurate; among these, the leftmost hedges between the fewest options.".into(),
        kind: ChartKind::Scatter {
            x: axis("Mean set size", Unit::Number(1)),
            y: axis("Accuracy", Unit::Percent),
            points: board
                .order
                .iter()
                .map(|&model| {
                    let values = board.figures(model);
                    Mark {
                        label: board.name(figures, model).to_owned(),
                        series: String::new(),
                        x: values[SET_SIZE],
                        y: values[ACC],
                        x_interval: board.ends(model, SET_SIZE),
                        y_interval: board.ends(model, ACC),
                    }
                })
                .collect(),
            trend: None,
            reference: None,
        },
    }
}

/// `UAcc` of each model on each task, as a table of task means.
fn by_task(figures: &Figures<'_>, board: &Leaderboard<'_>) -> Table {
    let mut columns = vec![Column::text("model", "Model")];
    for task in board.board.common.tasks.iter().map(|task| &*task.task) {
        let title = title_of(figures, task);
        for (key, name, unit) in [
            ("acc", "Acc", Unit::Percent),
            ("ss", "SS", Unit::Number(2)),
            ("uacc", "UAcc", Unit::Percent),
        ] {
            let column = Column::new(
                &format!("{}_{key}", task.replace('-', "_")),
                &format!("{} {name}", task.to_uppercase()),
                unit,
            )
            .help(&format!("{title}: {name}."));
            columns.push(if key == "ss" {
                column.lower()
            } else {
                column.higher()
            });
        }
    }
    let rows = board
        .order
        .iter()
        .map(|&model| {
            let mut row = vec![Cell::text(board.name(figures, model))];
            let of_model = &figures.models[board.board.common.models[model]];
            for task in board.board.common.tasks.iter().map(|task| &*task.task) {
                let mean = of_model.task_mean(task);
                row.push(Cell::maybe(mean.map(|m| m.acc)));
                row.push(Cell::maybe(mean.map(|m| m.set_size)));
                row.push(Cell::maybe(mean.map(|m| m.uacc)));
            }
            row
        })
        .collect();
    Table {
        id: "tasks".into(),
        title: "Task by task".into(),
        caption:
            "Means over prompt strategies, LAC and APS, of all questions that each model answered."
                .into(),
        columns,
        rows,
        ..Table::default()
    }
}

fn title_of<'a>(figures: &Figures<'a>, task: &str) -> &'a str {
    figures
        .tasks()
        .into_iter()
        .find(|(id, _)| *id == task)
        .map_or("", |(_, title)| title)
}

fn heatmap(figures: &Figures<'_>, board: &Leaderboard<'_>) -> Chart {
    let values: Vec<Vec<Option<f64>>> = board
        .order
        .iter()
        .map(|&model| {
            let of_model = &figures.models[board.board.common.models[model]];
            let tasks = board.board.common.tasks.iter();
            tasks
                .map(|task| of_model.task_mean(&task.task).map(|mean| mean.set_size))
                .collect()
        })
        .collect();
    let all = || values.iter().flatten().flatten().copied();
    let (low, high) = (
        all().fold(f64::INFINITY, f64::min),
        all().fold(f64::NEG_INFINITY, f64::max),
    );
    Chart {
        id: "tasks".into(),
        title: "Set size of each model on each task".into(),
        caption: "Mean number of options that a prediction set needs on each task.".into(),
        kind: ChartKind::Heatmap {
            rows: board
                .order
                .iter()
                .map(|&model| board.name(figures, model).to_owned())
                .collect(),
            columns: board
                .board
                .common
                .tasks
                .iter()
                .map(|task| title_of(figures, &task.task).to_owned())
                .collect(),
            values,
            unit: Unit::Number(2),
            scale: Scale::Sequential(low, high),
        },
    }
}

fn pair_table(figures: &Figures<'_>, board: &Leaderboard<'_>) -> Table {
    let place = |model: usize| board.order.iter().position(|&m| m == model).unwrap_or(0);
    let all = board.pairs.len() <= MAX_PAIRS;
    let rows = board
        .pairs
        .iter()
        .filter(|pair| all || place(pair.b) == place(pair.a) + 1)
        .map(|pair| {
            let difference = |figure: usize| {
                let value = board.figures(pair.a)[figure] - board.figures(pair.b)[figure];
                let resampled = &board.board.resampled;
                estimate(value, resampled.difference(pair.a, pair.b, figure))
            };
            vec![
                Cell::text(board.name(figures, pair.a)),
                Cell::text(board.name(figures, pair.b)),
                difference(UACC),
                Cell::figure(pair.holm[UACC]),
                Cell::figure(pair.bh[UACC]),
                difference(SET_SIZE),
                Cell::figure(pair.holm[SET_SIZE]),
                difference(ACC),
                Cell::figure(pair.holm[ACC]),
                Cell::maybe(mcnemar_p(figures, board, pair)),
                difference(COVERAGE),
                Cell::figure(pair.holm[COVERAGE]),
            ]
        })
        .collect();
    Table {
        id: "differences".into(),
        title: "Paired differences".into(),
        caption: format!(
            "First minus second, with the paired interval. p: adjusted after Holm for {}{}.",
            counted(board.pairs.len(), "pair"),
            if all { "" } else { "; only neighbours of the leaderboard are listed" }
        ),
        columns: vec![
            Column::text("first", "First"),
            Column::text("second", "Second"),
            Column::new("uacc", "ΔUAcc", Unit::PercentDifference),
            Column::new("uacc_p", "p(ΔUAcc)", Unit::PValue).help("Of UAcc, both halves drawn anew, Holm."),
            Column::new("uacc_q", "q(ΔUAcc)", Unit::PValue).help("Of UAcc, after Benjamini and Hochberg: the share of false findings among all findings up to this one."),
            Column::new("set_size", "ΔSS", Unit::Difference(2)),
            Column::new("set_size_p", "p(ΔSS)", Unit::PValue).help("Of set size, both halves drawn anew, Holm."),
            Column::new("acc", "ΔAcc", Unit::PercentDifference),
            Column::new("acc_p", "p(ΔAcc)", Unit::PValue).help("Of accuracy, sign-flip test, Holm."),
            Column::new("mcnemar_p", "McNemar p", Unit::PValue).help("Mid-p of McNemar's test of accuracy, where there is one task and one strategy; not adjusted."),
            Column::new("coverage", "ΔCov", Unit::PercentDifference),
            Column::new("coverage_p", "p(ΔCov)", Unit::PValue).help("Of coverage, both halves drawn anew, Holm."),
        ],
        rows,
        ..Table::default()
    }
}

/// `McNemar`'s test needs one answer per question and model.
fn mcnemar_p(figures: &Figures<'_>, board: &Leaderboard<'_>, pair: &Pair) -> Option<f64> {
    let [task] = board.board.common.tasks.as_slice() else {
        return None;
    };
    let [strategy] = task.strategies.as_slice() else {
        return None;
    };
    let models = &board.board.common.models;
    let group = |model: usize| figures.models[models[model]].group(&task.task, strategy);
    let groups = [group(pair.a)?, group(pair.b)?];
    let rows = crate::align::common_rows(&groups.map(|group| &group.rows.table));
    let correct = [0, 1].map(|which| groups[which].correct_of(&rows[which]));
    // Questions that both test: their halves are alike but where one model left questions open.
    let both = correct[0].iter().zip(&correct[1]);
    let both: Vec<(bool, bool)> = both.filter_map(|(a, b)| (*a).zip(*b)).collect();
    let (a, b): (Vec<bool>, Vec<bool>) = both.into_iter().unzip();
    Some(mcnemar(&a, &b).mid_p)
}

/// What this many questions can detect.
fn power_table(figures: &Figures<'_>, board: &Leaderboard<'_>) -> Table {
    const POWER: f64 = 0.8;
    let alpha = 1.0 - figures.settings.resampling.level;
    // The median pair's standard error of the difference.
    // None where no pair has one, or where no question tells the median pair apart: nothing can be said
    // then of the differences that would show.
    let errors: Vec<Option<f64>> = (0..COMPARED)
        .map(|figure| {
            let resampled = &board.board.resampled;
            let difference = |pair: &Pair| resampled.difference(pair.a, pair.b, figure).ok();
            let mut errors: Vec<f64> = board
                .pairs
                .iter()
                .filter_map(difference)
                .map(|i| i.se)
                .collect();
            errors.sort_unstable_by(f64::total_cmp);
            let median = errors.get(errors.len() / 2).copied();
            median.filter(|&error| error > 0.0)
        })
        .collect();
    let panel = &board.board.common.panel;
    let strategies = panel.strategies();
    let row = |name: String, level: f64| {
        let detectable = |figure: usize| {
            let of_error = detectable_mean_difference(1, errors[figure]?, level, POWER)?;
            let Some(step) = figure_step(figure, strategies) else {
                return Some(of_error);
            };
            let least = least_difference(panel.questions(), step, level, POWER)?;
            Some(of_error.max(least))
        };
        let least = |figure: usize| Cell::maybe(detectable(figure));
        vec![
            Cell::Text(name),
            Cell::figure(level),
            least(UACC),
            least(SET_SIZE),
            least(ACC),
            least(COVERAGE),
        ]
    };
    let mut rows = vec![row("one pair".into(), alpha)];
    if board.pairs.len() > 1 {
        let level = alpha / board.pairs.len() as f64;
        rows.push(row(
            format!("all {} (Bonferroni)", counted(board.pairs.len(), "pair")),
            level,
        ));
    }
    Table {
        id: "power".into(),
        title: "Minimum detectable difference".into(),
        caption: format!(
            "With {} and {} % power, from the standard error of the median pair, both halves included.",
            counted(panel.questions(), "test question"),
            percent(POWER)
        ),
        columns: vec![
            Column::text("test", "Test of"),
            Column::new("alpha", "At level", Unit::PValue),
            Column::new("uacc", "ΔUAcc", Unit::PercentDifference),
            Column::new("set_size", "ΔSS", Unit::Difference(2)),
            Column::new("acc", "ΔAcc", Unit::PercentDifference),
            Column::new("coverage", "ΔCov", Unit::PercentDifference),
        ],
        rows,
        ..Table::default()
    }
}
