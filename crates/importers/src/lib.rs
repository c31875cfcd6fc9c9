#![doc = include_str!("../README.md")]
// An error ends an import: it may be as large as it needs to be.
#![allow(clippy::result_large_err)]

mod asked;
mod batch;
mod bigbench;
mod choice;
mod content;
mod error;
mod evalscope;
mod exchange;
mod format;
mod helm;
mod hint;
mod imported;
mod inspect;
mod json;
mod letter;
mod lighteval;
mod likelihood;
mod lines;
mod lm_eval;
mod names;
mod olmes;
mod opencompass;
mod promptfoo;
mod read;
mod refusal;
mod table;
mod vllm;

pub use error::{ImportError, Place, Problem};
pub use format::Format;
pub use imported::{
    AccuracyCheck, Imported, ImportedRow, Imports, Model, Options, RowScores, SourceFile, Values,
};
pub use inspect::{is_archive, questions_of};
pub use likelihood::Normalise;
pub use names::{QuestionName, QuestionNames, task_of};
pub use read::{import, import_bytes};
pub use refusal::Refusal;
pub use sureness_scorers::replay::Shares;
pub use table::right_of;
