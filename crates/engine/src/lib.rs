#![doc = include_str!("../README.md")]

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
pub use cancel::{Cancel, ChildCancel};
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
