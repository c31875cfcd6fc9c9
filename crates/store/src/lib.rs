//! One SQLite file: answered prompts keyed by content, and the runs that refer to them.
//!
//! Resume is a cache hit. A run asks what the file does not hold, whatever the reason: it was
//! killed, it is a new run over the same questions, or only some strategies are new. There is no
//! second journal. Answers are committed as they arrive and survive the death of the process.

mod codec;
mod error;
mod import;
mod merge;
mod question;
mod reader;
mod reuse;
mod schema;
mod writer;

pub use error::StoreError;
pub use import::{GroupImport, ImportOutcome, RowImport, RunImport};
pub use merge::{MergeInput, Merged};
pub use question::StoredQuestion;
pub use reader::{Reader, RunInfo, StoredRow};
pub use reuse::{AnsweredAt, EarlierAnswer};
pub use writer::Store;
