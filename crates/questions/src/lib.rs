#![doc = include_str!("../README.md")]

pub mod answers;
mod bank;
pub mod bare;
mod cluster;
mod digest;
mod draft;
mod error;
mod examples;
mod foreign;
mod format;
mod from_one;
mod load;
pub mod pack;
pub mod paper;
mod question;
mod readers;
mod shard;
mod source;
mod task;
mod unread;

pub use bank::{Bank, Digests};
pub use cluster::ClusterBy;
pub use error::{DataError, Problem};
pub use foreign::Foreign;
pub use format::Format;
pub use from_one::{FromOne, NumberedAnswers};
pub use load::{LoadOptions, load, load_bytes};
pub use question::{DONT_KNOW, MAX_OPTIONS, NONE_OF_THE_ABOVE, Question, letter, letter_index};
pub use shard::Shard;
pub use task::{Background, Dataset, Task};
pub use unread::Unread;
