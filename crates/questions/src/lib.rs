//! Questions, tasks and the readers of each data set's native layout.
//!
//! A [`Question`] has a stem and 2 to 26 options. The two abstention options of the
//! benchmark ("I don't know" and "None of the above") are ordinary options: they are
//! added by [`Question::with_abstention`] and are asked, scored and counted like the rest.

//!
//! [`load`] reads a file or folder in one of nine layouts ([`Format`]), checks every row and
//! gives a [`Dataset`]; [`pack::dataset`] gives the built-in questions; [`answers::read`] reads
//! answer keys alone. Whatever is wrong with a file is a [`DataError`] that names file, line
//! and field.

pub mod answers;
mod bank;
mod cluster;
mod digest;
mod draft;
mod error;
mod examples;
mod format;
mod load;
pub mod pack;
mod question;
mod readers;
mod shard;
mod source;
mod task;

pub use bank::{Bank, Digests};
pub use cluster::ClusterBy;
pub use error::{DataError, Problem};
pub use format::Format;
pub use load::{LoadOptions, load, load_bytes};
pub use question::{DONT_KNOW, MAX_OPTIONS, NONE_OF_THE_ABOVE, Question, label};
pub use shard::Shard;
pub use task::{Background, Dataset, Task};
