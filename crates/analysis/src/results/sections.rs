//! The figures of a run as sections of a document.

use sureness_conformal::{Covers, Mean};
use sureness_record::OrderOf;

use super::{IntervalOr, Intervals, ModelResult, Results, TaskResult};
use crate::{Cell, Column, Section, Settings, Table, Unit};

impl Results {
    /// How the figures were made, in a sentence.
    pub fn method(&self) -> String {
        let settings = Settings {
            config: self.settings.evaluation,
            ..Settings::default()
        };
        settings.method()
    }

    /// A section per model, and one that compares several. `every_strategy` adds a table of all
    /// strategies.
    pub fn sections(&self, every_strategy: bool) -> Vec<Section> {
        let models = self.models.iter().enumerate().map(|(at, model)| Section {
            id: format!("model-{}", at + 1),
            title: model.marked_name(),
            text: several_right(model, self.settings.evaluation.covers)
                .into_iter()
                .chain(orders(model))
                .collect(),
            tables: tables(model, every_strategy),
            ..Section::default()
        });
        models.chain(comparison(&self.models)).collect()
    }
}

/// The tables of multiple-choice tasks, then those of open ones: no mean combines them.
fn tables(model: &ModelResult, every_strategy: bool) -> Vec<Table> {
    let mut tables = Vec::new();
    let open = super::open::tables(model);
    if open.is_empty() || !model.tasks.is_empty() {
        tables.push(tasks(model));
        if every_strategy {
            tables.push(strategies(model));
        }
    }
    tables.extend(open);
    tables
}

/// For each task with several right options how many of its questions have them, and the rule for these.
fn several_right(model: &ModelResult, covers: Covers) -> Vec<String> {
    let of_task = |task: &TaskResult| {
        let groups = model.groups.iter().filter(|group| group.task == task.task);
        let evaluations = groups.filter_map(|group| group.evaluation.as_ref());
        let most = evaluations.max_by_key(|evaluation| evaluation.several_right)?;
        let note = most.several_note(covers)?;
        Some(format!("{}: {note}.", task.title))
    };
    model.tasks.iter().filter_map(of_task).collect()
}

/// What the figures are made of, where options were shown in several orders.
fn orders(model: &ModelResult) -> Option<String> {
    let mut derived = model.groups.iter().filter(|group| group.is_derived());
    let group = derived.next()?;
    Some(match OrderOf::split(&group.strategy).1 {
        OrderOf::Corrected => "Figures are those without the prior of the letters; results.json has the others.".into(),
        _ => "Figures are those of probabilities averaged over the orders of the options; results.json has each order.".into(),
    })
}

/// A row per task, and the mean over the tasks.
fn tasks(model: &ModelResult) -> Table {
    let mut table = Table {
        id: "tasks".into(),
        columns: vec![
            Column::text("task", "Task"),
            Column::new("n_calibration", "n cal", Unit::Count),
            Column::new("n", "n test", Unit::Count),
            Column::new("acc", "Acc", Unit::Percent),
            Column::new("set_size", "Set size", Unit::Number(2)),
            Column::new("coverage", "Coverage", Unit::Percent),
            Column::new("uacc", "UAcc", Unit::Percent),
            Column::new("e_rate", "E", Unit::Percent),
            Column::new("f_rate", "F", Unit::Percent),
        ],
        ..Table::default()
    };
    for task in &model.tasks {
        let mut row = vec![
            Cell::text(model.marked_title(task)),
            task.n_calibration.map_or(Cell::Empty, Cell::count),
            Cell::count(task.n_test),
        ];
        row.extend(figures(task.mean.as_ref(), task.intervals.as_ref()));
        let rates = [task.e_rate, task.f_rate];
        row.extend(rates.map(|rate| Cell::maybe(task.mean.map(|_| rate))));
        table.rows.push(row);
    }
    if model.tasks.len() > 1 {
        table.rules_after = vec![model.tasks.len() - 1];
        let blank = || Cell::text("");
        let mut row = vec![Cell::text("Mean over tasks"), blank(), blank()];
        row.extend(figures(model.mean.as_ref(), model.intervals.as_ref()));
        row.extend([blank(), blank()]);
        table.rows.push(row);
    }
    table
}

