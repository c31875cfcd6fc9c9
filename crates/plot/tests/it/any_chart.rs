//! Whatever a chart holds, its drawing is well-formed and within its picture.

use crate::charts;
use crate::measure::{measurable, texts, view_box};
use proptest::prelude::*;
use roxmltree::{Document, Node};
use sureness_analysis::{
    Axis, Bin, Chart, ChartKind, Dot, Line, Mark, Point, Reference, Scale, Segment, Stack, Theme,
    Unit,
};
use sureness_plot::{Style, svg};

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0.0..1.0_f64,
        2 => -1e3..1e3_f64,
        1 => any::<f64>(),
        1 => prop::sample::select(vec![
            0.0, 1.0, -1.0, 0.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE, 5e-324, 1e99, -1e99, 1e-99,
        ]),
    ]
}

fn interval() -> impl Strategy<Value = Option<(f64, f64)>> {
    prop::option::of((number(), number()))
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-zA-Z0-9/._-]{0,60}",
        2 => "\\PC{0,70}",
        1 => any::<String>(),
        1 => Just(String::new()),
        1 => Just("同じ名前".repeat(12)),
    ]
}

fn unit() -> impl Strategy<Value = Unit> {
    prop_oneof![
        Just(Unit::Text),
        Just(Unit::Count),
        Just(Unit::Percent),
        Just(Unit::PercentDifference),
        (0..=9_u8).prop_map(Unit::Number),
        (0..=9_u8).prop_map(Unit::Difference),
        Just(Unit::PValue),
    ]
}

fn axis() -> impl Strategy<Value = Axis> {
    (words(), unit(), any::<bool>(), interval()).prop_map(|(title, unit, log, range)| Axis {
        title,
        unit,
        log,
        range,
    })
}

fn reference() -> impl Strategy<Value = Option<Reference>> {
    prop::option::of(prop_oneof![
        number().prop_map(Reference::At),
        Just(Reference::Diagonal),
        number().prop_map(Reference::Falling),
    ])
}

fn line() -> impl Strategy<Value = Line> {
    let point =
        (number(), number(), interval()).prop_map(|(x, y, interval)| Point { x, y, interval });
    (words(), prop::collection::vec(point, 0..12)).prop_map(|(name, points)| Line { name, points })
}

fn kind() -> impl Strategy<Value = ChartKind> {
    let series = || prop_oneof![Just(String::new()), Just("LAC".to_owned()), words()];
    let dot =
        (words(), series(), number(), interval()).prop_map(|(label, series, value, interval)| {
            Dot {
                label,
                series,
                value,
                interval,
            }
        });
    let mark = (
        words(),
        series(),
        number(),
        number(),
        interval(),
        interval(),
    )
        .prop_map(|(label, series, x, y, x_interval, y_interval)| Mark {
            label,
            series,
            x,
            y,
            x_interval,
            y_interval,
        });
    let scale = prop_oneof![
        (number(), number()).prop_map(|(low, high)| Scale::Sequential(low, high)),
        number().prop_map(Scale::Diverging),
    ];
    let stack = (words(), prop::collection::vec(number(), 0..9))
        .prop_map(|(label, shares)| Stack { label, shares });
    let bin = ((number(), number()), number(), number(), any::<usize>()).prop_map(
        |(range, confidence, accuracy, count)| Bin {
            range,
            confidence,
            accuracy,
            count,
        },
    );
    let names = || prop::collection::vec(words(), 0..45);
    let values = prop::collection::vec(
        prop::collection::vec(prop::option::of(number()), 0..12),
        0..12,
    );
    prop_oneof![
        (axis(), prop::collection::vec(dot, 0..45), reference()).prop_map(
            |(axis, rows, reference)| ChartKind::Dots {
                axis,
                rows,
                reference
            }
        ),
        (
            axis(),
            axis(),
            prop::collection::vec(line(), 0..45),
            reference()
        )
            .prop_map(|(x, y, lines, reference)| ChartKind::Lines {
                x,
                y,
                lines,
                reference
            }),
        (
            axis(),
            axis(),
            prop::collection::vec(mark, 0..60),
            prop::option::of(line()),
            reference()
        )
            .prop_map(|(x, y, points, trend, reference)| ChartKind::Scatter {
                x,
                y,
                points,
                trend,
                reference
            }),
        (names(), names(), values, unit(), scale).prop_map(
            |(rows, columns, values, unit, scale)| ChartKind::Heatmap {
                rows,
                columns,
                values,
                unit,
                scale
            }
        ),
        (axis(), names(), prop::collection::vec(stack, 0..45)).prop_map(|(axis, names, bars)| {
            ChartKind::Stacks {
                axis,
                segments: names.into_iter().map(|name| Segment { name }).collect(),
                bars,
            }
        }),
        prop::collection::vec(bin, 0..45).prop_map(|bins| ChartKind::Reliability { bins }),
    ]
}

