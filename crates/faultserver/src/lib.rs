#![doc = include_str!("../README.md")]

mod answer;
mod asked;
mod chance;
mod log;
mod model;
mod script;
mod server;
mod sync;
mod wire;

pub use asked::{Asked, Key};
pub use log::{Counts, Entry, PromptCounts, Tokens};
pub use model::logprobs_of;
pub use script::{
    Beliefs, Capacity, Coding, Dialect, Fault, Healthy, Indices, Logits, Nan, Point, Predicate,
    RetryAfter, Routes, Rule, Saying, Sayings, Script, ScriptError, Target, Thought, Thoughts,
    Unsaid, When, Words,
};
pub use server::FaultServer;
