//! A table of colours.

use sureness_analysis::{Scale, Unit};

use super::{nothing, row_name, row_names};
use crate::axis::usable;
use crate::canvas::{Anchor, Canvas, Text};
use crate::color::{Palette, Rgb, ramp};
use crate::number;
use crate::style::Context;
use crate::text::{MIDDLE, Weight, clean, shorten_all, width};

mod columns;
mod key;

use columns::Columns;

/// What is drawn.
pub(super) struct Data<'a> {
    pub id: &'a str,
    pub rows: &'a [String],
    pub columns: &'a [String],
    pub values: &'a [Vec<Option<f64>>],
    pub unit: Unit,
    pub scale: Scale,
}

/// How values become colours, with ends that are numbers.
struct Colours {
    low: f64,
    high: f64,
    stops: &'static [Rgb; 5],
}

/// How the values in cells are written.
struct Writing {
    size: f64,
    fewer: usize,
}

pub(super) fn draw(canvas: &mut Canvas, ctx: &Context, top: f64, data: &Data<'_>) -> f64 {
    if data.rows.is_empty() || data.columns.is_empty() {
        return nothing(canvas, ctx, top);
    }
    let colours = Colours::new(ctx, data);
    let top = key::draw(canvas, ctx, top, data, &colours);
    let (names, widest) = row_names(ctx, data.rows, 0.3);
    let left = ctx.margin() + widest + 0.7 * ctx.em;
    let columns = Columns::new(ctx, data.columns, left);
    let first = columns.draw(canvas, ctx, top);
    let cell = (columns.cell, row_height(ctx, data.rows.len(), columns.cell));
    let writing = writing(ctx, data, cell);
    for (i, (name, shown)) in data.rows.iter().zip(&names).enumerate() {
        let y = first + cell.1 * i as f64;
        let middle = y + cell.1 / 2.0;
        row_name(canvas, ctx, (left - 0.6 * ctx.em, middle), shown, name);
        for (j, column) in data.columns.iter().enumerate() {
            let corner = (left + cell.0 * j as f64, y);
            match data.at(i, j) {
                Some(value) => {
                    let colour = colours.of(value);
                    let tip = writing
                        .is_none()
                        .then(|| format!("{name}, {column}: {}", number::value(value, data.unit)));
                    if tip.is_some() {
                        canvas.open(tip.as_deref());
                    }
                    field(canvas, ctx, corner, cell, colour);
                    if tip.is_some() {
                        canvas.close();
                    }
                    if let Some(writing) = &writing {
                        write(canvas, ctx, corner, cell, value, data.unit, writing, colour);
                    }
                }
                None => missing(canvas, ctx, corner, cell),
            }
        }
    }
    first + cell.1 * data.rows.len() as f64 + 0.3 * ctx.em
}

impl Data<'_> {
    fn at(&self, row: usize, column: usize) -> Option<f64> {
        let value = (*self.values.get(row)?.get(column)?)?;
        usable(value, false)
    }

    /// All values that belong to a cell.
    fn all(&self) -> impl Iterator<Item = f64> {
        (0..self.rows.len()).flat_map(move |row| {
            (0..self.columns.len()).filter_map(move |column| self.at(row, column))
        })
    }
}

impl Colours {
    fn new(ctx: &Context, data: &Data<'_>) -> Self {
        let ends = data.all().fold(None, |ends: Option<(f64, f64)>, value| {
            let (low, high) = ends.unwrap_or((value, value));
            Some((low.min(value), high.max(value)))
        });
        let (least, most) = ends.unwrap_or((0.0, 1.0));
        match data.scale {
            Scale::Sequential(low, high) => {
                let good = usable(low, false).is_some()
                    && usable(high, false).is_some()
                    && (high - low).abs() > 0.0;
                let (low, high) = if good { (low, high) } else { (least, most) };
                let high = if (high - low).abs() > 0.0 {
                    high
                } else {
                    low + 1.0
                };
                Self {
                    low,
                    high,
                    stops: &ctx.palette.sequential,
                }
            }
            Scale::Diverging(reach) => {
                let reach = if usable(reach, false).is_some_and(|reach| reach > 0.0) {
                    reach
                } else {
                    least.abs().max(most.abs())
                };
                let reach = if reach > 0.0 { reach } else { 1.0 };
                Self {
                    low: -reach,
                    high: reach,
                    stops: &ctx.palette.diverging,
                }
            }
        }
    }

