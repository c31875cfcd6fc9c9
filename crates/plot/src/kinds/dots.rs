//! Values with intervals, a row for each label.

use sureness_analysis::{Axis, Dot, Reference};

use super::{nothing, row_name, row_names};
use crate::axis::{Domain, Scale, Tick, usable};
use crate::canvas::{Anchor, Canvas, Text};
use crate::legend::{self, Entry, Sample};
use crate::marks::{self, Direction, in_order};
use crate::number;
use crate::panel::{horizontal_ticks, x_axis, x_labels};
use crate::style::Context;

/// From so many rows on the tick labels are repeated above.
const TALL: usize = 18;

struct Rows<'a> {
    labels: Vec<&'a str>,
    series: Vec<&'a str>,
}

pub(super) fn draw(
    canvas: &mut Canvas,
    ctx: &Context,
    top: f64,
    axis: &Axis,
    dots: &[Dot],
    reference: Option<Reference>,
) -> f64 {
    let rows = Rows {
        labels: in_order(dots.iter().map(|dot| dot.label.as_str())),
        series: in_order(dots.iter().map(|dot| dot.series.as_str())),
    };
    if rows.labels.is_empty() {
        return nothing(canvas, ctx, top);
    }
    let several = rows.series.len() > 1;
    let top = key(canvas, ctx, top, axis, &rows, reference);
    let names: Vec<String> = rows.labels.iter().map(|&label| label.to_owned()).collect();
    let (shown, widest) = row_names(ctx, &names, 0.36);
    // With one series the values stand in a column of their own.
    let values: Vec<String> = dots
        .iter()
        .map(|dot| number::value(dot.value, axis.unit))
        .collect();
    let column = values
        .iter()
        .map(|value| ctx.small_width(value))
        .fold(0.0, f64::max);
    let right = ctx.right()
        - if several {
            0.5 * ctx.em
        } else {
            column + 1.2 * ctx.em
        };
    let left = ctx.margin() + widest + 1.1 * ctx.em;
    let x = Scale::new(
        domain(axis, dots, reference),
        left,
        right.max(left + 4.0 * ctx.em),
    );
    let ticks = horizontal_ticks(ctx, &x, axis.unit);

    let lane = if several { 0.85 * ctx.em } else { 0.0 };
    let pitch = (1.75 * ctx.em).max(lane * rows.series.len() as f64 + 0.9 * ctx.em);
    let tall = rows.labels.len() >= TALL;
    let first = top + if tall { 1.6 * ctx.em } else { 0.3 * ctx.em };
    let bottom = first + pitch * rows.labels.len() as f64;
    if tall {
        x_labels(canvas, ctx, &x, &ticks, first - 0.55 * ctx.em);
    }
    grid(canvas, ctx, &x, &ticks, (first, bottom), axis);
    for (row, (label, shown)) in rows.labels.iter().zip(&shown).enumerate() {
        let middle = first + pitch * (row as f64 + 0.5);
        row_name(canvas, ctx, (left - 0.8 * ctx.em, middle), shown, label);
        let thin = (ctx.palette.grid, 0.06 * ctx.em);
        canvas.rule((x.from, middle), (x.to, middle), thin);
        let seen = |dot: &Dot| dot.label == **label && usable(dot.value, axis.log).is_some();
        if several && !dots.iter().any(seen) {
            let place = (x.from + 0.5 * ctx.em, middle + ctx.drop());
            let text = Text::muted(ctx, place.0, place.1, Anchor::Start, "no value");
            canvas.text(&text);
        }
    }
    if let Some(Reference::At(value)) = reference
        && let Some(value) = usable(value, axis.log)
    {
        let at = x.at(value);
        let path = canvas.path(&[(at, first), (at, bottom)], false);
        marks::rule(path, ctx);
    }
    for (dot, value) in dots.iter().zip(&values) {
        let row = place_of(&rows.labels, &dot.label);
        let series = place_of(&rows.series, &dot.series);
        let middle = first + pitch * (row as f64 + 0.5);
        let aside = series as f64 - (rows.series.len() as f64 - 1.0) / 2.0;
        draw_dot(canvas, ctx, &x, dot, series, middle + lane * aside);
        if !several {
            let text = Text::small(ctx, ctx.right(), middle + ctx.drop(), Anchor::End, value);
            if first_of_its_row(dots, dot) {
                canvas.text(&text);
            }
        }
    }
    x_axis(canvas, ctx, &x, axis, &ticks, bottom)
}

fn place_of(names: &[&str], name: &str) -> usize {
    names.iter().position(|known| *known == name).unwrap_or(0)
}

/// Of several values of one label, the first stands beside the row.
fn first_of_its_row(dots: &[Dot], dot: &Dot) -> bool {
    dots.iter()
        .find(|other| other.label == dot.label)
        .is_some_and(|first| std::ptr::eq(first, dot))
}

fn key(
    canvas: &mut Canvas,
    ctx: &Context,
    top: f64,
    axis: &Axis,
    rows: &Rows<'_>,
    reference: Option<Reference>,
) -> f64 {
    let mut entries = Vec::new();
    if rows.series.len() > 1 {
        for (i, &name) in rows.series.iter().enumerate() {
            let name = if name.is_empty() { "other" } else { name };
            entries.push(Entry::new(Sample::Marker(i), crate::text::clean(name)));
        }
    }
    // Dots have one axis: only a fixed value can be compared with.
    if let Some(reference @ Reference::At(_)) = reference {
        entries.extend(Entry::reference(reference, axis));
    }
    legend::draw(canvas, ctx, &entries, (ctx.margin(), ctx.right()), top)
}

fn domain(axis: &Axis, dots: &[Dot], reference: Option<Reference>) -> Domain {
    let mut values: Vec<f64> = dots.iter().map(|dot| dot.value).collect();
    if let Some(Reference::At(value)) = reference {
        values.push(value);
    }
    let ends: Vec<f64> = dots
        .iter()
        .flat_map(|dot| marks::ends(dot.interval, axis.log))
        .collect();
    Domain::of(axis, &values, &ends)
}

fn grid(
    canvas: &mut Canvas,
    ctx: &Context,
    x: &Scale,
    ticks: &[Tick],
    (first, bottom): (f64, f64),
    axis: &Axis,
) {
    for tick in ticks {
        let at = x.at(tick.value);
        let stroke = if crate::panel::is_zero(tick, axis.unit) {
            ctx.palette.axis
        } else {
            ctx.palette.grid
        };
        canvas
            .line((at, first), (at, bottom), stroke, 0.08 * ctx.em)
            .end();
    }
}

fn draw_dot(canvas: &mut Canvas, ctx: &Context, x: &Scale, dot: &Dot, series: usize, y: f64) {
    let mut tip = dot.label.clone();
    if !dot.series.is_empty() {
        tip = format!("{tip}, {}", dot.series);
    }
    let Some(value) = usable(dot.value, x.domain.log) else {
        return;
    };
    canvas.open(Some(&tip));
    if let Some(span) = marks::span(dot.interval, x) {
        let colour = ctx.palette.series(series);
        marks::whisker(canvas, ctx, span, y, Direction::Across, colour, 1.0);
    }
    marks::marker(canvas, ctx, series, (x.at(value), y), 0.34 * ctx.em);
    canvas.close();
}
