#![doc = include_str!("../README.md")]
// An error ends an import: it may be as large as it needs to be.
#![allow(clippy::result_large_err)]

mod choice;
mod content;
mod error;
mod format;
mod hint;
mod imported;
mod inspect;
mod json;
mod lighteval;
mod lm_eval;
mod names;
mod read;
mod table;

pub use error::{ImportError, Place, Problem};
pub use format::Format;
pub use imported::{
    AccuracyCheck, Imported, ImportedRow, Imports, Model, Options, RowScores, SourceFile, Values,
};
pub use names::{QuestionName, QuestionNames, task_of};
pub use read::{import, import_bytes};
pub use table::right_of;
