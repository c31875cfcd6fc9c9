//! The values of a chart as a table.

use sureness_analysis::{Axis, Cell, Chart, ChartKind, Column, Dot, Line, Mark, Table, Unit};

/// Every value that the chart shows, one row per mark.
pub(super) fn of(chart: &Chart) -> Table {
    let (columns, rows) = match &chart.kind {
        ChartKind::Dots { axis, rows, .. } => dots(axis, rows),
        ChartKind::Lines { x, y, lines, .. } => line_points(x, y, lines),
        ChartKind::Scatter { x, y, points, .. } => marks(x, y, points),
        ChartKind::Heatmap {
            rows,
            columns,
            values,
            unit,
            ..
        } => grid(rows, columns, *unit, |row| {
            values
                .get(row)
                .map(|cells| cells.iter().map(|v| Cell::maybe(*v)).collect())
                .unwrap_or_default()
        }),
        ChartKind::Stacks {
            axis,
            segments,
            bars,
        } => {
            let labels: Vec<String> = bars.iter().map(|bar| bar.label.clone()).collect();
            let names: Vec<String> = segments.iter().map(|s| s.name.clone()).collect();
            grid(&labels, &names, axis.unit, |row| {
                bars.get(row)
                    .map(|bar| bar.shares.iter().map(|v| Cell::figure(*v)).collect())
                    .unwrap_or_default()
            })
        }
        ChartKind::Reliability { bins } => (
            vec![
                Column::new("low", "Confidence from", Unit::Percent),
                Column::new("high", "to", Unit::Percent),
                Column::new("confidence", "Mean confidence", Unit::Percent),
                Column::new("accuracy", "Accuracy", Unit::Percent),
                Column::new("n", "n", Unit::Count),
            ],
            bins.iter()
                .map(|bin| {
                    let empty = bin.count == 0;
                    let shown = |v: f64| if empty { Cell::Empty } else { Cell::figure(v) };
                    vec![
                        Cell::figure(bin.range.0),
                        Cell::figure(bin.range.1),
                        shown(bin.confidence),
                        shown(bin.accuracy),
                        Cell::count(bin.count),
                    ]
                })
                .collect(),
        ),
    };
    Table {
        model: None,
        id: "values".to_owned(),
        title: format!("Values of “{}”", chart.title),
        caption: String::new(),
        columns,
        rows,
        rules_after: Vec::new(),
    }
}

type Parts = (Vec<Column>, Vec<Vec<Cell>>);

fn value(value: f64, interval: Option<(f64, f64)>) -> Cell {
    interval.map_or_else(
        || Cell::figure(value),
        |interval| Cell::estimate(value, interval),
    )
}

fn dots(axis: &Axis, dots: &[Dot]) -> Parts {
    let series = dots.iter().any(|dot| !dot.series.is_empty());
    let mut columns = vec![Column::text("label", "Name")];
    if series {
        columns.push(Column::text("series", "Series"));
    }
    columns.push(Column::new("value", &axis.title, axis.unit));
    let rows = dots
        .iter()
        .map(|dot| {
            let mut row = vec![Cell::text(&dot.label)];
            if series {
                row.push(Cell::text(&dot.series));
            }
            row.push(value(dot.value, dot.interval));
            row
        })
        .collect();
    (columns, rows)
}

fn line_points(x: &Axis, y: &Axis, lines: &[Line]) -> Parts {
    let columns = vec![
        Column::text("line", "Line"),
        Column::new("x", &x.title, x.unit),
        Column::new("y", &y.title, y.unit),
    ];
    let rows = lines
        .iter()
        .flat_map(|line| {
            line.points.iter().map(|point| {
                vec![
                    Cell::text(&line.name),
                    Cell::figure(point.x),
                    value(point.y, point.interval),
                ]
            })
        })
        .collect();
    (columns, rows)
}

fn marks(x: &Axis, y: &Axis, marks: &[Mark]) -> Parts {
    let series = marks.iter().any(|mark| !mark.series.is_empty());
    let mut columns = vec![Column::text("label", "Name")];
    if series {
        columns.push(Column::text("series", "Series"));
    }
    columns.push(Column::new("x", &x.title, x.unit));
    columns.push(Column::new("y", &y.title, y.unit));
    let rows = marks
        .iter()
        .map(|mark| {
            let mut row = vec![Cell::text(&mark.label)];
            if series {
                row.push(Cell::text(&mark.series));
            }
            row.push(value(mark.x, mark.x_interval));
            row.push(value(mark.y, mark.y_interval));
            row
        })
        .collect();
    (columns, rows)
}

/// A column per name, a row per label; `cells` gives a row's values, as many as there are.
fn grid(
    labels: &[String],
    names: &[String],
    unit: Unit,
    cells: impl Fn(usize) -> Vec<Cell>,
) -> Parts {
    let mut columns = vec![Column::text("name", "Name")];
    columns.extend(
        names
            .iter()
            .enumerate()
            .map(|(at, name)| Column::new(&format!("column_{at}"), name, unit)),
    );
    let rows = labels
        .iter()
        .enumerate()
        .map(|(at, label)| {
            let mut row = vec![Cell::text(label)];
            row.extend(cells(at));
            row.resize(names.len() + 1, Cell::Empty);
            row
        })
        .collect();
    (columns, rows)
}
