//! The ground of charts over two quantities: axes, ticks, grid and titles.

use sureness_analysis::{Axis, Reference, Unit};

use crate::axis::{Domain, Scale, Tick, ticks_that_fit, usable};
use crate::canvas::{Anchor, Canvas, Text};
use crate::marks;
use crate::number;
use crate::place::{Rect, clip};
use crate::style::Context;
use crate::text::shorten;

/// Points along a straight comparison line, which is bent on a logarithmic axis.
const BENDS: usize = 64;

/// Marks and where they are drawn.
pub(crate) struct Plan<'a> {
    pub x: &'a Axis,
    pub x_domain: Domain,
    pub y: &'a Axis,
    pub y_domain: Domain,
    /// Left end, tick labels included.
    pub left: f64,
    /// Right end of the field.
    pub right: f64,
    /// Upper end, the title of the vertical axis included.
    pub top: f64,
    /// Height of the field.
    pub height: f64,
}

/// A field with its two scales.
pub(crate) struct Panel {
    pub x: Scale,
    pub y: Scale,
    /// The field.
    pub area: Rect,
    /// Where the rest may begin, below the title of the horizontal axis.
    pub end: f64,
}

impl Panel {
    /// Draws axes, ticks, grid and titles.
    pub(crate) fn draw(canvas: &mut Canvas, ctx: &Context, plan: &Plan<'_>) -> Self {
        let title = axis_title(plan.y);
        let titled = !title.trim().is_empty();
        let top = plan.top + if titled { 1.75 * ctx.em } else { 0.6 * ctx.em };
        let bottom = top + plan.height;
        let y = Scale::new(plan.y_domain, bottom, top);
        let y_ticks = ticks_that_fit(plan.y_domain, plan.y.unit, 8, |ticks| {
            spaced(ticks, &y, |_| ctx.line() * 1.25)
        });
        let widest = y_ticks
            .iter()
            .map(|tick| ctx.small_width(&tick.label))
            .fold(0.0, f64::max);
        let left = plan.left + widest + 0.6 * ctx.em;
        let x = Scale::new(plan.x_domain, left, plan.right.max(left + ctx.em));
        let area = Rect {
            left,
            top,
            right: x.to,
            bottom,
        };
        if titled {
            let room = ctx.right() - plan.left;
            let shown = shorten(&title, ctx.small, room);
            let text = Text::muted(
                ctx,
                plan.left,
                plan.top + 0.85 * ctx.em,
                Anchor::Start,
                &shown,
            );
            canvas.text(&text.standing_for(&title));
        }
        for tick in &y_ticks {
            let at = y.at(tick.value);
            grid(
                canvas,
                ctx,
                (left, at),
                (area.right, at),
                is_zero(tick, plan.y.unit),
            );
            let label = Text::muted(
                ctx,
                left - 0.5 * ctx.em,
                at + ctx.drop(),
                Anchor::End,
                &tick.label,
            );
            canvas.text(&label);
        }
        let x_ticks = horizontal_ticks(ctx, &x, plan.x.unit);
        for tick in &x_ticks {
            let at = x.at(tick.value);
            grid(
                canvas,
                ctx,
                (at, top),
                (at, bottom),
                is_zero(tick, plan.x.unit),
            );
        }
        let end = x_axis(canvas, ctx, &x, plan.x, &x_ticks, bottom);
        Self { x, y, area, end }
    }

    /// Draws what is compared with, as far as it lies in the field.
    pub(crate) fn reference(&self, canvas: &mut Canvas, ctx: &Context, reference: Reference) {
        for run in self.reference_runs(reference) {
            let path = canvas.path(&run, false);
            marks::rule(path, ctx);
        }
    }

    /// Where the line that is compared with lies in the field.
    pub(crate) fn reference_runs(&self, reference: Reference) -> Vec<Vec<(f64, f64)>> {
        let along = |f: &dyn Fn(f64) -> f64| -> Vec<(f64, f64)> {
            (0..=BENDS)
                .map(|i| {
                    let x = self.x.value(i as f64 / BENDS as f64);
                    (x, f(x))
                })
                .collect()
        };
        let points = match reference {
            Reference::At(value) => along(&|_| value),
            Reference::Diagonal => along(&|x| x),
            Reference::Falling(from) => along(&|x| from - x),
        };
        self.runs(&points)
    }

    /// The stretches, in pixels, of a line through these values that lie in the field. What is no
    /// number breaks the line.
    pub(crate) fn runs(&self, points: &[(f64, f64)]) -> Vec<Vec<(f64, f64)>> {
        let mut runs: Vec<Vec<(f64, f64)>> = Vec::new();
        for pair in points.windows(2) {
            let &[from, to] = pair else { continue };
            let (Some(from), Some(to)) = (self.beyond(from), self.beyond(to)) else {
                continue;
            };
            let Some((from, to)) = clip(from, to, &self.area) else {
                continue;
            };
            match runs.last_mut() {
                Some(run) if run.last() == Some(&from) => run.push(to),
                _ => runs.push(vec![from, to]),
            }
        }
        // A straight line needs its ends only.
        for run in &mut runs {
            straighten(run);
        }
        runs
    }

