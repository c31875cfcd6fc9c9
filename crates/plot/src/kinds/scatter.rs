//! Named points over two quantities.

use sureness_analysis::{Axis, Line, Mark, Reference};

use super::{not_shown, nothing};
use crate::axis::{Domain, usable};
use crate::canvas::{Anchor, Canvas, Text};
use crate::legend::{self, Entry, Sample};
use crate::marks::{self, Direction, in_order};
use crate::panel::{Panel, Plan};
use crate::place::{Placed, Rect, Wanted, place};
use crate::style::Context;
use crate::text::{clean, shorten_all};

/// With more points than this they are numbered without trying their names first.
const NAMED: usize = 24;
/// With more points than this the names of numbered points stand below instead of beside.
const BESIDE: usize = 48;
/// With more points than this only the points are drawn.
const NUMBERED: usize = 200;

/// What is drawn.
pub(super) struct Data<'a> {
    pub x: &'a Axis,
    pub y: &'a Axis,
    pub points: &'a [Mark],
    pub trend: Option<&'a Line>,
    pub reference: Option<Reference>,
}

/// Points that can be drawn, with what they have in common.
struct Shown<'a> {
    points: Vec<&'a Mark>,
    names: Vec<String>,
    series: Vec<&'a str>,
    domains: (Domain, Domain),
}

pub(super) fn draw(canvas: &mut Canvas, ctx: &Context, top: f64, data: &Data<'_>) -> f64 {
    let (points, missing): (Vec<&Mark>, Vec<&Mark>) = data.points.iter().partition(|point| {
        usable(point.x, data.x.log).is_some() && usable(point.y, data.y.log).is_some()
    });
    if points.is_empty() {
        return nothing(canvas, ctx, top);
    }
    let shown = Shown {
        names: points.iter().map(|point| clean(&point.label)).collect(),
        series: in_order(points.iter().map(|point| point.series.as_str())),
        domains: domains(data, &points),
        points,
    };
    let top = key(canvas, ctx, top, data, &shown);
    let end = match named(ctx, top, data, &shown) {
        Some((names, placed)) => {
            let panel = ground(
                canvas,
                ctx,
                top,
                data,
                &shown,
                ctx.right() - 0.5 * ctx.em,
                0.0,
            );
            draw_points(canvas, ctx, &panel, data, &shown);
            draw_labels(canvas, ctx, &names, &shown.names, &placed);
            panel.end
        }
        None => numbered(canvas, ctx, top, data, &shown),
    };
    let missing: Vec<&str> = missing.iter().map(|point| point.label.as_str()).collect();
    not_shown(canvas, ctx, &missing, end)
}

fn domains(data: &Data<'_>, points: &[&Mark]) -> (Domain, Domain) {
    let xs: Vec<f64> = points.iter().map(|point| point.x).collect();
    let mut ys: Vec<f64> = points.iter().map(|point| point.y).collect();
    if let Some(Reference::At(value)) = data.reference {
        ys.push(value);
    }
    let mut x_ends: Vec<f64> = points
        .iter()
        .flat_map(|point| marks::ends(point.x_interval, data.x.log))
        .collect();
    let mut y_ends: Vec<f64> = points
        .iter()
        .flat_map(|point| marks::ends(point.y_interval, data.y.log))
        .collect();
    // A trend is shown as far as it was computed, but moves no end that is fixed.
    for point in data.trend.iter().flat_map(|trend| &trend.points) {
        x_ends.push(point.x);
        y_ends.push(point.y);
        y_ends.extend(marks::ends(point.interval, data.y.log));
    }
    (
        Domain::of(data.x, &xs, &x_ends),
        Domain::of(data.y, &ys, &y_ends),
    )
}

fn key(canvas: &mut Canvas, ctx: &Context, top: f64, data: &Data<'_>, shown: &Shown<'_>) -> f64 {
    let mut entries = Vec::new();
    if shown.series.len() > 1 {
        for (i, &name) in shown.series.iter().enumerate() {
            let name = if name.is_empty() { "other" } else { name };
            entries.push(Entry::new(Sample::Marker(i), clean(name)));
        }
    }
    if let Some(trend) = data.trend {
        let name = clean(&trend.name);
        let name = if name.is_empty() {
            "trend".to_owned()
        } else {
            name
        };
        entries.push(Entry::new(Sample::Trend, name));
    }
    entries.extend(
        data.reference
            .and_then(|reference| Entry::reference(reference, data.y)),
    );
    legend::draw(canvas, ctx, &entries, (ctx.margin(), ctx.right()), top)
}

fn ground(
    canvas: &mut Canvas,
    ctx: &Context,
    top: f64,
    data: &Data<'_>,
    shown: &Shown<'_>,
    right: f64,
    height: f64,
) -> Panel {
    let plan = Plan {
        x: data.x,
        x_domain: shown.domains.0,
        y: data.y,
        y_domain: shown.domains.1,
        left: ctx.margin(),
        right,
        top,
        height: height.max(0.54 * ctx.width),
    };
    Panel::draw(canvas, ctx, &plan)
}

