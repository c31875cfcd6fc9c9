//! Tables for the terminal.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, LineStyle, Table};
use sureness_conformal::Mean;

use crate::{IntervalOr, Intervals, ModelResult};

/// One model: a row per task, and the mean over the tasks.
pub fn task_table(model: &ModelResult) -> String {
    let mut table = new_table(&[
        "Task",
        "n cal",
        "n test",
        "Acc %",
        "Set size",
        "Coverage %",
        "UAcc %",
        "E %",
        "F %",
    ]);
    for t in &model.tasks {
        let mut row = vec![
            t.title.clone(),
            t.n_calibration
                .map_or_else(|| "–".to_owned(), |n| n.to_string()),
            t.n_test.to_string(),
        ];
        row.extend(mean_cells(t.mean.as_ref(), t.intervals.as_ref()));
        let rates = [t.e_rate, t.f_rate];
        row.extend(rates.map(|r| {
            if t.mean.is_some() {
                percent(r)
            } else {
                "–".into()
            }
        }));
        table.add_row(row);
    }
    if model.tasks.len() > 1 {
        table.add_row([""]);
        let mut row = vec!["Mean over tasks".to_owned(), String::new(), String::new()];
        row.extend(mean_cells(model.mean.as_ref(), model.intervals.as_ref()));
        row.extend([String::new(), String::new()]);
        table.add_row(row);
    }
    shown(table, 1)
}

/// One model: a row per task and strategy, LAC and APS apart.
pub fn strategy_table(model: &ModelResult) -> String {
    let mut table = new_table(&[
        "Task",
        "Strategy",
        "n",
        "Acc %",
        "SS LAC",
        "SS APS",
        "Cov LAC %",
        "Cov APS %",
        "E %",
        "F %",
    ]);
    for g in &model.groups {
        let mut row = vec![g.task.clone(), g.strategy.clone()];
        match &g.evaluation {
            Some(e) => row.extend([
                e.n_test.to_string(),
                percent(e.acc),
                format!("{:.2}", e.lac.set_size),
                format!("{:.2}", e.aps.set_size),
                percent(e.lac.coverage),
                percent(e.aps.coverage),
                percent(e.e_rate),
                percent(e.f_rate),
            ]),
            None => row.extend(std::iter::repeat_n("–".to_owned(), 8)),
        }
        table.add_row(row);
    }
    shown(table, 2)
}

/// A mean's figure as text.
type Figure = fn(&Mean) -> String;

/// Several models: for each figure a block of models by tasks.
pub fn comparison_table(models: &[ModelResult]) -> String {
    let Some(first) = models.first() else {
        return String::new();
    };
    let mut header = vec!["Model", "Figure"];
    header.extend(first.tasks.iter().map(|t| t.task.as_str()));
    header.push("mean");
    let mut table = new_table(&header);
    let figures: [(&str, Figure); 4] = [
        ("Acc %", |m| percent(m.acc)),
        ("Set size", |m| format!("{:.2}", m.set_size)),
        ("Coverage %", |m| percent(m.coverage)),
        ("UAcc %", |m| percent(m.uacc)),
    ];
    for (at, (name, figure)) in figures.into_iter().enumerate() {
        if at > 0 {
            table.add_row([""]);
        }
        for model in models {
            let mut row = vec![model.name.clone(), name.to_owned()];
            let cell = |m: Option<&Mean>| m.map_or_else(|| "–".to_owned(), figure);
            row.extend(model.tasks.iter().map(|t| cell(t.mean.as_ref())));
            row.push(cell(model.mean.as_ref()));
            table.add_row(row);
        }
    }
    shown(table, 2)
}

fn new_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(NOTHING.header_separator(LineStyle::none().fill('─')))
        .set_header(header);
    table
}

/// The table as text; the columns from `text` on hold figures, aligned to the right.
fn shown(mut table: Table, text: usize) -> String {
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if at == 0 { 0 } else { 2 }, 0));
        if at >= text {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// Figures, each above its interval.
fn mean_cells(mean: Option<&Mean>, intervals: Option<&Intervals>) -> [String; 4] {
    let Some(m) = mean else {
        return ["–"; 4].map(str::to_owned);
    };
    let size = |x: f64| format!("{x:.2}");
    let with =
        |value: String, interval: Option<&IntervalOr>, show: &dyn Fn(f64) -> String| match interval
        {
            None => value,
            Some(IntervalOr::Ends([low, high])) => {
                format!("{value}\n[{}, {}]", show(*low), show(*high))
            }
            Some(IntervalOr::Missing(why)) => format!("{value}\n[{why}]"),
        };
    let of = intervals;
    [
        with(percent(m.acc), of.map(|i| &i.acc), &percent),
        with(size(m.set_size), of.map(|i| &i.set_size), &size),
        with(percent(m.coverage), of.map(|i| &i.coverage), &percent),
        with(percent(m.uacc), of.map(|i| &i.uacc), &percent),
    ]
}

fn percent(fraction: f64) -> String {
    format!("{:.1}", fraction * 100.0)
}