/// The figures of a mean with their intervals, where there are any.
fn figures(mean: Option<&Mean>, intervals: Option<&Intervals>) -> [Cell; 4] {
    let Some(mean) = mean else {
        return std::array::from_fn(|_| Cell::Empty);
    };
    let cell = |value, interval: fn(&Intervals) -> &IntervalOr| match intervals.map(interval) {
        None => Cell::figure(value),
        Some(IntervalOr::Ends([low, high])) => Cell::estimate(value, (*low, *high)),
        Some(IntervalOr::Missing(why)) => Cell::without_interval(value, why),
    };
    [
        cell(mean.acc, |i| &i.acc),
        cell(mean.set_size, |i| &i.set_size),
        cell(mean.coverage, |i| &i.coverage),
        cell(mean.uacc, |i| &i.uacc),
    ]
}

/// A row per task and strategy, LAC and APS apart.
fn strategies(model: &ModelResult) -> Table {
    let groups = model.groups.iter().filter(|group| group.open.is_none());
    let rows = groups.map(|group| {
        let mut row = vec![Cell::text(&group.task), Cell::text(&group.strategy)];
        match &group.evaluation {
            Some(e) => {
                row.push(Cell::count(e.n_test));
                row.extend(
                    [
                        e.acc,
                        e.lac.set_size,
                        e.aps.set_size,
                        e.lac.coverage,
                        e.aps.coverage,
                        e.e_rate,
                        e.f_rate,
                    ]
                    .map(Cell::figure),
                );
            }
            None => row.resize(10, Cell::Empty),
        }
        row
    });
    Table {
        id: "strategies".into(),
        rows: rows.collect(),
        columns: vec![
            Column::text("task", "Task"),
            Column::text("strategy", "Strategy"),
            Column::new("n", "n", Unit::Count),
            Column::new("acc", "Acc", Unit::Percent),
            Column::new("lac_set_size", "SS LAC", Unit::Number(2)),
            Column::new("aps_set_size", "SS APS", Unit::Number(2)),
            Column::new("lac_coverage", "Cov LAC", Unit::Percent),
            Column::new("aps_coverage", "Cov APS", Unit::Percent),
            Column::new("e_rate", "E", Unit::Percent),
            Column::new("f_rate", "F", Unit::Percent),
        ],
        ..Table::default()
    }
}

/// A table of models by tasks for each figure, where there are several models.
fn comparison(models: &[ModelResult]) -> Option<Section> {
    let [first, _, ..] = models else {
        return None;
    };
    let table = |key: &str, title: &str, unit, figure: fn(&Mean) -> f64| {
        let cell = |mean: Option<&Mean>| Cell::maybe(mean.map(figure));
        let rows = models.iter().map(|model| {
            let mut row = vec![Cell::text(model.marked_name())];
            row.extend(model.tasks.iter().map(|task| cell(task.mean.as_ref())));
            row.push(cell(model.mean.as_ref()));
            row
        });
        let mut columns = vec![Column::text("model", "Model")];
        let tasks = first.tasks.iter().map(|task| task.task.as_str());
        columns.extend(
            tasks
                .chain(["mean"])
                .map(|task| Column::new(task, task, unit)),
        );
        Table {
            id: key.into(),
            title: title.into(),
            columns,
            rows: rows.collect(),
            ..Table::default()
        }
    };
    Some(Section {
        id: "comparison".into(),
        title: "Model comparison".into(),
        tables: vec![
            table("acc", "Acc", Unit::Percent, |m| m.acc),
            table("set_size", "Set size", Unit::Number(2), |m| m.set_size),
            table("coverage", "Coverage", Unit::Percent, |m| m.coverage),
            table("uacc", "UAcc", Unit::Percent, |m| m.uacc),
        ],
        ..Section::default()
    })
}
