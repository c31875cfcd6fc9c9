//! Lines over a continuous quantity.

use sureness_analysis::{Axis, Line, Point, Reference};

use super::{not_shown, nothing};
use crate::axis::{Domain, usable};
use crate::canvas::{Anchor, Canvas, Text};
use crate::legend::{self, Entry, Sample, draw_sample};
use crate::marks::{self, Direction};
use crate::panel::{Panel, Plan};
use crate::place::spread;
use crate::style::Context;
use crate::text::{clean, shorten_all};

/// With more lines than this their names stand in a key above instead of at their ends.
const NAMED_AT_END: usize = 40;
/// Points are marked where there are few of them.
const MARKED_POINTS: usize = 80;
const MARKED_LINES: usize = 8;
/// How far, in lines of text, a name may be from the end that it is connected to.
const FOLLOWED: f64 = 6.0;

pub(super) fn draw(
    canvas: &mut Canvas,
    ctx: &Context,
    top: f64,
    (x, y): (&Axis, &Axis),
    lines: &[Line],
    reference: Option<Reference>,
) -> f64 {
    let seen =
        |point: &&Point| usable(point.x, x.log).is_some() && usable(point.y, y.log).is_some();
    let (drawn, empty): (Vec<&Line>, Vec<&Line>) = lines
        .iter()
        .partition(|line| line.points.iter().any(|point| seen(&point)));
    let points: Vec<&Point> = drawn
        .iter()
        .flat_map(|line| &line.points)
        .filter(seen)
        .collect();
    if points.is_empty() {
        return nothing(canvas, ctx, top);
    }
    let named = drawn.len() > 1 || drawn.iter().any(|line| !clean(&line.name).is_empty());
    let at_end = named && drawn.len() <= NAMED_AT_END;

    let mut entries: Vec<Entry> = Vec::new();
    if named && !at_end {
        entries.extend(
            drawn
                .iter()
                .enumerate()
                .map(|(i, line)| Entry::new(Sample::Line(i), clean(&line.name))),
        );
    }
    entries.extend(reference.and_then(|reference| Entry::reference(reference, y)));
    let top = legend::draw(canvas, ctx, &entries, (ctx.margin(), ctx.right()), top);

    let full: Vec<String> = drawn.iter().map(|line| clean(&line.name)).collect();
    let shown = shorten_all(&full, ctx.small, 0.27 * ctx.width);
    let widest = shown
        .iter()
        .map(|name| ctx.small_width(name))
        .fold(0.0, f64::max);
    let names_width = if at_end {
        ends_width(ctx) + widest
    } else {
        0.6 * ctx.em
    };
    let (x_domain, y_domain) = domains(x, y, &points, reference);
    let height = if at_end {
        drawn.len() as f64 * ctx.line()
    } else {
        0.0
    };
    let panel = Panel::draw(
        canvas,
        ctx,
        &Plan {
            x,
            x_domain,
            y,
            y_domain,
            left: ctx.margin(),
            right: ctx.right() - names_width,
            top,
            height: height.max(0.46 * ctx.width),
        },
    );
    if let Some(reference) = reference {
        panel.reference(canvas, ctx, reference);
    }
    let opacity = (0.4 / (1.0 + drawn.len() as f64)).clamp(0.03, 0.2);
    for (i, line) in drawn.iter().enumerate() {
        bands(canvas, ctx, &panel, line, i, opacity);
    }
    let marked = points.len() <= MARKED_POINTS && drawn.len() <= MARKED_LINES;
    let thickness = if drawn.len() > MARKED_LINES {
        0.75
    } else {
        1.0
    } * marks::STROKE;
    for (i, line) in drawn.iter().enumerate() {
        draw_line(canvas, ctx, &panel, line, i, (marked, thickness));
    }
    if at_end {
        name_ends(canvas, ctx, &panel, &drawn, &shown);
    }
    let without: Vec<&str> = empty.iter().map(|line| line.name.as_str()).collect();
    not_shown(canvas, ctx, &without, panel.end)
}

fn domains(
    x: &Axis,
    y: &Axis,
    points: &[&Point],
    reference: Option<Reference>,
) -> (Domain, Domain) {
    let xs: Vec<f64> = points.iter().map(|point| point.x).collect();
    let mut ys: Vec<f64> = points.iter().map(|point| point.y).collect();
    if let Some(Reference::At(value)) = reference {
        ys.push(value);
    }
    let ends: Vec<f64> = points
        .iter()
        .flat_map(|point| marks::ends(point.interval, y.log))
        .collect();
    (Domain::of(x, &xs, &[]), Domain::of(y, &ys, &ends))
}