    fn of(&self, value: f64) -> Rgb {
        ramp(self.stops, (value - self.low) / (self.high - self.low))
    }
}

/// Square where columns are narrow, and never lower than the name beside it.
fn row_height(ctx: &Context, rows: usize, cell: f64) -> f64 {
    let most = if rows > 20 {
        1.8 * ctx.em
    } else {
        2.2 * ctx.em
    };
    cell.clamp(1.4 * ctx.small, most)
}

/// The most exact writing of values that fits into every cell, if there is one.
fn writing(ctx: &Context, data: &Data<'_>, cell: (f64, f64)) -> Option<Writing> {
    let spare = number::spare_decimals(data.unit);
    let choices = [
        (0, 1.0),
        (0, 0.88),
        (spare, 1.0),
        (spare, 0.88),
        (0, 0.74),
        (spare, 0.74),
    ];
    choices
        .into_iter()
        .map(|(fewer, share)| Writing {
            size: share * ctx.small,
            fewer,
        })
        .find(|writing| {
            let room = cell.0 - 0.6 * ctx.em;
            let fits = |value: f64| {
                let words = number::bare(value, data.unit, writing.fewer);
                width(&words, writing.size, Weight::Regular) <= room
            };
            writing.size <= 0.75 * cell.1 && data.all().all(fits)
        })
}

fn field(canvas: &mut Canvas, ctx: &Context, corner: (f64, f64), cell: (f64, f64), colour: Rgb) {
    let gap = gap(ctx, cell);
    canvas
        .rect(
            (corner.0 + gap / 2.0, corner.1 + gap / 2.0),
            (cell.0 - gap, cell.1 - gap),
            colour,
        )
        .end();
}

fn gap(ctx: &Context, cell: (f64, f64)) -> f64 {
    (0.08 * ctx.em).min(0.12 * cell.0)
}

/// A cell without a value: an empty frame with a stroke through it.
fn missing(canvas: &mut Canvas, ctx: &Context, (x, y): (f64, f64), cell: (f64, f64)) {
    let gap = gap(ctx, cell);
    let (right, bottom) = (x + cell.0 - gap, y + cell.1 - gap);
    canvas
        .rect(
            (x + gap, y + gap),
            (cell.0 - 2.0 * gap, cell.1 - 2.0 * gap),
            "none",
        )
        .word("stroke", &ctx.palette.grid.to_string())
        .number("stroke-width", 0.08 * ctx.em)
        .end();
    let line = (ctx.palette.grid, 0.08 * ctx.em);
    canvas.rule((x + gap, bottom), (right, y + gap), line);
}

#[expect(clippy::too_many_arguments, reason = "all that one cell consists of")]
fn write(
    canvas: &mut Canvas,
    ctx: &Context,
    corner: (f64, f64),
    cell: (f64, f64),
    value: f64,
    unit: Unit,
    writing: &Writing,
    colour: Rgb,
) {
    let words = number::bare(value, unit, writing.fewer);
    let text = Text {
        size: writing.size,
        fill: Palette::ink_on(colour).to_string(),
        ..Text::small(
            ctx,
            corner.0 + cell.0 / 2.0,
            corner.1 + cell.1 / 2.0 + MIDDLE * writing.size,
            Anchor::Middle,
            &words,
        )
    };
    canvas.text(&text);
}
