//! Reads evaluations that were run elsewhere, so that they can be analysed like our own runs.
//!
//! [`import`] takes files and folders in one of four formats ([`Format`]) and gives one
//! [`Imported`] per (model, task, strategy): every question with the log-probabilities of its
//! options, the right answer, and a digest by which the same question is known in another model's
//! file. What is done with them is for others to decide: this crate knows of no store.
//!
//! Files come from strangers. Sizes are bounded, nothing in them is run, and whatever is wrong is
//! an [`ImportError`] that names file, place and field.

// An error ends an import: it may be as large as it needs to be.
#![allow(clippy::result_large_err)]

mod content;
mod error;
mod format;
mod imported;
mod inspect;
mod json;
mod lm_eval;
mod names;
mod read;
mod table;

pub use error::{ImportError, Place, Problem};
pub use format::Format;
pub use imported::{
    AccuracyCheck, Imported, ImportedRow, Model, Options, RowScores, SourceFile, Values,
};
pub use names::{QuestionName, QuestionNames, task_of};
pub use read::{import, import_bytes};
