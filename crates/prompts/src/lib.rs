#![doc = include_str!("../README.md")]

mod builder;
mod chat;
mod error;
mod prompt;
mod wording;

pub use builder::PromptBuilder;
pub use chat::{ChatTemplate, FIXED_DATE};
pub use error::PromptError;
pub use prompt::{Prompt, Strategy};
pub use wording::{Instructions, Labels, Wording};
