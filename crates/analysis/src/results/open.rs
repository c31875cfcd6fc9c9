//! Open questions in the results of a run.

use sureness_conformal::NoInterval;
use sureness_open::{Ends, OpenFigures, OpenIntervals, Sign, SignIntervals};

use super::{GroupResult, ModelResult};
use crate::{Cell, Column, Table, Unit, answering};

/// The open tasks of a model with their figures.
fn groups(model: &ModelResult) -> impl Iterator<Item = (&GroupResult, &OpenFigures)> {
    let groups = model.groups.iter();
    groups.filter_map(|group| Some((group, group.open.as_ref()?)))
}

/// A table of the figures of open tasks, and one of how well each sign tells right from wrong answers;
/// none without such tasks.
pub(super) fn tables(model: &ModelResult) -> Vec<Table> {
    if groups(model).next().is_none() {
        return Vec::new();
    }
    let mut tables = vec![figures(model), signs(model)];
    let rows = groups(model)
        .filter_map(|(group, open)| Some((vec![Cell::text(&group.task)], open.promises?)));
    tables.extend(answering::table(vec![Column::text("task", "Task")], rows));
    tables
}

fn figures(model: &ModelResult) -> Table {
    let rows = groups(model).map(|(group, open)| {
        let task = std::iter::once(Cell::text(&group.task));
        task.chain(figure_cells(open)).collect()
    });
    Table {
        rows: rows.collect(),
        ..figure_table(vec![Column::text("task", "Task")])
    }
}

/// The table of figures, still without rows; `names` are the columns in front of [`figure_cells`].
pub(crate) fn figure_table(names: Vec<Column>) -> Table {
    let figures = [
        Column::new("n_calibration", "n cal", Unit::Count),
        Column::new("n", "n test", Unit::Count),
        Column::new("acc", "Acc", Unit::Percent)
            .help("Share of questions whose most frequent answer is accepted."),
        Column::new("one_answer_acc", "One answer", Unit::Percent)
            .help("Mean share of accepted answers: how often a single answer is right."),
        Column::new("generated", "Generated", Unit::Percent)
            .help("Share of questions to which an accepted answer was drawn at all."),
        Column::new("meanings", "Meanings", Unit::Number(2))
            .help("Mean number of different meanings of a question's answers."),
        Column::new("semantic_entropy", "Entropy", Unit::Number(2))
            .help("Mean semantic entropy, in nats."),
        Column::new("set_size", "Set size", Unit::Number(2))
            .help("Mean number of meanings in a set; missing where only every answer would do."),
        Column::new("coverage", "Coverage", Unit::Percent)
            .help("Share of sets that hold an accepted answer; missing as the set size."),
        Column::new("least_error_rate", "Least α", Unit::Percent)
            .help("The smallest error rate that sets of these answers can promise."),
    ];
    Table {
        id: "open".into(),
        title: "Open questions".into(),
        caption:
            "Accuracy is that of the most frequent answer; sets hold answers up to a threshold, \
             and are missing where only every answer would do."
                .into(),
        columns: names.into_iter().chain(figures).collect(),
        ..Table::default()
    }
}

/// The figures of one group.
pub(crate) fn figure_cells(open: &OpenFigures) -> Vec<Cell> {
    let intervals = open.intervals.as_ref();
    let cell = |value: f64, ends: fn(&OpenIntervals) -> Ends| {
        estimate(value, intervals.and_then(ends), "too few")
    };
    // Results of earlier versions do not say why.
    let reason = match intervals.map(|intervals| intervals.no_sets) {
        Some(None | Some(NoInterval::Full)) => "full sets",
        Some(Some(NoInterval::TooFew)) | None => "too few",
    };
    let of_sets = |value: Option<f64>, ends: fn(&OpenIntervals) -> Ends| {
        let ends = intervals.and_then(ends);
        value.map_or(Cell::Empty, |value| estimate(value, ends, reason))
    };
    let sets = &open.sets;
    vec![
        Cell::count(open.n_calibration),
        Cell::count(open.n_test),
        cell(open.acc, |i| i.acc),
        cell(open.one_answer_acc, |i| i.one_answer_acc),
        cell(open.generated, |i| i.generated),
        Cell::figure(open.meanings),
        cell(open.semantic_entropy, |i| i.semantic_entropy),
        of_sets(sets.set_size, |i| i.set_size),
        of_sets(sets.coverage, |i| i.coverage),
        Cell::figure(sets.least_error_rate),
    ]
}

/// A figure with its interval, or the reason why it has none.
fn estimate(value: f64, ends: Ends, reason: &str) -> Cell {
    match ends {
        None => Cell::without_interval(value, reason),
        Some([low, high]) => Cell::estimate(value, (low, high)),
    }
}

fn signs(model: &ModelResult) -> Table {
    let rows = groups(model).flat_map(|(group, open)| {
        let row = |sign| {
            let task = std::iter::once(Cell::text(&group.task));
            task.chain(sign_cells(sign)).collect()
        };
        open.signs.iter().map(row)
    });
    Table {
        rows: rows.collect(),
        ..sign_table(vec![Column::text("task", "Task")])
    }
}

/// The table of signs, still without rows; `names` are the columns in front of [`sign_cells`].
pub(crate) fn sign_table(names: Vec<Column>) -> Table {
    let figures = [
        Column::text("sign", "Sign"),
        Column::new("auroc", "AUROC", Unit::Number(3))
            .help("How often the model is surer of a right answer than of a wrong one."),
        Column::new("aurc", "AURC", Unit::Number(3)).help("Area under the risk-coverage curve."),
        Column::new("prr", "PRR", Unit::Number(3))
            .help("Part of a perfect ranking's gain over a random one."),
    ];
    Table {
        id: "open-signs".into(),
        title: "Signs of a right answer".into(),
        caption: "0.5 AUROC and 0 PRR are those of chance; a smaller AURC is better.".into(),
        columns: names.into_iter().chain(figures).collect(),
        ..Table::default()
    }
}

/// The figures of one sign.
pub(crate) fn sign_cells(sign: &Sign) -> Vec<Cell> {
    let intervals = sign.intervals.as_ref();
    let cell = |value: f64, ends: fn(&SignIntervals) -> Ends| {
        estimate(value, intervals.and_then(ends), "too few")
    };
    vec![
        Cell::text(sign.name.replace('_', " ")),
        sign.auroc.map_or(Cell::Empty, |it| cell(it, |i| i.auroc)),
        cell(sign.aurc, |i| i.aurc),
        sign.prr.map_or(Cell::Empty, |it| cell(it, |i| i.prr)),
    ]
}
