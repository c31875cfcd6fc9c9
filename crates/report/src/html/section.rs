//! Sections, as their template takes them.

use serde::Serialize;
use sureness_analysis::{Chart, Section, Table, Theme};

use super::markup::slug;
use super::table::TableView;
use super::{Draw, theme, values};
use crate::format::without_blanks;

/// The ids of a section and its parts, and its tables and those behind its charts as they are shown,
/// for views to borrow.
pub(super) struct Parts {
    id: String,
    tables: Vec<(String, Table)>,
    charts: Vec<(String, String, Table)>,
}

impl Parts {
    pub(super) fn new(section: &Section) -> Self {
        // Ids of sections begin with a letter of ours: none can be that of another part of the page.
        let id = format!("s-{}", slug(&section.id));
        let part = |kind: char, at: usize, name: &str| format!("{id}-{kind}{at}-{}", slug(name));
        let tables = section.tables.iter().enumerate();
        let charts = section.charts.iter().enumerate();
        Self {
            tables: tables
                .map(|(at, table)| (part('t', at, &table.id), without_blanks(table)))
                .collect(),
            charts: charts
                .map(|(at, chart)| {
                    let id = part('c', at, &chart.id);
                    let values = format!("{id}-values");
                    (id, values, values::of(chart))
                })
                .collect(),
            id,
        }
    }
}

/// A section of `templates/section.html`.
#[derive(Serialize)]
pub(super) struct SectionView<'a> {
    id: &'a str,
    title: &'a str,
    text: &'a [String],
    tables: Vec<TableView<'a>>,
    charts: Vec<ChartView<'a>>,
    notes: &'a [String],
}

impl<'a> SectionView<'a> {
    pub(super) fn new(section: &'a Section, parts: &'a Parts, draw: &Draw<'_>) -> Self {
        let charts = section.charts.iter().zip(&parts.charts);
        Self {
            id: &parts.id,
            title: &section.title,
            text: &section.text,
            tables: parts
                .tables
                .iter()
                .map(|(id, table)| TableView::new(table, id, true))
                .collect(),
            charts: charts
                .map(|(chart, (id, values_id, values))| ChartView {
                    id,
                    title: &chart.title,
                    caption: &chart.caption,
                    drawing: drawing(chart, draw),
                    values: TableView::new(values, values_id, false),
                })
                .collect(),
            notes: &section.notes,
        }
    }
}

#[derive(Serialize)]
struct ChartView<'a> {
    id: &'a str,
    title: &'a str,
    caption: &'a str,
    /// An SVG element; empty where nothing is drawn.
    drawing: String,
    values: TableView<'a>,
}

fn drawing(chart: &Chart, draw: &Draw<'_>) -> String {
    let [light, dark] = [Theme::Light, Theme::Dark].map(|theme| draw(chart, theme));
    theme::combined(&light, &dark)
}
