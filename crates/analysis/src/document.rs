//! What is shown, as data: the same for every output format.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Chart;

/// Everything that a command found out, in reading order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Document {
    /// Version of this layout; 1.
    pub version: u32,
    /// Program and version that wrote it.
    pub program: String,
    /// What it is about, such as "Comparison of 4 models".
    pub title: String,
    /// How the figures were made, in a line: protocol, error rate, split, seed, what intervals are
    /// about.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// The findings in a few sentences, the most important first.
    pub summary: Vec<String>,
    /// The parts.
    pub sections: Vec<Section>,
    /// Everything that is needed to repeat it: command, protocol, seeds, sources. No secrets.
    pub settings: serde_json::Value,
}

/// One part of a document: a question and its answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Section {
    /// Short name for files and links: lower case letters, digits and hyphens.
    pub id: String,
    /// The heading.
    pub title: String,
    /// What the tables and charts say, one sentence or paragraph each.
    pub text: Vec<String>,
    /// Tables, the most important first.
    pub tables: Vec<Table>,
    /// Charts, the most important first.
    pub charts: Vec<Chart>,
    /// What a reader must know to read the figures rightly.
    pub notes: Vec<String>,
}

/// A table of figures.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Table {
    /// Short name for files: lower case letters, digits and hyphens.
    pub id: String,
    /// The heading.
    pub title: String,
    /// What it shows, in a sentence.
    pub caption: String,
    /// The model that all rows are about, where no column names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The columns, from left to right.
    pub columns: Vec<Column>,
    /// The rows, each with one cell per column.
    pub rows: Vec<Vec<Cell>>,
    /// Rows after which a rule is drawn, such as before a row of means.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules_after: Vec<usize>,
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Column {
    /// Name for programs: lower case letters, digits and underscores; unique in its table.
    pub key: String,
    /// The heading, short.
    pub title: String,
    /// What the cells are.
    pub unit: Unit,
    /// Which values are good, where that can be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub better: Option<Better>,
    /// What it means, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
    /// Ids for programs of what the cells name for people, such as `qa` of a task's title.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ids: BTreeMap<String, String>,
}

/// What a column's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Words.
    Text,
    /// A whole number.
    Count,
    /// A fraction, shown as a percentage.
    Percent,
    /// A difference of fractions, shown in percentage points with its sign.
    PercentDifference,
    /// A number with so many decimals.
    Number(u8),
    /// A difference with so many decimals, shown with its sign.
    Difference(u8),
    /// A p-value.
    PValue,
}

/// Which values of a column are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// High ones, as of accuracy.
    Higher,
    /// Low ones, as of set size.
    Lower,
}

/// One cell.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// Nothing to say.
    #[default]
    Empty,
    /// Words.
    Text(String),
    /// A figure.
    Figure {
        /// The value; fractions for percentages.
        value: f64,
        /// Lower end of its interval.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        low: Option<f64>,
        /// Upper end of its interval.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        high: Option<f64>,
        /// How many observations it rests on, where that is not said in another column.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        n: Option<u64>,
        /// Why there is no interval where one is to be expected: `too few` or `full sets`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        no_interval: Option<String>,
    },
}

impl Cell {
    /// Words.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A figure without an interval.
    pub fn figure(value: f64) -> Self {
        Self::Figure {
            value,
            low: None,
            high: None,
            n: None,
            no_interval: None,
        }
    }

    /// A figure whose interval is missing, and why.
    pub fn without_interval(value: f64, why: &str) -> Self {
        Self::Figure {
            value,
            low: None,
            high: None,
            n: None,
            no_interval: Some(why.to_owned()),
        }
    }

    /// A figure with its interval.
    pub fn estimate(value: f64, (low, high): (f64, f64)) -> Self {
        Self::Figure {
            value,
            low: Some(low),
            high: Some(high),
            n: None,
            no_interval: None,
        }
    }

    /// A whole number.
    pub fn count(count: usize) -> Self {
        Self::figure(count as f64)
    }

    /// A figure, or nothing.
    pub fn maybe(value: Option<f64>) -> Self {
        value.map_or(Self::Empty, Self::figure)
    }

    /// The value of a figure.
    pub fn value(&self) -> Option<f64> {
        match self {
            Self::Figure { value, .. } => Some(*value),
            Self::Empty | Self::Text(_) => None,
        }
    }
}

impl Column {
    /// A column of words.
    pub fn text(key: &str, title: &str) -> Self {
        Self::new(key, title, Unit::Text)
    }

    /// A column.
    pub fn new(key: &str, title: &str, unit: Unit) -> Self {
        Self {
            key: key.to_owned(),
            title: title.to_owned(),
            unit,
            better: None,
            help: String::new(),
            ids: BTreeMap::new(),
        }
    }

    /// The same, where high values are good.
    #[must_use]
    pub fn higher(mut self) -> Self {
        self.better = Some(Better::Higher);
        self
    }

    /// The same, where low values are good.
    #[must_use]
    pub fn lower(mut self) -> Self {
        self.better = Some(Better::Lower);
        self
    }

    /// The same with its meaning.
    #[must_use]
    pub fn help(mut self, help: &str) -> Self {
        help.clone_into(&mut self.help);
        self
    }
}