fn radius(ctx: &Context) -> f64 {
    0.34 * ctx.em
}

/// The names beside their points, if they all have a place and most of them need no line.
fn named(
    ctx: &Context,
    top: f64,
    data: &Data<'_>,
    shown: &Shown<'_>,
) -> Option<(Vec<String>, Vec<Option<Placed>>)> {
    let count = shown.points.len();
    if count > NAMED {
        return None;
    }
    let names = shorten_all(&shown.names, ctx.small, 0.24 * ctx.width);
    // Drawn on a sheet that is thrown away: only where things would be is of interest.
    let right = ctx.right() - 0.5 * ctx.em;
    let panel = ground(&mut Canvas::default(), ctx, top, data, shown, right, 0.0);
    let placed = labels(ctx, &panel, data, shown, &names);
    let led = placed
        .iter()
        .flatten()
        .filter(|placed| placed.leader.is_some());
    let fine = placed.iter().all(Option::is_some) && led.count() <= (count / 3).max(2);
    fine.then_some((names, placed))
}

fn labels(
    ctx: &Context,
    panel: &Panel,
    data: &Data<'_>,
    shown: &Shown<'_>,
    words: &[String],
) -> Vec<Option<Placed>> {
    let wanted: Vec<Wanted> = shown
        .points
        .iter()
        .zip(words)
        .map(|(point, words)| Wanted {
            at: (panel.x.at(point.x), panel.y.at(point.y)),
            radius: 1.25 * radius(ctx),
            reach: reach(ctx, panel, point),
            size: (ctx.small_width(words) + 0.4 * ctx.em, 1.1 * ctx.small),
        })
        .collect();
    let bounds = Rect {
        right: ctx.right().min(panel.area.right + 0.5 * ctx.em),
        ..panel.area
    };
    place(&wanted, bounds, &obstacles(panel, data, shown))
}

/// How far the intervals of a point reach. Beyond long ones its name would seem to be another's.
fn reach(ctx: &Context, panel: &Panel, point: &Mark) -> (f64, f64) {
    let least = 1.25 * radius(ctx);
    let half = |span: Option<marks::Span>, middle: f64| {
        let far = span.map_or(0.0, |span| {
            (span.ends.0 - middle)
                .abs()
                .max((span.ends.1 - middle).abs())
        });
        if far < 2.0 * ctx.em {
            least.max(far)
        } else {
            least
        }
    };
    (
        half(marks::span(point.x_interval, &panel.x), panel.x.at(point.x)),
        half(marks::span(point.y_interval, &panel.y), panel.y.at(point.y)),
    )
}

/// Lines that labels had better not lie over.
fn obstacles(panel: &Panel, data: &Data<'_>, shown: &Shown<'_>) -> Vec<((f64, f64), (f64, f64))> {
    let mut lines = Vec::new();
    for point in &shown.points {
        let at = (panel.x.at(point.x), panel.y.at(point.y));
        if let Some(span) = marks::span(point.x_interval, &panel.x) {
            lines.push(((span.ends.0, at.1), (span.ends.1, at.1)));
        }
        if let Some(span) = marks::span(point.y_interval, &panel.y) {
            lines.push(((at.0, span.ends.0), (at.0, span.ends.1)));
        }
    }
    let bent = data.trend.map(|trend| panel.runs(&values(trend)));
    let compared = data
        .reference
        .map(|reference| panel.reference_runs(reference));
    for run in bent.into_iter().chain(compared).flatten() {
        lines.extend(run.windows(2).filter_map(|pair| match pair {
            [a, b] => Some((*a, *b)),
            _ => None,
        }));
    }
    lines
}

fn values(line: &Line) -> Vec<(f64, f64)> {
    line.points.iter().map(|point| (point.x, point.y)).collect()
}

fn draw_points(
    canvas: &mut Canvas,
    ctx: &Context,
    panel: &Panel,
    data: &Data<'_>,
    shown: &Shown<'_>,
) {
    if let Some(reference) = data.reference {
        panel.reference(canvas, ctx, reference);
    }
    if let Some(trend) = data.trend {
        draw_trend(canvas, ctx, panel, trend);
    }
    // With many points intervals become a net; thinner lines let the points stand out.
    let opacity = if shown.points.len() > 12 { 0.35 } else { 0.55 };
    for point in &shown.points {
        let colour = ctx.palette.series(series_of(shown, point));
        let (x, y) = (panel.x.at(point.x), panel.y.at(point.y));
        if let Some(span) = marks::span(point.x_interval, &panel.x) {
            marks::whisker(canvas, ctx, span, y, Direction::Across, colour, opacity);
        }
        if let Some(span) = marks::span(point.y_interval, &panel.y) {
            marks::whisker(canvas, ctx, span, x, Direction::Upright, colour, opacity);
        }
    }
    for point in &shown.points {
        let at = (panel.x.at(point.x), panel.y.at(point.y));
        canvas.open(Some(&point.label));
        marks::marker(canvas, ctx, series_of(shown, point), at, radius(ctx));
        canvas.close();
    }
}

