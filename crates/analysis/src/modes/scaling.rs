//! What the size of a model changes, within a family.

use std::collections::BTreeMap;

use sureness_conformal::linear_trend;

use super::basic::estimate;
use crate::comparable::obstacles;
use crate::figures::Figures;
use crate::text::list;
use crate::{Axis, Cell, Chart, ChartKind, Column, Line, Mark, Point, Section, Table, Unit};

/// A family of models.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Family {
    /// What the names of its models have in common, whatever the case; empty for the largest family
    /// that is recognised.
    pub name: String,
    /// Only these sizes, in billions of parameters; empty for all.
    pub sizes: Vec<f64>,
}

/// Billions of parameters, from a model's name: `Qwen-7B`, `smollm2-135m`.
pub(crate) fn size_of(name: &str) -> Option<f64> {
    read_size(name).map(|(size, _)| size)
}

/// What the names of a family's models have in common: the name without its size.
fn stem_of(name: &str) -> Option<String> {
    read_size(name).map(|(_, stem)| stem)
}

/// The size in a name, and the rest of the name.
fn read_size(name: &str) -> Option<(f64, String)> {
    let text: Vec<char> = name.to_lowercase().chars().collect();
    let mut at = 0;
    while at < text.len() {
        let starts = text[at].is_ascii_digit()
            && (at == 0 || !(text[at - 1].is_ascii_alphanumeric() || text[at - 1] == '.'));
        if !starts {
            at += 1;
            continue;
        }
        let begin = at;
        while at < text.len() && (text[at].is_ascii_digit() || text[at] == '.') {
            at += 1;
        }
        let number: String = text[begin..at].iter().collect();
        let unit = text.get(at).copied();
        let ends = text.get(at + 1).is_none_or(|c| !c.is_ascii_alphanumeric());
        let scale = match unit {
            Some('b') if ends => 1.0,
            Some('m') if ends => 1e-3,
            _ => continue,
        };
        if let Ok(number) = number.parse::<f64>() {
            let rest = text[..begin].iter().chain(&text[at + 1..]).collect();
            return (number > 0.0).then_some((number * scale, rest));
        }
    }
    None
}

/// One model of the family.
struct Member {
    model: usize,
    name: String,
    size: f64,
}

/// Which of four figures a chart and a column are about.
const SHOWN: [(usize, &str, &str, Unit); 4] = [
    (3, "uacc", "UAcc", Unit::Percent),
    (0, "acc", "Accuracy", Unit::Percent),
    (2, "set_size", "Mean set size", Unit::Number(2)),
    (1, "coverage", "Coverage", Unit::Percent),
];

/// Figures over size, with a trend.
pub(super) fn section(figures: &Figures<'_>, family: Option<&Family>) -> Section {
    let mut section = Section {
        id: "scaling".into(),
        title: "Effect of model size".into(),
        ..Section::default()
    };
    let members = members(figures, &family.cloned().unwrap_or_default());
    let sizes: Vec<f64> = members.iter().map(|member| member.size).collect();
    if sizes.first() == sizes.last() {
        let told = family.is_some_and(|family| !family.name.is_empty());
        if !told {
            section.text.push(
                "No model family found: a family has names that differ only in a size, such as `m-7B` and `m-13B`. Name one with --model-family.".into(),
            );
        }
        let names: Vec<&str> = figures.models.iter().map(|m| &*m.model.name).collect();
        section.text.push(format!(
            "A trend needs models of at least two sizes, named such as `7B` or `135M`; searched {}.",
            list(&names)
        ));
        return section;
    }
    let indices: Vec<usize> = members.iter().map(|member| member.model).collect();
    let common = figures.common(&indices);
    section.notes.extend(common.notes.iter().cloned());
    if common.panel.questions() == 0 {
        section
            .text
            .push("These models have no question in common.".into());
        return section;
    }
    let obstacles = obstacles(figures, &common);
    if !obstacles.is_empty() {
        section.text.push(format!(
            "No trend is fitted, because the models were measured differently: {}.",
            obstacles.join("; ")
        ));
        return section;
    }
    let resampled = common.panel.resample(&figures.settings.resampling);
    let level = figures.settings.resampling.level;
    let x: Vec<f64> = sizes.iter().map(|size| size.log2()).collect();
    let interval =
        |place: usize, figure: usize| resampled.interval(place, figure).ok().map(|i| i.ends());

    let mut trends = Vec::new();
    for (figure, key, title, unit) in SHOWN {
        let y: Vec<f64> = (0..members.len())
            .map(|place| resampled.figures(place)[figure])
            .collect();
        let trend = linear_trend(&x, &y, level);
        let difference = match unit {
            Unit::Percent => Unit::PercentDifference,
            _ => Unit::Difference(2),
        };
        trends.push((title, difference, trend));
        let line = trend.map(|trend| Line {
            name: "trend".into(),
            points: ends(&sizes)
                .map(|size| Point {
                    x: size,
                    y: trend.intercept + trend.slope * size.log2(),
                    interval: None,
                })
                .collect(),
        });
        section.charts.push(Chart {
            id: format!("scaling-{}", key.replace('_', "-")),
            title: format!("{title} over model size"),
            caption: "Each point is a model with its interval; the line is fitted over the logarithm of size.".into(),
            kind: ChartKind::Scatter {
                x: Axis {
                    title: "Parameters, billions".into(),
                    unit: Unit::Number(1),
                    log: true,
                    range: None,
                },
                y: super::comparative::axis(title, unit),
                points: members
                    .iter()
                    .enumerate()
                    .map(|(place, member)| Mark {
                        label: member.name.clone(),
                        series: String::new(),
                        x: member.size,
                        y: y[place],
                        x_interval: None,
                        y_interval: interval(place, figure),
                    })
                    .collect(),
                trend: line,
                reference: None,
            },
        });
    }
    section.text.push("The change per doubling of the number of parameters, from a straight line over the logarithm of size. With few models the interval is wide, and a family's models differ in more than their size.".into());
    section.tables.push(member_table(&members, &resampled));
    section.tables.push(trend_table(&trends, members.len()));
    section
}

