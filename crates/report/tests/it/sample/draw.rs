//! Plain drawings that stand in for the real ones.

use sureness_analysis::{Chart, ChartKind, Theme};

/// Colours: ground, lines, text, marks, and the ends of a scale.
struct Colours {
    ground: &'static str,
    rule: &'static str,
    text: &'static str,
    mark: &'static str,
    scale: [(f64, f64, f64); 2],
}

const LIGHT: Colours = Colours {
    ground: "#ffffff",
    rule: "#dfe4e9",
    text: "#1b1f24",
    mark: "#0a5c8f",
    scale: [(235.0, 243.0, 249.0), (10.0, 92.0, 143.0)],
};

const DARK: Colours = Colours {
    ground: "#14171a",
    rule: "#2f363d",
    text: "#e4e7ea",
    mark: "#74b7e6",
    scale: [(29.0, 42.0, 54.0), (116.0, 183.0, 230.0)],
};

/// Width of the drawings, and of the names at their left.
const WIDTH: f64 = 760.0;
const LEFT: f64 = 170.0;

/// A drawing of the chart, with its values in about the right places.
pub fn draw(chart: &Chart, theme: Theme) -> String {
    let colours = match theme {
        Theme::Light => &LIGHT,
        Theme::Dark => &DARK,
    };
    let mut out = String::new();
    let height = match &chart.kind {
        ChartKind::Dots { rows, .. } => {
            let spans = rows.iter().map(|d| (d.label.as_str(), d.value, d.interval));
            dots(&mut out, spans, colours)
        }
        ChartKind::Heatmap { rows, values, .. } => heatmap(&mut out, rows, values, colours),
        ChartKind::Stacks { bars, .. } => {
            let values: Vec<Vec<Option<f64>>> = bars
                .iter()
                .map(|bar| bar.shares.iter().map(|s| Some(*s)).collect())
                .collect();
            let labels: Vec<String> = bars.iter().map(|bar| bar.label.clone()).collect();
            heatmap(&mut out, &labels, &values, colours)
        }
        ChartKind::Lines { lines, .. } => {
            for line in lines {
                points(
                    &mut out,
                    line.points.iter().map(|p| (p.x, p.y)),
                    true,
                    colours,
                );
            }
            320.0
        }
        ChartKind::Scatter { points: marks, .. } => {
            points(&mut out, marks.iter().map(|m| (m.x, m.y)), false, colours);
            320.0
        }
        ChartKind::Reliability { bins } => {
            let shown = bins.iter().map(|b| (b.confidence, b.accuracy));
            points(&mut out, shown, true, colours);
            320.0
        }
    };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\" \
         fill=\"{}\"><rect width=\"{WIDTH}\" height=\"{height}\" fill=\"{}\"/>{out}</svg>",
        colours.text, colours.ground
    )
}

fn name(out: &mut String, text: &str, y: f64) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    out.push_str(&format!(
        "<text x=\"{}\" y=\"{y}\" text-anchor=\"end\">{text}</text>",
        LEFT - 12.0
    ));
}

fn dots<'a>(
    out: &mut String,
    rows: impl Iterator<Item = (&'a str, f64, Option<(f64, f64)>)>,
    colours: &Colours,
) -> f64 {
    let rows: Vec<_> = rows.collect();
    let most = rows.iter().map(|r| r.1).fold(f64::MIN, f64::max);
    let x = |value: f64| LEFT + value / (most * 1.05) * (WIDTH - LEFT - 10.0);
    for (at, (label, value, interval)) in rows.iter().enumerate() {
        let y = 16.0 + 20.0 * at as f64;
        name(out, label, y + 4.0);
        out.push_str(&format!(
            "<path d=\"M{LEFT} {y}H{WIDTH}\" stroke=\"{}\"/>",
            colours.rule
        ));
        if let Some((low, high)) = interval {
            out.push_str(&format!(
                "<path d=\"M{:.1} {y}H{:.1}\" stroke=\"{}\" stroke-width=\"2\"/>",
                x(*low),
                x(*high),
                colours.mark
            ));
        }
        out.push_str(&format!(
            "<circle cx=\"{:.1}\" cy=\"{y}\" r=\"4\" fill=\"{}\"/>",
            x(*value),
            colours.mark
        ));
    }
    20.0 * rows.len() as f64 + 12.0
}

fn heatmap(
    out: &mut String,
    labels: &[String],
    values: &[Vec<Option<f64>>],
    colours: &Colours,
) -> f64 {
    let all = || values.iter().flatten().flatten().copied();
    let (low, high) = (
        all().fold(f64::MAX, f64::min),
        all().fold(f64::MIN, f64::max),
    );
    for (at, (label, row)) in labels.iter().zip(values).enumerate() {
        let y = 20.0 * at as f64;
        name(out, label, y + 14.0);
        let width = (WIDTH - LEFT) / row.len().max(1) as f64;
        for (place, value) in row.iter().enumerate() {
            let Some(value) = value else { continue };
            let share = (value - low) / (high - low).max(1e-9);
            let [a, b] = colours.scale;
            let mix = |a: f64, b: f64| (a + (b - a) * share) as u8;
            out.push_str(&format!(
                "<rect x=\"{:.1}\" y=\"{y}\" width=\"{:.1}\" height=\"18\" \
                 fill=\"#{:02x}{:02x}{:02x}\"/>",
                LEFT + width * place as f64,
                width - 2.0,
                mix(a.0, b.0),
                mix(a.1, b.1),
                mix(a.2, b.2)
            ));
        }
    }
    20.0 * labels.len() as f64 + 4.0
}

fn points(
    out: &mut String,
    points: impl Iterator<Item = (f64, f64)>,
    line: bool,
    colours: &Colours,
) {
    let points: Vec<_> = points.collect();
    let most = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).fold(1e-9, f64::max);
    let (x, y) = (most(|p| p.0), most(|p| p.1));
    let places: Vec<(f64, f64)> = points
        .iter()
        .map(|p| (40.0 + p.0 / x * (WIDTH - 60.0), 300.0 - p.1 / y * 270.0))
        .collect();
    if line {
        let path: Vec<String> = places
            .iter()
            .map(|p| format!("{:.1} {:.1}", p.0, p.1))
            .collect();
        out.push_str(&format!(
            "<path d=\"M{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\"/>",
            path.join("L"),
            colours.mark
        ));
    } else {
        for (x, y) in places {
            out.push_str(&format!(
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{}\"/>",
                colours.mark
            ));
        }
    }
}