fn style() -> impl Strategy<Value = Style> {
    (
        any::<bool>(),
        number(),
        number(),
        any::<bool>(),
        any::<bool>(),
        100.0..1500.0_f64,
        5.0..30.0_f64,
        any::<bool>(),
    )
        .prop_map(
            |(dark, odd_width, odd_size, background, heading, width, font_size, odd)| Style {
                theme: if dark { Theme::Dark } else { Theme::Light },
                width: if odd { odd_width } else { width },
                font_size: if odd { odd_size } else { font_size },
                background,
                heading,
            },
        )
}

/// The numbers of an attribute that are places, each with whether it is horizontal.
fn places(node: Node<'_, '_>) -> Vec<(bool, f64)> {
    let mut out = Vec::new();
    for attribute in node.attributes() {
        let value = attribute.value();
        let number = || value.parse::<f64>().unwrap_or(f64::NAN);
        match attribute.name() {
            "x" | "x1" | "x2" | "cx" => out.push((true, number())),
            "y" | "y1" | "y2" | "cy" => out.push((false, number())),
            "d" => {
                for pair in value.split(['M', 'L', 'Z']).filter(|pair| !pair.is_empty()) {
                    let (x, y) = pair.split_once(' ').expect("a pair of numbers");
                    out.push((true, x.parse().unwrap_or(f64::NAN)));
                    out.push((false, y.parse().unwrap_or(f64::NAN)));
                }
            }
            "width" | "height" | "r" | "font-size" | "stroke-width" => {
                assert!(number() >= 0.0, "{}: {value}", attribute.name());
            }
            _ => {}
        }
    }
    let far = |start: &str, length: &str| {
        let read = |name: &str| {
            node.attribute(name)
                .and_then(|value| value.parse::<f64>().ok())
        };
        read(start)
            .zip(read(length))
            .map(|(start, length)| start + length)
    };
    out.extend(far("x", "width").map(|x| (true, x)));
    out.extend(far("y", "height").map(|y| (false, y)));
    out
}

fn check(chart: &Chart, style: &Style) {
    let drawing = svg(chart, style);
    let document = Document::parse(&drawing).expect("well-formed");
    let size = view_box(&document);
    for node in document.root_element().descendants().skip(1) {
        for (horizontal, place) in places(node) {
            let end = if horizontal { size.0 } else { size.1 };
            assert!(
                place >= -0.01 && place <= end + 0.01,
                "{place} is not within {end}: {}",
                &drawing[node.range()]
            );
        }
    }
    for text in texts(&document) {
        assert!(
            !measurable(&text.words) || text.inside(size),
            "{text:?} leaves {size:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_chart_is_well_formed_and_within_its_picture(
        id in words(),
        title in words(),
        caption in words(),
        kind in kind(),
        style in style(),
    ) {
        check(&Chart { id, title, caption, kind }, &style);
    }
}

#[test]
fn charts_with_one_value_or_equal_values_have_an_axis() {
    for value in [0.0, 0.5, 1.0, -3.0, 1e12, 1e-12] {
        let row = |label: &str| Dot {
            label: label.to_owned(),
            series: String::new(),
            value,
            interval: None,
        };
        let chart = charts::chart(
            "equal",
            "",
            "",
            ChartKind::Dots {
                axis: charts::axis("", Unit::Number(2)),
                rows: vec![row("a"), row("b")],
                reference: None,
            },
        );
        check(&chart, &Style::default());
        let drawing = svg(&chart, &Style::default());
        let document = Document::parse(&drawing).unwrap();
        // Two names, two values, and a tick at least.
        assert!(texts(&document).len() >= 5, "{value}: {drawing}");
    }
}

#[test]
fn ids_of_many_drawings_in_one_page_do_not_clash() {
    let mut seen = std::collections::HashSet::new();
    for theme in [Theme::Light, Theme::Dark] {
        let style = Style {
            theme,
            ..Style::default()
        };
        for chart in charts::all(3) {
            let drawing = svg(&chart, &style);
            let document = Document::parse(&drawing).unwrap();
            let root = document.root_element();
            assert_eq!(root.attribute("role"), Some("img"));
            let mut ids = Vec::new();
            for node in document.descendants() {
                if let Some(id) = node.attribute("id") {
                    assert!(seen.insert(id.to_owned()), "{id} twice");
                    ids.push(id.to_owned());
                }
            }
            for named in root.attribute("aria-labelledby").unwrap().split(' ') {
                assert!(ids.iter().any(|id| id == named), "{named} is not there");
            }
            let title = root.children().find(|node| node.has_tag_name("title"));
            assert_eq!(title.unwrap().text(), Some(chart.title.as_str()));
        }
    }
}