/// The family's models, the smallest first.
fn members(figures: &Figures<'_>, family: &Family) -> Vec<Member> {
    let wanted = family.name.to_lowercase();
    let mut members: Vec<Member> = figures
        .models
        .iter()
        .enumerate()
        .filter(|(_, m)| m.model.name.to_lowercase().contains(&wanted))
        .filter_map(|(model, m)| {
            let size = size_of(&m.model.name)?;
            let asked = family.sizes.is_empty()
                || family
                    .sizes
                    .iter()
                    .any(|other| (other / size - 1.0).abs() < 0.01);
            asked.then(|| Member {
                model,
                name: m.model.name.clone(),
                size,
            })
        })
        .collect();
    if wanted.is_empty() {
        keep_largest_family(&mut members);
    }
    members.sort_by(|a, b| a.size.total_cmp(&b.size));
    members
}

/// Keeps the models whose names are alike but for their sizes; of several such families, the one with
/// the most models. A line through different families would not be a trend over size.
fn keep_largest_family(members: &mut Vec<Member>) {
    let mut families: BTreeMap<String, usize> = BTreeMap::new();
    for member in members.iter() {
        *families
            .entry(stem_of(&member.name).unwrap_or_default())
            .or_default() += 1;
    }
    let largest = families.into_iter().max_by_key(|&(_, models)| models);
    if let Some((stem, _)) = largest {
        members.retain(|member| stem_of(&member.name).as_ref() == Some(&stem));
    }
}

fn ends(sizes: &[f64]) -> impl Iterator<Item = f64> {
    [sizes.first(), sizes.last()].into_iter().flatten().copied()
}

fn member_table(members: &[Member], resampled: &sureness_conformal::Resampled) -> Table {
    let mut columns = vec![
        Column::text("model", "Model"),
        Column::new("size", "Billions", Unit::Number(2)).help("Parameters, as the name tells."),
    ];
    columns.extend(SHOWN.map(|(_, key, title, unit)| Column::new(key, title, unit)));
    let rows = members
        .iter()
        .enumerate()
        .map(|(place, member)| {
            let mut row = vec![Cell::text(member.name.clone()), Cell::figure(member.size)];
            row.extend(SHOWN.map(|(figure, ..)| {
                let interval = resampled.interval(place, figure);
                estimate(resampled.figures(place)[figure], interval)
            }));
            row
        })
        .collect();
    Table {
        id: "scaling".into(),
        title: "The family, by size".into(),
        caption:
            "Means over tasks, strategies, LAC and APS, on the questions that all models answered."
                .into(),
        columns,
        rows,
        ..Table::default()
    }
}

fn trend_table(
    trends: &[(&str, Unit, Option<sureness_conformal::Trend>)],
    members: usize,
) -> Table {
    // Units differ by row, and a column has one: shares stand in percentage points, set size apart.
    let rows = trends
        .iter()
        .map(|(title, unit, trend)| {
            let cell = trend.map_or(Cell::Empty, |trend| match trend.interval {
                Some(interval) => Cell::estimate(trend.slope, interval),
                None => Cell::figure(trend.slope),
            });
            let (share, number) = match unit {
                Unit::PercentDifference => (cell, Cell::Empty),
                _ => (Cell::Empty, cell),
            };
            let p = trend.and_then(|trend| trend.p_value);
            vec![Cell::text(*title), share, number, Cell::maybe(p)]
        })
        .collect();
    Table {
        id: "trends".into(),
        title: "Change per doubling of size".into(),
        caption: format!("Least squares over {members} models, Student's t."),
        columns: vec![
            Column::text("metric", "Metric"),
            Column::new("share", "Points", Unit::PercentDifference),
            Column::new("options", "Options", Unit::Difference(2)),
            Column::new("p", "p", Unit::PValue),
        ],
        rows,
        ..Table::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_off_names() {
        let cases = [
            ("Qwen-7B", Some(7.0)),
            ("Llama-2-7b-hf", Some(7.0)),
            ("smollm2-135m", Some(0.135)),
            ("SmolLM2-135M-Instruct.Q4_1", Some(0.135)),
            ("deepseek-llm-67b-chat", Some(67.0)),
            ("phi-1.3B", Some(1.3)),
            ("gpt-4", None),
            ("v2b", None),
            ("model-8bit", None),
            ("0b", None),
        ];
        for (name, size) in cases {
            assert_eq!(size_of(name), size, "{name}");
        }
    }
}
