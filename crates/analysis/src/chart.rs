//! Charts, as data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Unit;

/// The colours that a chart is drawn in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// Dark lines on white; also what is printed.
    #[default]
    Light,
    /// Light lines on a dark ground.
    Dark,
}

impl Theme {
    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// A chart with what it shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Chart {
    /// Short name for files: lower case letters, digits and hyphens; unique in its document.
    pub id: String,
    /// The heading.
    pub title: String,
    /// What it shows, in a sentence.
    pub caption: String,
    /// What is drawn.
    pub kind: ChartKind,
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChartKind {
    /// Values with intervals, a row for each label: a leaderboard, a comparison, a forest plot.
    Dots {
        /// The horizontal axis.
        axis: Axis,
        /// The rows, from top to bottom.
        rows: Vec<Dot>,
        /// A vertical line, such as the coverage that was asked for.
        reference: Option<Reference>,
    },
    /// Lines over a continuous quantity, with a band each where intervals are known.
    Lines {
        /// The horizontal axis.
        x: Axis,
        /// The vertical axis.
        y: Axis,
        /// The lines.
        lines: Vec<Line>,
        /// A line to compare with.
        reference: Option<Reference>,
    },
    /// Named points over two quantities.
    Scatter {
        /// The horizontal axis.
        x: Axis,
        /// The vertical axis.
        y: Axis,
        /// The points.
        points: Vec<Mark>,
        /// A line through them, such as a trend.
        trend: Option<Line>,
        /// A line to compare with.
        reference: Option<Reference>,
    },
    /// A table of colours.
    Heatmap {
        /// Names of the rows, from top to bottom.
        rows: Vec<String>,
        /// Names of the columns, from left to right.
        columns: Vec<String>,
        /// One list per row; nothing where there is no value.
        values: Vec<Vec<Option<f64>>>,
        /// What the values are.
        unit: Unit,
        /// How values become colours.
        scale: Scale,
    },
    /// Shares of a whole, a bar for each label: how often sets of each size occur.
    Stacks {
        /// The horizontal axis, over 0 to 1.
        axis: Axis,
        /// Names of the segments, in order (they are ordered: sizes, ranks).
        segments: Vec<Segment>,
        /// The bars, from top to bottom, each with one share per segment.
        bars: Vec<Stack>,
    },
    /// How often the model is right at each confidence, beside how often it should be.
    Reliability {
        /// Bins in ascending order of confidence.
        bins: Vec<Bin>,
    },
}

/// An axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Axis {
    /// What it measures, such as "Mean set size".
    pub title: String,
    /// How its numbers are written.
    pub unit: Unit,
    /// Whether it is logarithmic.
    #[serde(default)]
    pub log: bool,
    /// Ends of the axis, where they are fixed rather than chosen by the data.
    #[serde(default)]
    pub range: Option<(f64, f64)>,
}

/// A line to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// Where the value axis (x of dots, y of lines and scatters) has this value.
    At(f64),
    /// Where y equals x.
    Diagonal,
    /// Where y is this minus x: the coverage that an error rate promises.
    Falling(f64),
}

/// A value with its interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Dot {
    /// Which row it is in; dots of one label share a row.
    pub label: String,
    /// Which colour and shape it has; empty where there is one series only.
    pub series: String,
    /// The value.
    pub value: f64,
    /// Its interval.
    pub interval: Option<(f64, f64)>,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// Its points, in ascending order of x.
    pub points: Vec<Point>,
}

/// A point of a line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// Where it is.
    pub x: f64,
    /// How high it is.
    pub y: f64,
    /// The interval of y.
    pub interval: Option<(f64, f64)>,
}

/// A named point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Mark {
    /// Its name.
    pub label: String,
    /// Which colour and shape it has; empty where there is one series only.
    pub series: String,
    /// Where it is.
    pub x: f64,
    /// How high it is.
    pub y: f64,
    /// The interval of x.
    pub x_interval: Option<(f64, f64)>,
    /// The interval of y.
    pub y_interval: Option<(f64, f64)>,
}

/// How values become colours.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// From little to much, between these values.
    Sequential(f64, f64),
    /// From minus this, over zero, to plus this.
    Diverging(f64),
}

/// One kind of share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Segment {
    /// Its name, such as "2 options".
    pub name: String,
}

/// One bar of shares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stack {
    /// Its name.
    pub label: String,
    /// One share per segment; they add up to one.
    pub shares: Vec<f64>,
}

/// Answers of about the same confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bin {
    /// Ends of the bin.
    pub range: (f64, f64),
    /// Mean confidence of its answers.
    pub confidence: f64,
    /// How often they are right.
    pub accuracy: f64,
    /// How many they are.
    pub count: usize,
}
