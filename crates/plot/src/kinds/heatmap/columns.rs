//! The names over columns: level where they fit, else slanted, else upright.

use super::{Anchor, Canvas, Context, MIDDLE, Text, Weight, clean, shorten_all, width};
use crate::text::wrap;

/// The widest cell and the longest slanted and upright names, in font sizes.
const WIDEST_CELL: f64 = 9.0;
const LONGEST_SLANTED: f64 = 11.0;
const LONGEST_UPRIGHT: f64 = 14.0;
/// The smallest names, in font sizes.
const SMALLEST: f64 = 0.6;

/// Where columns are and how their names are written.
pub(super) struct Columns {
    /// Width of a cell.
    pub cell: f64,
    left: f64,
    full: Vec<String>,
    shown: Vec<String>,
    size: f64,
    turn: Turn,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Turn {
    /// On so many lines.
    Level(Vec<Vec<String>>),
    Slanted,
    /// Upright, with a name at every so many columns.
    Upright(usize),
}

impl Columns {
    pub(super) fn new(ctx: &Context, names: &[String], left: f64) -> Self {
        let full: Vec<String> = names.iter().map(|name| clean(name)).collect();
        let count = full.len().max(1) as f64;
        let widest = |names: &[String]| {
            names
                .iter()
                .map(|name| ctx.small_width(name))
                .fold(0.0, f64::max)
        };
        let room = ctx.right() - left;
        let cell = (room / count).min(WIDEST_CELL * ctx.em);
        if let Some(lines) = level(ctx, &full, cell - 0.6 * ctx.em) {
            return Self {
                cell,
                left,
                shown: full.clone(),
                full,
                size: ctx.small,
                turn: Turn::Level(lines),
            };
        }
        // Slanted names reach beyond the last column.
        let shown = shorten_all(&full, ctx.small, LONGEST_SLANTED * ctx.em);
        let beyond = widest(&shown) * std::f64::consts::FRAC_1_SQRT_2;
        let slanted = ((room - beyond) / (count - 0.5)).min(WIDEST_CELL * ctx.em);
        if slanted >= 1.9 * ctx.small {
            return Self {
                cell: slanted,
                left,
                shown,
                full,
                size: ctx.small,
                turn: Turn::Slanted,
            };
        }
        let size = (0.95 * cell).clamp(SMALLEST * ctx.em, ctx.small);
        let every = (1.05 * size / cell).ceil().max(1.0) as usize;
        Self {
            cell,
            left,
            shown: shorten_all(&full, size, LONGEST_UPRIGHT * ctx.em),
            full,
            size,
            turn: Turn::Upright(every),
        }
    }

    /// Draws the names and says where the cells begin.
    pub(super) fn draw(&self, canvas: &mut Canvas, ctx: &Context, top: f64) -> f64 {
        let longest = self
            .shown
            .iter()
            .map(|name| width(name, self.size, Weight::Regular))
            .fold(0.0, f64::max);
        let height = match &self.turn {
            Turn::Level(lines) => {
                let most = lines.iter().map(Vec::len).max().unwrap_or(1).max(1);
                self.size + ctx.line() * (most - 1) as f64
            }
            Turn::Slanted => (longest + self.size) * std::f64::consts::FRAC_1_SQRT_2,
            Turn::Upright(_) => longest,
        };
        let bottom = top + height + 0.6 * ctx.em;
        for (j, (shown, full)) in self.shown.iter().zip(&self.full).enumerate() {
            let middle = self.left + self.cell * (j as f64 + 0.5);
            let (x, anchor, turn) = match &self.turn {
                Turn::Level(lines) => {
                    let lines = lines.get(j).map_or(&[][..], Vec::as_slice);
                    for (line, words) in lines.iter().rev().enumerate() {
                        let y = bottom - 0.4 * ctx.em - ctx.line() * line as f64;
                        canvas.text(&Text::small(ctx, middle, y, Anchor::Middle, words));
                    }
                    continue;
                }
                Turn::Slanted => (middle + 0.25 * self.size, Anchor::Start, -45.0),
                Turn::Upright(every) if j.is_multiple_of(*every) => {
                    (middle + MIDDLE * self.size, Anchor::Start, -90.0)
                }
                Turn::Upright(_) => continue,
            };
            let text = Text {
                size: self.size,
                turn,
                ..Text::small(ctx, x, bottom - 0.4 * ctx.em, anchor, shown)
            };
            canvas.text(&text.standing_for(full));
        }
        bottom
    }
}

/// The names on up to three lines, if no word of them needs to be cut.
fn level(ctx: &Context, names: &[String], room: f64) -> Option<Vec<Vec<String>>> {
    let whole = |name: &String| name.split(' ').all(|word| ctx.small_width(word) <= room);
    if !names.iter().all(whole) {
        return None;
    }
    let lines: Vec<Vec<String>> = names
        .iter()
        .map(|name| wrap(name, ctx.small, Weight::Regular, room))
        .collect();
    lines.iter().all(|lines| lines.len() <= 3).then_some(lines)
}
