#![doc = include_str!("../README.md")]

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
