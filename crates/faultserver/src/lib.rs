//! A real HTTP/1.1 server on loopback that plays an OpenAI-compatible server and misbehaves by
//! script.
//!
//! ```
//! use sureness_faultserver::{Fault, FaultServer, Rule, Script};
//!
//! let server = FaultServer::start(Script::with(Rule::chance(0.3, 1, [Fault::InternalError])))?;
//! println!("{}", server.base());
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! The log-probabilities of its answers are a function of the prompt, [`logprobs_of`], so that a
//! test can prove that each answer ended up with the right question. Its [log](FaultServer::log)
//! tells what it was asked, which fault it played and whether a whole good answer was written.

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
pub use log::{Counts, Entry, PromptCounts};
pub use model::logprobs_of;
pub use script::{
    Capacity, Coding, Dialect, Fault, Healthy, Indices, Nan, Point, Predicate, RetryAfter, Routes,
    Rule, Script, ScriptError, Target, When,
};
pub use server::FaultServer;