/// Stretches of points that are all numbers.
fn stretches<'a>(line: &'a Line, panel: &Panel) -> Vec<Vec<&'a Point>> {
    let seen = |point: &Point| {
        usable(point.x, panel.x.domain.log).is_some()
            && usable(point.y, panel.y.domain.log).is_some()
    };
    line.points
        .split(|point| !seen(point))
        .filter(|stretch| !stretch.is_empty())
        .map(|stretch| stretch.iter().collect())
        .collect()
}

fn bands(
    canvas: &mut Canvas,
    ctx: &Context,
    panel: &Panel,
    line: &Line,
    series: usize,
    opacity: f64,
) {
    let colour = ctx.palette.series(series);
    for stretch in stretches(line, panel) {
        if stretch.iter().all(|point| point.interval.is_none()) {
            continue;
        }
        if let [point] = stretch[..] {
            if let Some(span) = marks::span(point.interval, &panel.y) {
                let at = panel.x.at(point.x);
                marks::whisker(canvas, ctx, span, at, Direction::Upright, colour, 1.0);
            }
            continue;
        }
        // A point without an interval narrows the band to the line.
        let ends = |point: &Point| {
            marks::span(point.interval, &panel.y).map_or_else(
                || (panel.y.at(point.y), panel.y.at(point.y)),
                |span| span.ends,
            )
        };
        let low = stretch
            .iter()
            .map(|point| (panel.x.at(point.x), ends(point).0));
        let high = stretch
            .iter()
            .rev()
            .map(|point| (panel.x.at(point.x), ends(point).1));
        let outline: Vec<(f64, f64)> = low.chain(high).collect();
        canvas
            .path(&outline, true)
            .word("fill", &colour.to_string())
            .number("fill-opacity", opacity)
            .end();
    }
}

fn draw_line(
    canvas: &mut Canvas,
    ctx: &Context,
    panel: &Panel,
    line: &Line,
    series: usize,
    (marked, thickness): (bool, f64),
) {
    canvas.open(Some(&line.name));
    for stretch in stretches(line, panel) {
        let values: Vec<(f64, f64)> = stretch.iter().map(|point| (point.x, point.y)).collect();
        for run in panel.runs(&values) {
            let path = canvas.path(&run, false);
            marks::stroke(path, ctx, series, thickness);
        }
        if marked || stretch.len() == 1 {
            for point in stretch {
                let at = (panel.x.at(point.x), panel.y.at(point.y));
                marks::marker(canvas, ctx, series, at, 0.28 * ctx.em);
            }
        }
    }
    canvas.close();
}

/// From the field's edge to a name: room for a connecting line and a sample.
fn ends_width(ctx: &Context) -> f64 {
    1.5 * ctx.em + sample_width(ctx)
}

fn sample_width(ctx: &Context) -> f64 {
    2.4 * ctx.em
}

/// Writes the name of each line to the right of the field, as near as can be to its end.
fn name_ends(canvas: &mut Canvas, ctx: &Context, panel: &Panel, lines: &[&Line], shown: &[String]) {
    let ends: Vec<(f64, f64)> = lines
        .iter()
        .map(|line| {
            stretches(line, panel)
                .last()
                .and_then(|stretch| stretch.last())
                .map_or((panel.area.right, panel.area.bottom), |point| {
                    (panel.x.at(point.x), panel.y.at(point.y))
                })
        })
        .collect();
    let wanted: Vec<f64> = ends.iter().map(|end| end.1).collect();
    let half = 0.5 * ctx.line();
    let places = spread(
        &wanted,
        ctx.line(),
        panel.area.top + half,
        panel.area.bottom - half,
    );
    let left = panel.area.right + 1.5 * ctx.em;
    // Where lines end in one place, connections would be a fan that nobody can follow. Order, colour
    // and dash must do.
    let moved = wanted
        .iter()
        .zip(&places)
        .map(|(wanted, place)| (wanted - place).abs())
        .fold(0.0, f64::max);
    let connected = moved <= FOLLOWED * ctx.line();
    for (i, ((line, shown), (end, y))) in lines
        .iter()
        .zip(shown)
        .zip(ends.iter().zip(places))
        .enumerate()
    {
        if connected {
            canvas
                .line(
                    *end,
                    (left - 0.15 * ctx.em, y),
                    ctx.palette.series(i),
                    0.06 * ctx.em,
                )
                .number("stroke-opacity", 0.7)
                .end();
        }
        draw_sample(canvas, ctx, Sample::Line(i), (left, y), sample_width(ctx));
        let full = clean(&line.name);
        canvas.text(
            &Text::small(
                ctx,
                left + sample_width(ctx),
                y + ctx.drop(),
                Anchor::Start,
                shown,
            )
            .standing_for(&full),
        );
    }
}