    /// The pixel of a point, which may lie outside of the field, but not absurdly far.
    fn beyond(&self, (x, y): (f64, f64)) -> Option<(f64, f64)> {
        let x = usable(x, self.x.domain.log)?;
        let y = usable(y, self.y.domain.log)?;
        Some((self.x.beyond(x), self.y.beyond(y)))
    }
}

/// Leaves out inner points of straight stretches.
fn straighten(run: &mut Vec<(f64, f64)>) {
    let mut kept: Vec<(f64, f64)> = Vec::with_capacity(run.len());
    for &point in run.iter() {
        if let [.., a, b] = kept[..] {
            let turn = (b.0 - a.0) * (point.1 - b.1) - (b.1 - a.1) * (point.0 - b.0);
            let onward = (b.0 - a.0) * (point.0 - b.0) + (b.1 - a.1) * (point.1 - b.1);
            if turn.abs() < 1e-6 && onward >= 0.0 {
                kept.pop();
            }
        }
        kept.push(point);
    }
    *run = kept;
}

/// The title of an axis, with the unit that its ticks do not say.
pub(crate) fn axis_title(axis: &Axis) -> String {
    let title = crate::text::clean(&axis.title);
    if title.is_empty() {
        title
    } else {
        title + number::suffix(axis.unit)
    }
}

/// Whether a tick is the zero of differences, which is the line that matters.
pub(crate) fn is_zero(tick: &Tick, unit: Unit) -> bool {
    tick.value == 0.0 && matches!(unit, Unit::Difference(_) | Unit::PercentDifference)
}

fn grid(canvas: &mut Canvas, ctx: &Context, from: (f64, f64), to: (f64, f64), strong: bool) {
    let stroke = if strong {
        ctx.palette.axis
    } else {
        ctx.palette.grid
    };
    canvas.line(from, to, stroke, 0.08 * ctx.em).end();
}

/// Whether neighbours are at least as far apart as `need` says for a tick and the next.
fn spaced(ticks: &[Tick], scale: &Scale, need: impl Fn([&Tick; 2]) -> f64) -> bool {
    ticks.windows(2).all(|pair| match pair {
        [a, b] => (scale.at(b.value) - scale.at(a.value)).abs() >= need([a, b]),
        _ => true,
    })
}

/// The ticks of a horizontal axis: as many as their labels leave room for.
pub(crate) fn horizontal_ticks(ctx: &Context, scale: &Scale, unit: Unit) -> Vec<Tick> {
    ticks_that_fit(scale.domain, unit, 8, |ticks| {
        let places: Vec<(f64, f64)> = ticks
            .iter()
            .map(|tick| {
                let half = ctx.small_width(&tick.label) / 2.0;
                (label_place(ctx, scale.at(tick.value), half), half)
            })
            .collect();
        places.windows(2).all(|pair| match pair {
            [(a, half_a), (b, half_b)] => b - a >= half_a + half_b + 1.1 * ctx.em,
            _ => true,
        })
    })
}

/// The middle of a tick label: at its tick, but within the picture.
fn label_place(ctx: &Context, at: f64, half: f64) -> f64 {
    let edge = 0.3 * ctx.em;
    at.clamp(edge + half, (ctx.width - edge - half).max(edge + half))
}

/// Labels of a horizontal axis with their baseline at `y`.
pub(crate) fn x_labels(canvas: &mut Canvas, ctx: &Context, x: &Scale, ticks: &[Tick], y: f64) {
    for tick in ticks {
        let half = ctx.small_width(&tick.label) / 2.0;
        let at = label_place(ctx, x.at(tick.value), half);
        canvas.text(&Text::muted(ctx, at, y, Anchor::Middle, &tick.label));
    }
}

/// Draws line, labels and title of a horizontal axis, and says where the rest may begin.
pub(crate) fn x_axis(
    canvas: &mut Canvas,
    ctx: &Context,
    x: &Scale,
    axis: &Axis,
    ticks: &[Tick],
    bottom: f64,
) -> f64 {
    let line = (ctx.palette.axis, 0.08 * ctx.em);
    canvas.rule((x.from, bottom), (x.to, bottom), line);
    for tick in ticks {
        let at = x.at(tick.value);
        canvas.rule((at, bottom), (at, bottom + 0.3 * ctx.em), line);
    }
    let mut y = bottom + 1.25 * ctx.em;
    x_labels(canvas, ctx, x, ticks, y);
    let title = axis_title(axis);
    if !title.is_empty() {
        y += 1.45 * ctx.em;
        let shown = shorten(&title, ctx.small, ctx.right() - ctx.margin());
        let half = ctx.small_width(&shown) / 2.0;
        let middle = f64::midpoint(x.from, x.to);
        let middle = middle.clamp(
            ctx.margin() + half,
            (ctx.right() - half).max(ctx.margin() + half),
        );
        canvas.text(&Text::muted(ctx, middle, y, Anchor::Middle, &shown).standing_for(&title));
    }
    y + 0.35 * ctx.em
}
