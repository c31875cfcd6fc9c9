//! How often a model is right at each confidence.

use sureness_analysis::{Axis, Bin, Reference, Unit};

use super::nothing;
use crate::axis::{Domain, Scale};
use crate::canvas::{Anchor, Canvas, Text};
use crate::color::{Rgb, ramp};
use crate::legend::{self, Entry, Sample};
use crate::marks;
use crate::number;
use crate::panel::{Panel, Plan};
use crate::style::Context;

/// Height of the histogram of counts, in font sizes.
const COUNTS: f64 = 4.5;
/// Width of the key beside the field, in font sizes.
const KEY: f64 = 15.0;

pub(super) fn draw(canvas: &mut Canvas, ctx: &Context, top: f64, bins: &[Bin]) -> f64 {
    let seen = |bin: &&Bin| {
        let numbers = [bin.range.0, bin.range.1, bin.confidence, bin.accuracy];
        bin.count > 0 && numbers.iter().all(|number| number.is_finite())
    };
    let bins: Vec<&Bin> = bins.iter().filter(seen).collect();
    if bins.is_empty() {
        return nothing(canvas, ctx, top);
    }
    let whole = Domain {
        low: 0.0,
        high: 1.0,
        log: false,
    };
    let axis = |title: &str| Axis {
        title: title.to_owned(),
        unit: Unit::Percent,
        log: false,
        range: Some((0.0, 1.0)),
    };
    let side =
        (ctx.right() - ctx.margin() - (KEY + 5.5) * ctx.em).clamp(12.0 * ctx.em, 31.0 * ctx.em);
    let labels = ctx.small_width("100 %") + 0.6 * ctx.em;
    let panel = Panel::draw(
        canvas,
        ctx,
        &Plan {
            x: &axis("Confidence"),
            x_domain: whole,
            y: &axis("Accuracy"),
            y_domain: whole,
            left: ctx.margin(),
            right: ctx.margin() + labels + side,
            top,
            height: side,
        },
    );
    for bin in &bins {
        draw_bin(canvas, ctx, &panel, bin);
    }
    panel.reference(canvas, ctx, Reference::Diagonal);
    for bin in &bins {
        let at = (panel.x.at(bin.confidence), panel.y.at(bin.accuracy));
        marks::marker(canvas, ctx, 0, at, 0.34 * ctx.em);
    }
    key(canvas, ctx, &panel);
    counts(canvas, ctx, &panel.x, &bins, panel.end)
}

fn draw_bin(canvas: &mut Canvas, ctx: &Context, panel: &Panel, bin: &Bin) {
    let (left, wide) = stretch(&panel.x, bin);
    let right = tint(ctx, 0);
    let (bottom, top) = (panel.area.bottom, panel.y.at(bin.accuracy));
    let should = panel.y.at(bin.confidence);
    canvas.open(Some(&format!(
        "{} to {}: accuracy {}, confidence {}, {} {}",
        number::value(bin.range.0, Unit::Percent),
        number::value(bin.range.1, Unit::Percent),
        number::value(bin.accuracy, Unit::Percent),
        number::value(bin.confidence, Unit::Percent),
        number::value(bin.count as f64, Unit::Count),
        if bin.count == 1 { "answer" } else { "answers" },
    )));
    canvas.rect((left, top), (wide, bottom - top), right).end();
    // The gap is narrower than the bar, so that the bar is seen up to the accuracy on both sides.
    let inset = 0.3 * wide;
    canvas
        .rect(
            (left + inset, top.min(should)),
            (wide - 2.0 * inset, (top - should).abs()),
            tint(ctx, 1),
        )
        .end();
    canvas.close();
}

/// The colour of a series, light enough to lie under marks.
fn tint(ctx: &Context, series: usize) -> Rgb {
    ramp(&[ctx.palette.ground, ctx.palette.series(series)], 0.35)
}

/// Left end and width of a bin, with a thin gap to the next.
fn stretch(x: &Scale, bin: &Bin) -> (f64, f64) {
    let (a, b) = (x.at(bin.range.0), x.at(bin.range.1));
    let (left, right) = (a.min(b), a.max(b));
    let gap = (0.08 * (right - left)).min(1.5);
    (left + gap / 2.0, right - left - gap)
}

fn key(canvas: &mut Canvas, ctx: &Context, panel: &Panel) {
    let entries = [
        Entry::new(Sample::Field(tint(ctx, 0)), "accuracy"),
        Entry::new(Sample::Field(tint(ctx, 1)), "gap to the mean confidence"),
        Entry::new(Sample::Marker(0), "mean confidence, accuracy"),
        Entry::new(Sample::Rule, "perfectly calibrated"),
    ];
    let left = panel.area.right + 1.8 * ctx.em;
    legend::draw_column(canvas, ctx, &entries, (left, ctx.right()), panel.area.top);
}

/// How many answers each bin has, on the same axis.
fn counts(canvas: &mut Canvas, ctx: &Context, x: &Scale, bins: &[&Bin], top: f64) -> f64 {
    let most = bins.iter().map(|bin| bin.count).max().unwrap_or(1).max(1);
    canvas.text(&Text::muted(
        ctx,
        ctx.margin(),
        top + 1.35 * ctx.em,
        Anchor::Start,
        "Number of answers",
    ));
    let first = top + 3.3 * ctx.em;
    let bottom = first + COUNTS * ctx.em;
    let size = 0.85 * ctx.small;
    let fits = bins.iter().all(|bin| {
        let words = number::value(bin.count as f64, Unit::Count);
        let wide = crate::text::width(&words, size, crate::text::Weight::Regular);
        wide + 0.25 * ctx.em <= stretch(x, bin).1
    });
    for bin in bins {
        let (left, wide) = stretch(x, bin);
        let height = COUNTS * ctx.em * (bin.count as f64 / most as f64);
        canvas
            .rect((left, bottom - height), (wide, height), ctx.palette.axis)
            .end();
        // Where not all numbers have room, the largest gives the measure.
        let largest = bins
            .iter()
            .find(|other| other.count == most)
            .is_some_and(|other| std::ptr::eq(*other, *bin));
        if fits || largest {
            let words = number::value(bin.count as f64, Unit::Count);
            let half = crate::text::width(&words, size, crate::text::Weight::Regular) / 2.0;
            let text = Text {
                size,
                ..Text::muted(
                    ctx,
                    (left + wide / 2.0).max(ctx.margin() + half),
                    bottom - height - 0.35 * ctx.em,
                    Anchor::Middle,
                    &words,
                )
            };
            canvas.text(&text);
        }
    }
    let line = (ctx.palette.axis, 0.08 * ctx.em);
    canvas.rule((x.from, bottom), (x.to, bottom), line);
    bottom + 0.3 * ctx.em
}
