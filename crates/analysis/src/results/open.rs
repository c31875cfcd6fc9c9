//! Open questions in the results of a run.

use sureness_open::{Ends, OpenFigures};

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
        let of = |ends: fn(&sureness_open::OpenIntervals) -> Ends| {
            open.intervals.as_ref().and_then(ends)
        };
        let sets = &open.sets;
        vec![
            Cell::text(&group.task),
            Cell::count(open.n_calibration),
            Cell::count(open.n_test),
            estimate(Some(open.acc), of(|i| i.acc)),
            estimate(Some(open.one_answer_acc), of(|i| i.one_answer_acc)),
            estimate(Some(open.generated), of(|i| i.generated)),
            Cell::figure(open.meanings),
            estimate(Some(open.semantic_entropy), of(|i| i.semantic_entropy)),
            estimate(sets.set_size, of(|i| i.set_size)),
            estimate(sets.coverage, of(|i| i.coverage)),
            Cell::figure(sets.least_error_rate),
        ]
    });
    Table {
        id: "open".into(),
        title: "Open questions".into(),
        caption:
            "Accuracy is that of the most frequent answer; sets hold answers up to a threshold, \
                  and are missing where only every answer would do."
                .into(),
        columns: vec![
            Column::text("task", "Task"),
            Column::new("n_calibration", "n cal", Unit::Count),
            Column::new("n", "n test", Unit::Count),
            Column::new("acc", "Acc", Unit::Percent),
            Column::new("one_answer_acc", "One answer", Unit::Percent),
            Column::new("generated", "Generated", Unit::Percent),
            Column::new("meanings", "Meanings", Unit::Number(2)),
            Column::new("semantic_entropy", "Entropy", Unit::Number(2)),
            Column::new("set_size", "Set size", Unit::Number(2)),
            Column::new("coverage", "Coverage", Unit::Percent),
            Column::new("least_error_rate", "Least α", Unit::Percent),
        ],
        rows: rows.collect(),
        ..Table::default()
    }
}

fn estimate(value: Option<f64>, ends: Ends) -> Cell {
    match (value, ends) {
        (None, _) => Cell::Empty,
        (Some(value), None) => Cell::figure(value),
        (Some(value), Some([low, high])) => Cell::estimate(value, (low, high)),
    }
}

fn signs(model: &ModelResult) -> Table {
    let rows = groups(model).flat_map(|(group, open)| {
        open.signs.iter().map(|sign| {
            vec![
                Cell::text(&group.task),
                Cell::text(sign.name.replace('_', " ")),
                Cell::maybe(sign.auroc),
                Cell::figure(sign.aurc),
                Cell::maybe(sign.prr),
            ]
        })
    });
    Table {
        id: "open-signs".into(),
        title: "Signs of a right answer".into(),
        caption: "0.5 AUROC and 0 PRR are those of chance; a smaller AURC is better.".into(),
        columns: vec![
            Column::text("task", "Task"),
            Column::text("sign", "Sign"),
            Column::new("auroc", "AUROC", Unit::Number(3)),
            Column::new("aurc", "AURC", Unit::Number(3)),
            Column::new("prr", "PRR", Unit::Number(3)),
        ],
        rows: rows.collect(),
        ..Table::default()
    }
}
