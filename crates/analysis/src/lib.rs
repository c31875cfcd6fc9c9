#![doc = include_str!("../README.md")]

mod align;
mod answering;
mod chart;
mod comparable;
mod document;
mod evidence;
mod figures;
mod fullness;
pub mod gate;
mod modes;
pub mod number;
mod open;
mod promise;
pub mod results;
pub mod scored;
mod settings;
pub mod settled;
mod text;

pub use align::{Common, CommonTask};
pub use chart::{
    Axis, Bin, Chart, ChartKind, Dot, Line, Mark, Point, Reference, Scale, Segment, Stack, Theme,
};
pub use document::{Better, Cell, Column, Document, Section, Table, Unit};
pub use evidence::{
    DrawnCounts, Evidence, GroupId, GroupRows, ModelEvidence, OrderedQuestion, OrderedRows, Source,
    SourceRecord,
};
pub use figures::{Board, Figures, GroupFigures, HEADLINE, Intervals, ModelFigures, ScoreFigures};
pub use modes::{Asked, Family, Listed, Mode, Pair, Reason, document, listed_questions};
pub use open::{OpenEvidence, OpenGroupFigures, OpenModelFigures, OpenRows};
pub use promise::Promise;
pub use settings::Settings;
