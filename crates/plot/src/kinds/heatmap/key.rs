//! Which colour is which value.

use super::{Anchor, Canvas, Colours, Context, Data, Text, missing, number, ramp};
use crate::canvas::identifier;

const STEPS: usize = 16;

/// Draws the key and says where the rest may begin.
pub(super) fn draw(
    canvas: &mut Canvas,
    ctx: &Context,
    top: f64,
    data: &Data<'_>,
    colours: &Colours,
) -> f64 {
    let id = format!("{}-{}-ramp", identifier(data.id), ctx.theme_name);
    let mut gradient = format!("<linearGradient id=\"{id}\">");
    for step in 0..=STEPS {
        let t = step as f64 / STEPS as f64;
        let colour = ramp(colours.stops, t);
        gradient.push_str(&format!("<stop offset=\"{t}\" stop-color=\"{colour}\"/>"));
    }
    gradient.push_str("</linearGradient>");
    canvas.definition(&gradient);

    let (low, high) = ends(ctx, data, colours);
    let middle = top + 0.5 * ctx.em;
    let base = middle + ctx.drop();
    let mut x = ctx.margin();
    canvas.text(&Text::muted(ctx, x, base, Anchor::Start, &low));
    x += ctx.small_width(&low) + 0.5 * ctx.em;
    let bar = (10.0 * ctx.em, 0.8 * ctx.em);
    canvas
        .rect((x, middle - bar.1 / 2.0), bar, format!("url(#{id})"))
        .word("stroke", &ctx.palette.grid.to_string())
        .number("stroke-width", 0.06 * ctx.em)
        .end();
    x += bar.0 + 0.5 * ctx.em;
    canvas.text(&Text::muted(ctx, x, base, Anchor::Start, &high));
    x += ctx.small_width(&high) + 2.0 * ctx.em;
    if data.all().count() < data.rows.len() * data.columns.len() {
        let side = 0.9 * ctx.em;
        missing(canvas, ctx, (x, middle - side / 2.0), (side, side));
        canvas.text(&Text::muted(
            ctx,
            x + side + 0.5 * ctx.em,
            base,
            Anchor::Start,
            "no value",
        ));
    }
    top + 2.0 * ctx.em
}

/// The values at both ends. Where values go beyond, that is said.
fn ends(ctx: &Context, data: &Data<'_>, colours: &Colours) -> (String, String) {
    let (low, high) = (colours.low.min(colours.high), colours.low.max(colours.high));
    let below = data.all().any(|value| value < low);
    let above = data.all().any(|value| value > high);
    let write = |value: f64| {
        let sign = match (value <= low && below, value >= high && above) {
            (true, _) => "≤ ",
            (_, true) => "≥ ",
            _ => "",
        };
        let words = number::value(value, data.unit);
        let words = if ctx.small_width(&words) > 6.0 * ctx.em {
            number::tick(value, data.unit, 0.01 * (high - low))
        } else {
            words
        };
        format!("{sign}{words}")
    };
    (write(colours.low), write(colours.high))
}
