//! Shares of a whole, a bar for each label.

use sureness_analysis::{Axis, Segment, Stack, Unit};

use super::{nothing, row_name, row_names};
use crate::axis::{Domain, Scale};
use crate::canvas::{Anchor, Canvas, Text};
use crate::color::{Palette, Rgb, ramp};
use crate::legend::{self, Entry, Sample};
use crate::number;
use crate::panel::{horizontal_ticks, x_axis, x_labels};
use crate::style::Context;
use crate::text::clean;

/// Where the colours of segments begin: the very lightest could not be seen on the ground.
const LIGHTEST: f64 = 0.2;
/// From so many bars on they are closer and the tick labels are repeated above.
const TALL: usize = 18;

pub(super) fn draw(
    canvas: &mut Canvas,
    ctx: &Context,
    top: f64,
    axis: &Axis,
    segments: &[Segment],
    bars: &[Stack],
) -> f64 {
    if bars.is_empty() {
        return nothing(canvas, ctx, top);
    }
    let colours = colours(ctx, segments.len());
    let entries: Vec<Entry> = segments
        .iter()
        .zip(&colours)
        .map(|(segment, colour)| Entry::new(Sample::Field(*colour), clean(&segment.name)))
        .collect();
    let top = legend::draw(canvas, ctx, &entries, (ctx.margin(), ctx.right()), top);
    let names: Vec<String> = bars.iter().map(|bar| bar.label.clone()).collect();
    let (shown, widest) = row_names(ctx, &names, 0.36);
    let left = ctx.margin() + widest + 0.8 * ctx.em;
    let whole = Domain {
        low: 0.0,
        high: 1.0,
        log: false,
    };
    let x = Scale::new(whole, left, ctx.right() - 0.8 * ctx.em);
    let ticks = horizontal_ticks(ctx, &x, axis.unit);

    let tall = bars.len() >= TALL;
    let (pitch, thick) = if tall { (1.55, 1.2) } else { (2.0, 1.5) };
    let (pitch, thick) = (pitch * ctx.em, thick * ctx.em);
    let first = top + if tall { 1.6 * ctx.em } else { 0.2 * ctx.em };
    let bottom = first + pitch * bars.len() as f64 + 0.1 * ctx.em;
    if tall {
        x_labels(canvas, ctx, &x, &ticks, first - 0.55 * ctx.em);
    }
    for tick in &ticks {
        let at = x.at(tick.value);
        canvas
            .line((at, first), (at, bottom), ctx.palette.grid, 0.08 * ctx.em)
            .end();
    }
    for (i, (bar, shown)) in bars.iter().zip(&shown).enumerate() {
        let middle = first + pitch * (i as f64 + 0.5);
        row_name(
            canvas,
            ctx,
            (left - 0.6 * ctx.em, middle),
            shown,
            &bar.label,
        );
        draw_bar(canvas, ctx, &x, bar, segments, &colours, (middle, thick));
    }
    x_axis(canvas, ctx, &x, axis, &ticks, bottom)
}

/// Segments are ordered, so their colours are.
fn colours(ctx: &Context, count: usize) -> Vec<Rgb> {
    (0..count)
        .map(|i| {
            let share = if count > 1 {
                i as f64 / (count - 1) as f64
            } else {
                0.5
            };
            ramp(&ctx.palette.sequential, LIGHTEST + (1.0 - LIGHTEST) * share)
        })
        .collect()
}

fn draw_bar(
    canvas: &mut Canvas,
    ctx: &Context,
    x: &Scale,
    bar: &Stack,
    segments: &[Segment],
    colours: &[Rgb],
    (middle, thick): (f64, f64),
) {
    let share = |share: &f64| {
        if share.is_finite() {
            share.clamp(0.0, 1e6)
        } else {
            0.0
        }
    };
    let shares: Vec<f64> = bar.shares.iter().take(colours.len()).map(share).collect();
    let total: f64 = shares.iter().sum();
    if total <= 0.0 {
        let text = Text::muted(
            ctx,
            x.from + 0.5 * ctx.em,
            middle + ctx.drop(),
            Anchor::Start,
            "no value",
        );
        canvas.text(&text);
        return;
    }
    // Shares that add up to more than the whole are drawn as parts of what they add up to.
    let whole = total.max(1.0);
    let mut from = 0.0;
    for ((share, colour), segment) in shares.iter().zip(colours).zip(segments) {
        let (start, end) = (x.at(from / whole), x.at((from + share) / whole));
        from += share;
        if end - start < 0.01 {
            continue;
        }
        // A thin gap separates segments, as long as there is more of them than of it.
        let gap = (0.08 * ctx.em).min(0.3 * (end - start));
        let words = format!("{} %", number::bare(*share, Unit::Percent, 1));
        canvas.open(Some(&format!(
            "{}, {}: {}",
            bar.label,
            segment.name,
            number::value(*share, Unit::Percent)
        )));
        canvas
            .rect(
                (start, middle - thick / 2.0),
                (end - start - gap, thick),
                colour,
            )
            .end();
        canvas.close();
        if ctx.small_width(&words) + 0.6 * ctx.em <= end - start {
            let text = Text {
                fill: Palette::ink_on(*colour).to_string(),
                ..Text::small(
                    ctx,
                    (start + end - gap) / 2.0,
                    middle + ctx.drop(),
                    Anchor::Middle,
                    &words,
                )
            };
            canvas.text(&text);
        }
    }
}
