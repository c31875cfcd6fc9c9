//! From the answers of one or many runs to what can be said about them.
//!
//! [`Evidence`] is what was measured: for each model and each (task, strategy), every question
//! with its option scores. The modes of this crate turn it into a [`Document`]: sections of
//! sentences, tables and charts, as data. How a document looks in a terminal, a paper or a browser
//! is the business of the crate `report`; where the evidence came from is that of the command
//! line. Every statistic comes from `sureness-conformal`.

mod align;
mod chart;
mod comparable;
mod document;
mod evidence;
mod figures;
mod fullness;
mod modes;
mod promise;
mod settings;
mod text;

pub use align::{Common, CommonTask};
pub use chart::{
    Axis, Bin, Chart, ChartKind, Dot, Line, Mark, Point, Reference, Scale, Segment, Stack,
};
pub use document::{Better, Cell, Column, Document, Section, Table, Unit};
pub use evidence::{Evidence, GroupId, GroupRows, ModelEvidence, Source, SourceRecord};
pub use figures::{Board, Figures, GroupFigures, HEADLINE, Intervals, ModelFigures, ScoreFigures};
pub use modes::{Asked, Family, Listed, Mode, Pair, Reason, document, listed_questions};
pub use promise::Promise;
pub use settings::Settings;
