//! The figures of a document as one flat list, for programs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sureness_analysis::{Cell, Column, Document, Table, Unit};

/// Every figure of a document: what `sureness analyze --output json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FigureList {
    /// Version of this layout; 1.
    pub version: u32,
    /// Program and version that wrote it.
    pub program: String,
    /// How the figures were made: protocol, error rate, split, seed.
    pub method: String,
    /// The findings in sentences, warnings first.
    pub summary: Vec<String>,
    /// The figures, in reading order.
    pub figures: Vec<Figure>,
}

/// One figure, with all that it is about. Keys other than those below are the words of its row, by the
/// keys of their columns, such as `model`, `task` and `strategy`; where a key stands below, `of_` goes before
/// it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figure {
    /// The section, such as `basic`.
    pub section: String,
    /// The table, without the number that tells the tables of several models apart.
    pub table: String,
    /// The figure's name: the key of its column.
    pub figure: String,
    /// What the value is.
    pub unit: FigureUnit,
    /// The value; shares are fractions.
    pub value: f64,
    /// Lower end of its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper end of its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// How many observations it rests on, where no other figure of the row says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<u64>,
    /// Why there is no interval where one is to be expected: `too few` or `full sets`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_interval: Option<String>,
    /// The words of its row.
    #[serde(flatten)]
    pub about: BTreeMap<String, String>,
}

/// What the value of a figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FigureUnit {
    /// A whole number.
    Count,
    /// A fraction.
    Share,
    /// A difference of fractions.
    ShareDifference,
    /// A number.
    Number,
    /// A difference of numbers.
    Difference,
    /// A p-value.
    PValue,
}

impl From<Unit> for FigureUnit {
    fn from(unit: Unit) -> Self {
        match unit {
            Unit::Count => Self::Count,
            Unit::Percent => Self::Share,
            Unit::PercentDifference => Self::ShareDifference,
            // A column of words may have a number in it.
            Unit::Number(_) | Unit::Text => Self::Number,
            Unit::Difference(_) => Self::Difference,
            Unit::PValue => Self::PValue,
        }
    }
}

/// Keys of a figure, which no word of its row may take.
const KEYS: [&str; 9] = [
    "section",
    "table",
    "figure",
    "unit",
    "value",
    "low",
    "high",
    "n",
    "no_interval",
];

/// The figures of a document. Figures that are not finite are left out, since JSON cannot express them, and
/// so are such ends of intervals.
///
/// ```
/// use sureness_analysis::{Cell, Column, Document, Section, Table, Unit};
/// use sureness_report::export::figures;
///
/// let column = |key: &str, unit| Column {
///     key: key.into(),
///     title: key.into(),
///     unit,
///     better: None,
///     help: String::new(),
///     ids: Default::default(),
/// };
/// let table = Table {
///     id: "figures".into(),
///     columns: vec![column("model", Unit::Text), column("acc", Unit::Percent)],
///     rows: vec![vec![Cell::text("small"), Cell::estimate(0.5, (0.4, 0.6))]],
///     ..Table::default()
/// };
/// let section = Section { id: "basic".into(), tables: vec![table], ..Section::default() };
/// let document = Document {
///     version: 1,
///     program: "sureness".into(),
///     title: String::new(),
///     method: String::new(),
///     summary: Vec::new(),
///     sections: vec![section],
///     settings: Default::default(),
/// };
/// let list = figures(&document);
/// assert_eq!(list.figures[0].about["model"], "small");
/// assert_eq!((list.figures[0].figure.as_str(), list.figures[0].value), ("acc", 0.5));
/// ```
pub fn figures(document: &Document) -> FigureList {
    let mut figures = Vec::new();
    for section in &document.sections {
        for table in &section.tables {
            for row in &table.rows {
                figures.extend(figures_of(&section.id, table, row));
            }
        }
    }
    FigureList {
        version: 1,
        program: document.program.clone(),
        method: document.method.clone(),
        summary: document.summary.clone(),
        figures,
    }
}

fn figures_of<'a>(
    section: &'a str,
    table: &'a Table,
    row: &'a [Cell],
) -> impl Iterator<Item = Figure> + 'a {
    let about = about(table, row);
    table
        .columns
        .iter()
        .zip(row)
        .filter_map(move |(column, cell)| {
            let Cell::Figure {
                value,
                low,
                high,
                n,
                no_interval,
            } = cell
            else {
                return None;
            };
            value.is_finite().then(|| Figure {
                section: section.to_owned(),
                table: name_of(table).to_owned(),
                figure: column.key.clone(),
                unit: column.unit.into(),
                value: *value,
                low: low.filter(|end| end.is_finite()),
                high: high.filter(|end| end.is_finite()),
                n: *n,
                no_interval: no_interval.clone(),
                about: about.clone(),
            })
        })
}

/// The table's name, which does not depend on the number of its model.
fn name_of(table: &Table) -> &str {
    let numbered = table.model.as_ref().and(table.id.rsplit_once('-'));
    let name = numbered.filter(|(_, number)| number.parse::<u32>().is_ok());
    name.map_or(&table.id, |(name, _)| name)
}

/// The words of a row, by the keys of their columns.
fn about(table: &Table, row: &[Cell]) -> BTreeMap<String, String> {
    let words = table.columns.iter().zip(row).filter_map(|(column, cell)| {
        let Cell::Text(text) = cell else { return None };
        Some((key(column), column.ids.get(text).unwrap_or(text).clone()))
    });
    let model = table.model.iter();
    let model = model.map(|model| ("model".to_owned(), model.clone()));
    model.chain(words).collect()
}

fn key(column: &Column) -> String {
    let key = &column.key;
    if KEYS.contains(&key.as_str()) {
        return format!("of_{key}");
    }
    key.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_takes_the_place_of_a_key() {
        let column = |key: &str, unit| Column {
            key: key.into(),
            title: key.into(),
            unit,
            better: None,
            help: String::new(),
            ids: BTreeMap::new(),
        };
        let table = Table {
            id: "t-2".into(),
            model: Some("m".into()),
            columns: vec![
                column("figure", Unit::Text),
                column("x", Unit::Count),
                column("y", Unit::Count),
            ],
            rows: vec![vec![
                Cell::text("word"),
                Cell::count(1),
                Cell::figure(f64::NAN),
            ]],
            ..Table::default()
        };
        let found: Vec<Figure> = figures_of("s", &table, &table.rows[0]).collect();
        assert_eq!(found.len(), 1, "no figure that is not finite");
        let json = serde_json::to_value(&found[0]).unwrap();
        let expected = serde_json::json!({
            "section": "s", "table": "t", "figure": "x", "unit": "count", "value": 1.0,
            "model": "m", "of_figure": "word",
        });
        assert_eq!(json, expected);
        let keys = serde_json::to_value(Figure {
            low: Some(0.0),
            high: Some(0.0),
            n: Some(0),
            no_interval: Some(String::new()),
            about: BTreeMap::new(),
            ..found[0].clone()
        });
        let keys = keys.unwrap();
        let keys: Vec<&str> = keys
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert!(keys.iter().all(|key| KEYS.contains(key)) && keys.len() == KEYS.len());
    }
}
