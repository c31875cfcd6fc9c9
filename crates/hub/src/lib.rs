#![doc = include_str!("../README.md")]

mod cache;
mod download;
mod environment;
mod error;
mod files;
mod name;
mod open;
mod patience;
mod remote;

pub use cache::Cached;
pub use environment::{Hub, Token};
pub use error::HubError;
pub use files::SplitFiles;
pub use name::DatasetName;
pub use open::DataFiles;