fn draw_trend(canvas: &mut Canvas, ctx: &Context, panel: &Panel, trend: &Line) {
    let banded: Vec<_> = trend
        .points
        .iter()
        .filter(|point| panel.x.holds(point.x))
        .filter_map(|point| {
            Some((
                panel.x.at(point.x),
                marks::span(point.interval, &panel.y)?.ends,
            ))
        })
        .collect();
    if banded.len() > 1 {
        let low = banded.iter().map(|(x, ends)| (*x, ends.0));
        let high = banded.iter().rev().map(|(x, ends)| (*x, ends.1));
        let outline: Vec<(f64, f64)> = low.chain(high).collect();
        canvas
            .path(&outline, true)
            .word("fill", &ctx.palette.muted.to_string())
            .word("fill-opacity", "0.12")
            .end();
    }
    for run in panel.runs(&values(trend)) {
        let path = canvas.path(&run, false);
        marks::trend(path, ctx);
    }
}

fn series_of(shown: &Shown<'_>, point: &Mark) -> usize {
    shown
        .series
        .iter()
        .position(|name| *name == point.series)
        .unwrap_or(0)
}

fn draw_labels(
    canvas: &mut Canvas,
    ctx: &Context,
    words: &[String],
    full: &[String],
    placed: &[Option<Placed>],
) {
    for ((words, full), placed) in words.iter().zip(full).zip(placed) {
        let Some(placed) = placed else { continue };
        if let Some((from, to)) = placed.leader {
            canvas.line(from, to, ctx.palette.axis, 0.06 * ctx.em).end();
        }
        let (x, y) = (
            f64::midpoint(placed.rect.left, placed.rect.right),
            f64::midpoint(placed.rect.top, placed.rect.bottom),
        );
        canvas.text(&Text::small(ctx, x, y + ctx.drop(), Anchor::Middle, words).standing_for(full));
    }
}

/// Points with numbers, and a list of names beside or below them.
fn numbered(
    canvas: &mut Canvas,
    ctx: &Context,
    top: f64,
    data: &Data<'_>,
    shown: &Shown<'_>,
) -> f64 {
    let count = shown.points.len();
    let numbers: Vec<String> = (1..=count).map(|number| number.to_string()).collect();
    let before = ctx.small_width(&count.to_string()) + 1.6 * ctx.em;
    let names = shorten_all(&shown.names, ctx.small, 0.28 * ctx.width);
    let column = before
        + names
            .iter()
            .map(|name| ctx.small_width(name))
            .fold(0.0, f64::max);
    let beside = count <= BESIDE;
    let (right, height) = if beside {
        (
            ctx.right() - column - 1.2 * ctx.em,
            (count as f64 + 1.0) * ctx.line(),
        )
    } else {
        (ctx.right() - 0.5 * ctx.em, 0.0)
    };
    let panel = ground(canvas, ctx, top, data, shown, right, height);
    draw_points(canvas, ctx, &panel, data, shown);
    if count <= NUMBERED {
        let placed = labels(ctx, &panel, data, shown, &numbers);
        draw_labels(canvas, ctx, &numbers, &shown.names, &placed);
    }
    let entry = |canvas: &mut Canvas, i: usize, left: f64, y: f64| {
        let (Some(number), Some(name), Some(full), Some(point)) = (
            numbers.get(i),
            names.get(i),
            shown.names.get(i),
            shown.points.get(i),
        ) else {
            return;
        };
        let base = y + ctx.drop();
        let right = left + before - 1.3 * ctx.em;
        canvas.text(&Text::muted(ctx, right, base, Anchor::End, number));
        let mark = (left + before - 0.75 * ctx.em, y);
        marks::marker(canvas, ctx, series_of(shown, point), mark, 0.26 * ctx.em);
        canvas.text(&Text::small(ctx, left + before, base, Anchor::Start, name).standing_for(full));
    };
    if beside {
        let left = ctx.right() - column;
        for i in 0..count {
            let y = panel.area.top + (i as f64 + 0.5) * ctx.line();
            entry(canvas, i, left, y);
        }
        return panel.end;
    }
    let gap = 1.5 * ctx.em;
    let room = ctx.right() - ctx.margin();
    let columns = ((room + gap) / (column + gap)).floor().max(1.0) as usize;
    let rows = count.div_ceil(columns);
    let top = panel.end + 0.8 * ctx.em;
    for i in 0..count {
        let left = ctx.margin() + (i / rows) as f64 * (column + gap);
        entry(
            canvas,
            i,
            left,
            top + ((i % rows) as f64 + 0.5) * ctx.line(),
        );
    }
    top + rows as f64 * ctx.line()
}
