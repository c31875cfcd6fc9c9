//! Prompt strategies, worked examples and chat templates.
//!
//! A [`Prompt`] is a prefix and a suffix. The prefix (instructions and worked examples) is
//! shared by every question of one (task, strategy) and is held once; what varies comes last,
//! so that a server's prefix cache can do its work.

mod prompt;

pub use prompt::{Prompt, Strategy};
