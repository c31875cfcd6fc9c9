#![doc = include_str!("../README.md")]

mod draws;
mod error;
mod find;
mod import;
mod judge;
mod merge;
mod merge_draws;
mod merge_judge;
mod progress;
mod reader;
mod reuse;
mod rows;
mod schema;
mod writer;

pub use draws::{Drawn, StoredAnswer};
pub use error::StoreError;
pub use find::Place;
pub use import::{GroupImport, ImportOutcome, RowImport, RunImport};
pub use judge::JudgeSink;
pub use merge::{MergeInput, Merged};
pub use progress::{GroupProgress, Spot};
pub use reader::{Located, Reader, RunInfo, StoredRow};
pub use reuse::{AnsweredAt, EarlierAnswer};
pub use writer::Store;
