//! What to ask, in which order, and how many at once.
//!
//! A [`Plan`] is an ordered list of groups, one per (task, prompt strategy). [`run`] asks
//! everything that the [`AnswerSink`] does not know yet, as many requests at a time as the
//! endpoints answer fastest, retries what can be retried and streams each answer to the sink as
//! it arrives. It keeps no answers itself.
//!
//! One state machine decides what is sent when; it knows no clock and no threads. Two drivers
//! carry its decisions out: tasks of an async runtime, or operating-system threads with blocking
//! calls.

mod batch;
mod cancel;
mod dispatch;
mod drive;
mod event;
mod feed;
mod histogram;
pub mod limit;
mod lookup;
mod plan;
mod rate;
mod retry;
mod run;
mod settings;
mod sink;
mod summary;

pub use batch::BatchSize;
pub use cancel::Cancel;
pub use event::{Attempt, Event, Load};
pub use feed::{Feed, feed};
pub use histogram::Quantiles;
pub use limit::Workers;
pub use plan::{Group, GroupRequests, Plan};
pub use retry::RetryPolicy;
pub use run::{Observer, run, run_blocking};
pub use settings::Settings;
pub use sink::{Answer, AnswerSink, ItemId, Planned, SinkError};
pub use summary::{EndpointSummary, GroupSummary, Phases, Stop, Summary};
