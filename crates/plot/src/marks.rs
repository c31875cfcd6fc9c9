//! Marks of series: colour, shape and dash, so that any one of them is enough to tell which it is.

use crate::axis::{Scale, usable};
use crate::canvas::{Canvas, Element};
use crate::color::Rgb;
use crate::style::Context;

/// Dashes, in line widths. Their number has no factor in common with that of the colours: 42 lines
/// look different.
const DASHES: [&[f64]; 6] = [
    &[],
    &[4.0, 2.0],
    &[1.3, 1.5],
    &[6.0, 2.0, 1.3, 2.0],
    &[8.0, 2.5],
    &[3.0, 1.5, 1.3, 1.5, 1.3, 1.5],
];
const SHAPES: usize = 8;

/// Thickness of the line of a series, in font sizes.
pub(crate) const STROKE: f64 = 0.14;

/// The mark of a series around a place.
pub(crate) fn marker(
    canvas: &mut Canvas,
    ctx: &Context,
    series: usize,
    (x, y): (f64, f64),
    radius: f64,
) {
    let colour = ctx.palette.series(series);
    let corners = |around: &[(f64, f64)]| -> Vec<(f64, f64)> {
        around
            .iter()
            .map(|(dx, dy)| (x + radius * dx, y + radius * dy))
            .collect()
    };
    let shape = series % SHAPES;
    let element = match shape {
        0 | 6 => canvas
            .element("circle")
            .number("cx", x)
            .number("cy", y)
            .number("r", radius),
        1 | 7 => canvas.path(
            &corners(&[(-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)]),
            true,
        ),
        2 => canvas.path(
            &corners(&[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)]),
            true,
        ),
        3 => canvas.path(&corners(&[(0.0, -1.2), (1.15, 0.85), (-1.15, 0.85)]), true),
        4 => canvas.path(&corners(&[(0.0, 1.2), (1.15, -0.85), (-1.15, -0.85)]), true),
        _ => {
            let (thin, long) = (0.4, 1.2);
            canvas.path(
                &corners(&[
                    (-thin, -long),
                    (thin, -long),
                    (thin, -thin),
                    (long, -thin),
                    (long, thin),
                    (thin, thin),
                    (thin, long),
                    (-thin, long),
                    (-thin, thin),
                    (-long, thin),
                    (-long, -thin),
                    (-thin, -thin),
                ]),
                true,
            )
        }
    };
    let ground = ctx.palette.ground;
    let (fill, stroke, width) = if shape >= 6 {
        (ground, colour, 0.13 * ctx.em)
    } else {
        (colour, ground, 0.07 * ctx.em)
    };
    element
        .word("fill", &fill.to_string())
        .word("stroke", &stroke.to_string())
        .number("stroke-width", width)
        .end();
}

/// Draws an open element in the way of a series' lines, `thickness` font sizes thick.
pub(crate) fn stroke(element: Element<'_>, ctx: &Context, series: usize, thickness: f64) {
    let width = thickness * ctx.em;
    let dash = DASHES[series % DASHES.len()];
    let element = element
        .word("fill", "none")
        .word("stroke", &ctx.palette.series(series).to_string())
        .number("stroke-width", width)
        .word("stroke-linejoin", "round");
    dashed(element, dash, width).end();
}

/// Draws an open element in the way of what is compared with.
pub(crate) fn rule(element: Element<'_>, ctx: &Context) {
    let width = 0.1 * ctx.em;
    let element = element
        .word("fill", "none")
        .word("stroke", &ctx.palette.ink.to_string())
        .number("stroke-width", width)
        .word("stroke-opacity", "0.75");
    dashed(element, &[4.5, 3.0], width).end();
}

/// Draws an open element in the way of a trend: without dashes, since nothing else of points is a
/// line.
pub(crate) fn trend(element: Element<'_>, ctx: &Context) {
    element
        .word("fill", "none")
        .word("stroke", &ctx.palette.muted.to_string())
        .number("stroke-width", 0.12 * ctx.em)
        .end();
}

fn dashed<'a>(element: Element<'a>, dash: &[f64], width: f64) -> Element<'a> {
    if dash.is_empty() {
        return element;
    }
    let lengths: Vec<String> = dash
        .iter()
        .map(|length| crate::canvas::short(length * width))
        .collect();
    element.word("stroke-dasharray", &lengths.join(" "))
}

/// An interval on an axis, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    /// Where the low and the high end are.
    pub ends: (f64, f64),
    /// Whether it goes on beyond these.
    pub cut: (bool, bool),
}

/// Where an interval lies, if it is one and any of it is on the axis.
pub(crate) fn span(interval: Option<(f64, f64)>, scale: &Scale) -> Option<Span> {
    let (a, b) = interval?;
    if a.is_nan() || b.is_nan() {
        return None;
    }
    let (low, high) = (a.min(b), a.max(b));
    let domain = scale.domain;
    if high < domain.low || low > domain.high {
        return None;
    }
    Some(Span {
        ends: (scale.at(low), scale.at(high)),
        cut: (low < domain.low, high > domain.high),
    })
}

/// The ends of an interval that an axis can show, for choosing what it shows.
pub(crate) fn ends(interval: Option<(f64, f64)>, log: bool) -> impl Iterator<Item = f64> {
    interval
        .into_iter()
        .flat_map(|(low, high)| [low, high])
        .filter_map(move |end| usable(end, log))
}

/// Which way an interval lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Across,
    Upright,
}

/// An interval as a line; `place` is where it is on the other axis. Where it goes on beyond the
/// axis, it ends in an arrow.
pub(crate) fn whisker(
    canvas: &mut Canvas,
    ctx: &Context,
    span: Span,
    place: f64,
    direction: Direction,
    colour: Rgb,
    opacity: f64,
) {
    let point = |along: f64, aside: f64| match direction {
        Direction::Across => (along, place + aside),
        Direction::Upright => (place + aside, along),
    };
    let (low, high) = span.ends;
    canvas
        .line(point(low, 0.0), point(high, 0.0), colour, 0.13 * ctx.em)
        .number("stroke-opacity", opacity)
        .end();
    let onward = if high >= low { 1.0 } else { -1.0 };
    for (end, cut, way) in [(low, span.cut.0, onward), (high, span.cut.1, -onward)] {
        if cut {
            let (long, wide) = (0.4 * ctx.em * way, 0.28 * ctx.em);
            let arrow = [
                point(end + long, -wide),
                point(end, 0.0),
                point(end + long, wide),
            ];
            canvas
                .path(&arrow, false)
                .word("fill", "none")
                .word("stroke", &colour.to_string())
                .number("stroke-width", 0.1 * ctx.em)
                .number("stroke-opacity", opacity)
                .end();
        }
    }
}

/// Names in the order of their first appearance.
pub(crate) fn in_order<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = std::collections::HashSet::new();
    names.filter(|name| seen.insert(*name)).collect()
}
