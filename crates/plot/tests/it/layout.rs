//! No text lies over another or leaves the picture, for each kind of chart at any size.

use crate::charts;
use crate::measure::{number, texts, view_box};
use roxmltree::Document;
use sureness_analysis::Theme;
use sureness_plot::{Style, svg};

const COUNTS: [usize; 7] = [1, 2, 5, 10, 20, 30, 40];

fn check(models: usize, style: &Style) {
    for chart in charts::all(models) {
        let drawing = svg(&chart, style);
        let document = Document::parse(&drawing).unwrap();
        let size = view_box(&document);
        let texts = texts(&document);
        let what = format!("{} with {models}, {style:?}", chart.id);
        assert!(texts.len() > models.min(3), "{what}: hardly any text");
        for (i, text) in texts.iter().enumerate() {
            assert!(text.inside(size), "{what}: {text:?} leaves {size:?}");
            for other in &texts[..i] {
                assert!(
                    !text.overlaps(other),
                    "{what}: {:?} lies over {:?}\n{text:?}\n{other:?}",
                    text.words,
                    other.words
                );
            }
        }
    }
}

#[test]
fn texts_keep_apart_and_inside() {
    for models in COUNTS {
        check(models, &Style::default());
    }
}

#[test]
fn also_where_the_picture_is_narrow_or_wide_or_the_font_large() {
    for models in COUNTS {
        for (width, font_size) in [(420.0, 12.0), (1100.0, 11.0), (720.0, 17.0), (300.0, 14.0)] {
            let style = Style {
                width,
                font_size,
                heading: models % 2 == 0,
                theme: Theme::Dark,
                ..Style::default()
            };
            check(models, &style);
        }
    }
}

#[test]
fn names_of_points_lie_over_no_point_and_each_point_has_one() {
    for models in COUNTS {
        let charts = charts::all(models);
        let chart = charts.iter().find(|chart| chart.id == "trade-off").unwrap();
        let drawing = svg(chart, &Style::default());
        let document = Document::parse(&drawing).unwrap();
        let points: Vec<(f64, f64)> = document
            .descendants()
            .filter(|node| node.has_tag_name("circle"))
            .map(|node| (number(node, "cx"), number(node, "cy")))
            .collect();
        assert!(points.len() >= models);
        let texts = texts(&document);
        for text in &texts {
            assert!(
                !points.iter().any(|point| text.holds(*point)),
                "{models} models: {:?} lies over a point",
                text.words
            );
        }
        // Numbers stand twice: at the point and in the list.
        let numbered = texts.iter().filter(|text| text.words == "1").count();
        let named = texts
            .iter()
            .filter(|text| text.words.starts_with("meta-"))
            .count();
        assert!(
            named >= 1 && (numbered == 2 || numbered == 0),
            "{models} models"
        );
    }
}
