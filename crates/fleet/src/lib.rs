//! One run on many machines.
//!
//! A coordinator plans the run and keeps its answers, as on one machine; to its engine, everything
//! that happens here is one more [`OptionScorer`](sureness_scorers::OptionScorer), the
//! [`Relay`]. What is to be asked travels as [units](message::Unit) through a NATS `JetStream`
//! work queue to workers, each with its own model or server, and with an engine of its own that
//! finds out how fast that is best asked. Answers come back through a second stream and leave it
//! only when they are in the coordinator's store.
//!
//! Everything is told by the key of its request, never by the unit that it travelled in: what
//! arrives twice is the same answer, and how often that happened is counted. So a worker, the
//! coordinator or the broker may die at any moment.
//!
//! Subjects, streams and the reply inbox carry the name of the run, so that a broker can keep
//! runs apart with ordinary permissions (`docs/scale-out.md`).

mod coordinator;
mod link;
pub mod message;
mod names;
mod status;
mod worker;

pub use coordinator::{Coordinator, CoordinatorNotice, CoordinatorSettings, Relay};
pub use link::{Access, FleetError, Link};
pub use names::RunName;
pub use status::{LaneStatus, Status, WorkerStatus, status};
pub use worker::{WorkerEnd, WorkerNotice, WorkerSettings, work};
