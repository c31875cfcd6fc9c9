//! One file for each kind of chart.

mod dots;
mod heatmap;
mod lines;
mod reliability;
mod scatter;
mod stacks;

use sureness_analysis::{Chart, ChartKind};

use crate::canvas::{Anchor, Canvas, Text};
use crate::heading;
use crate::style::{Context, Style};
use crate::text::{Weight, clean, shorten_all, wrap};

/// Draws a chart as SVG.
///
/// The drawing is as wide as the style says and as high as it needs to be. Names that are too long
/// are shortened in the middle and shown in full when pointed at. A value that is not finite, or
/// beyond 1e100, is not drawn; a row, cell or name that is left without any says so. Ids begin with the chart's own and end with
/// the theme, so that many drawings can be put into one page.
pub fn svg(chart: &Chart, style: &Style) -> String {
    let ctx = Context::new(style);
    let mut canvas = Canvas::default();
    let top = heading::draw(&mut canvas, &ctx, &chart.title, &chart.caption);
    let bottom = match &chart.kind {
        ChartKind::Dots {
            axis,
            rows,
            reference,
        } => dots::draw(&mut canvas, &ctx, top, axis, rows, *reference),
        ChartKind::Lines {
            x,
            y,
            lines,
            reference,
        } => lines::draw(&mut canvas, &ctx, top, (x, y), lines, *reference),
        ChartKind::Scatter {
            x,
            y,
            points,
            trend,
            reference,
        } => scatter::draw(
            &mut canvas,
            &ctx,
            top,
            &scatter::Data {
                x,
                y,
                points,
                trend: trend.as_ref(),
                reference: *reference,
            },
        ),
        ChartKind::Heatmap {
            rows,
            columns,
            values,
            unit,
            scale,
        } => heatmap::draw(
            &mut canvas,
            &ctx,
            top,
            &heatmap::Data {
                id: &chart.id,
                rows,
                columns,
                values,
                unit: *unit,
                scale: *scale,
            },
        ),
        ChartKind::Stacks {
            axis,
            segments,
            bars,
        } => stacks::draw(&mut canvas, &ctx, top, axis, segments, bars),
        ChartKind::Reliability { bins } => reliability::draw(&mut canvas, &ctx, top, bins),
    };
    canvas.finish(
        &ctx,
        bottom + ctx.margin(),
        &chart.id,
        &chart.title,
        &chart.caption,
    )
}

/// A chart without anything to draw says so.
fn nothing(canvas: &mut Canvas, ctx: &Context, top: f64) -> f64 {
    let words = "No data";
    canvas.text(&Text::muted(
        ctx,
        ctx.margin(),
        top + ctx.em,
        Anchor::Start,
        words,
    ));
    top + 1.6 * ctx.em
}

/// Names as they are shown before rows, and how wide they are: shortened where they would take
/// more than `share` of the drawing.
fn row_names(ctx: &Context, names: &[String], share: f64) -> (Vec<String>, f64) {
    let names: Vec<String> = names.iter().map(|name| clean(name)).collect();
    let shown = shorten_all(&names, ctx.small, share * ctx.width);
    let widest = shown
        .iter()
        .map(|name| ctx.small_width(name))
        .fold(0.0, f64::max);
    (shown, widest)
}

/// The name of a row, right-aligned at `x` and centred on `y`.
fn row_name(canvas: &mut Canvas, ctx: &Context, (x, y): (f64, f64), shown: &str, full: &str) {
    let full = clean(full);
    let text = Text::small(ctx, x, y + ctx.drop(), Anchor::End, shown).standing_for(&full);
    canvas.text(&text);
}

/// Says which names have nothing that could be drawn, and where the rest may begin.
fn not_shown(canvas: &mut Canvas, ctx: &Context, names: &[&str], top: f64) -> f64 {
    if names.is_empty() {
        return top;
    }
    let words = format!(
        "Not shown, for want of values: {}",
        clean(&names.join(", "))
    );
    let mut y = top + 0.5 * ctx.em;
    for line in wrap(
        &words,
        ctx.small,
        Weight::Regular,
        ctx.right() - ctx.margin(),
    ) {
        y += ctx.line();
        canvas.text(&Text::muted(ctx, ctx.margin(), y, Anchor::Start, &line));
    }
    y + 0.3 * ctx.em
}
