#![doc = include_str!("../README.md")]

pub mod age;
pub mod budget;
mod error;
pub mod evidence;
mod figures;
pub mod folder;
pub mod forecast;
mod import;
mod judge;
mod layout;
pub mod live;
mod merge;
pub mod models;
mod orders;
pub mod prices;
mod prompt_counts;
mod provenance;
pub mod questions;
pub mod reading;
mod run;
pub mod runs;
mod sets;
mod settings;
pub mod show;
pub mod user_folders;
mod watch;
pub mod ways;
pub mod words;

pub use error::{Failure, Kind};
pub use import::{Import, ModelImport, import};
pub use judge::JudgeSettings;
pub use merge::{MergeSettings, merge};
pub use models::open::{Endpoints, Model, engine_settings, open};
pub use provenance::{date, provenance};
#[cfg(feature = "nats")]
pub use run::describe_link;
pub use run::{Ended, MIN_RECHECK, Outcome, movement, run, run_async, runtime};
pub use settings::{
    ALLOWED_FAILURES, Asking, CacheSettings, FleetSettings, OnChange, QuestionSettings, Settings,
    TaskData,
};
#[cfg(feature = "nats")]
pub use watch::CoordinatorStatus;
pub use watch::{
    DescribeWorkers, Interrupts, ModelStart, ModelWatch, Standing, Stopper, Warner, Watch,
};

/// Program and version, as results and documents name them.
pub const PROGRAM: &str = concat!("sureness ", env!("CARGO_PKG_VERSION"));
