//! Prompt strategies, few-shot examples and chat templates.
//!
//! A [`Prompt`] is a prefix and a suffix. The prefix (instructions and few-shot examples) is
//! shared by every question of one (task, strategy) and is held once; what varies comes last,
//! so that a server's prefix cache can do its work.
//!
//! [`PromptBuilder`] lays a question out, [`Wording`] holds the sentences it uses, and
//! [`ChatTemplate`] wraps the result as an instruction-tuned model expects it.

mod builder;
mod chat;
mod error;
mod prompt;
mod wording;

pub use builder::PromptBuilder;
pub use chat::{ChatTemplate, Date};
pub use error::PromptError;
pub use prompt::{Prompt, Strategy};
pub use wording::{Instructions, Labels, Wording};
