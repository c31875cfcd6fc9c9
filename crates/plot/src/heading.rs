//! Title and caption.

use crate::canvas::{Anchor, Canvas, Text};
use crate::style::Context;
use crate::text::{Weight, wrap};

/// Draws title and caption where they are wanted, and says where the rest may begin.
pub(crate) fn draw(canvas: &mut Canvas, ctx: &Context, title: &str, caption: &str) -> f64 {
    let mut y = ctx.margin();
    if !ctx.heading {
        return y;
    }
    let room = ctx.right() - ctx.margin();
    let parts = [
        (title, 1.25 * ctx.em, Weight::Bold, ctx.palette.ink, 1.25),
        (caption, ctx.em, Weight::Regular, ctx.palette.muted, 1.4),
    ];
    let mut drawn = false;
    for (words, size, weight, fill, leading) in parts {
        for line in wrap(words, size, weight, room) {
            canvas.text(&Text {
                x: ctx.margin(),
                y: y + 0.8 * size,
                size,
                weight,
                fill: fill.to_string(),
                ..Text::small(ctx, 0.0, 0.0, Anchor::Start, &line)
            });
            y += leading * size;
            drawn = true;
        }
        if drawn {
            y += 0.25 * ctx.em;
        }
    }
    if drawn { y + 0.55 * ctx.em } else { y }
}
