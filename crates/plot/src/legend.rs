//! The key to colours, shapes and lines: above what it explains, in columns, never over data.

use sureness_analysis::{Axis, Reference};

use crate::canvas::{Anchor, Canvas, Text};
use crate::color::Rgb;
use crate::marks;
use crate::number;
use crate::style::Context;
use crate::text::{shorten, shorten_all};

/// What stands before a name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Sample {
    /// The mark of a series.
    Marker(usize),
    /// The line of a series.
    Line(usize),
    /// A filled field.
    Field(Rgb),
    /// The line that is compared with.
    Rule,
    /// The line through points.
    Trend,
}

/// One line of the key.
pub(crate) struct Entry {
    pub sample: Sample,
    pub words: String,
}

impl Entry {
    pub(crate) fn new(sample: Sample, words: impl Into<String>) -> Self {
        Self {
            sample,
            words: words.into(),
        }
    }

    /// The reference, in words.
    pub(crate) fn reference(reference: Reference, axis: &Axis) -> Option<Self> {
        let words = match reference {
            // The zero of differences has a line and a tick of its own.
            Reference::At(value) if value == 0.0 && !number::suffix(axis.unit).is_empty() => {
                return None;
            }
            Reference::At(value) if value.is_finite() => {
                format!("reference: {}", number::value(value, axis.unit))
            }
            Reference::Diagonal => "y = x".to_owned(),
            Reference::Falling(from) if from.is_finite() => {
                format!("y = {} − x", number::tick(from, axis.unit, 0.01))
            }
            Reference::At(_) | Reference::Falling(_) => return None,
        };
        Some(Self::new(Sample::Rule, words))
    }
}

/// Draws the key between two edges and says where the rest may begin.
pub(crate) fn draw(
    canvas: &mut Canvas,
    ctx: &Context,
    entries: &[Entry],
    (left, right): (f64, f64),
    top: f64,
) -> f64 {
    if entries.is_empty() {
        return top;
    }
    let room = right - left;
    let sample = sample_width(entries, ctx);
    let gap = 1.6 * ctx.em;
    let names: Vec<String> = entries.iter().map(|entry| entry.words.clone()).collect();
    let shown = shorten_all(&names, ctx.small, room / 2.0 - sample - gap);
    // On one line each takes the room it needs; on several they stand in columns.
    let own: Vec<f64> = entries
        .iter()
        .map(|entry| sample_width(std::slice::from_ref(entry), ctx))
        .collect();
    let widths: Vec<f64> = shown
        .iter()
        .zip(&own)
        .map(|(words, own)| own + ctx.small_width(words) + gap)
        .collect();
    let one_line = widths.iter().sum::<f64>() - gap <= room;
    let column = shown
        .iter()
        .map(|words| sample + ctx.small_width(words) + gap)
        .fold(0.0, f64::max);
    let columns = ((room + gap) / column).floor().max(1.0) as usize;
    let height = 1.45 * ctx.small;
    let mut x = left;
    let mut y = top + 0.5 * height;
    for (i, (entry, words)) in entries.iter().zip(&shown).enumerate() {
        let before = if one_line { own[i] } else { sample };
        if !one_line {
            x = left + column * (i % columns) as f64;
            y = top + (0.5 + (i / columns) as f64) * height;
        }
        draw_sample(canvas, ctx, entry.sample, (x, y), before);
        canvas.text(
            &Text::small(ctx, x + before, y + ctx.drop(), Anchor::Start, words)
                .standing_for(&entry.words),
        );
        x += widths[i];
    }
    y + 0.5 * height + 0.6 * ctx.em
}

/// Draws the key beneath each other.
pub(crate) fn draw_column(
    canvas: &mut Canvas,
    ctx: &Context,
    entries: &[Entry],
    (left, right): (f64, f64),
    top: f64,
) {
    let sample = sample_width(entries, ctx);
    let height = 1.6 * ctx.small;
    for (i, entry) in entries.iter().enumerate() {
        let y = top + (i as f64 + 0.5) * height;
        draw_sample(canvas, ctx, entry.sample, (left, y), sample);
        let shown = shorten(&entry.words, ctx.small, right - left - sample);
        canvas.text(
            &Text::small(ctx, left + sample, y + ctx.drop(), Anchor::Start, &shown)
                .standing_for(&entry.words),
        );
    }
}

fn sample_width(entries: &[Entry], ctx: &Context) -> f64 {
    let lines = entries
        .iter()
        .any(|entry| matches!(entry.sample, Sample::Line(_) | Sample::Rule | Sample::Trend));
    if lines { 2.9 * ctx.em } else { 1.35 * ctx.em }
}

/// Draws a sample whose left end is at a place.
pub(crate) fn draw_sample(
    canvas: &mut Canvas,
    ctx: &Context,
    sample: Sample,
    (x, y): (f64, f64),
    width: f64,
) {
    let end = x + width - 0.5 * ctx.em;
    match sample {
        Sample::Marker(series) => {
            marks::marker(canvas, ctx, series, (x + 0.4 * ctx.em, y), 0.33 * ctx.em);
        }
        Sample::Line(series) => {
            let line = canvas.path(&[(x, y), (end, y)], false);
            marks::stroke(line, ctx, series, marks::STROKE);
        }
        Sample::Rule => {
            let line = canvas.path(&[(x, y), (end, y)], false);
            marks::rule(line, ctx);
        }
        Sample::Trend => {
            let line = canvas.path(&[(x, y), (end, y)], false);
            marks::trend(line, ctx);
        }
        Sample::Field(fill) => canvas
            .rect((x, y - 0.4 * ctx.em), (0.8 * ctx.em, 0.8 * ctx.em), fill)
            .word("stroke", &ctx.palette.axis.to_string())
            .number("stroke-width", 0.04 * ctx.em)
            .end(),
    }
}
