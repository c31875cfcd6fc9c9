//! What to ask, in which order, and how many at once.
//!
//! A [`Plan`] is an ordered list of groups, one per (task, prompt strategy). [`run`] asks
//! everything that the [`AnswerSink`] does not know yet, several batches at a time, retries what
//! can be retried and streams each answer to the sink as it arrives. It keeps no answers itself.

mod event;
pub mod limit;
mod plan;
mod queue;
mod retry;
mod run;
mod sink;

pub use event::{Event, GroupSummary, Stop, Summary};
pub use plan::{Group, Plan};
pub use retry::RetryPolicy;
pub use run::{Cancel, Settings, run};
pub use sink::{Answer, AnswerSink, ItemId, SinkError};
