//! The status of a run.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::message::Beat;
use crate::names::WORK;
use crate::{FleetError, Link};

/// The status of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The run's name.
    pub run: String,
    /// Seconds since the coordinator started.
    pub seconds: f64,
    /// One per model.
    pub lanes: Vec<LaneStatus>,
    /// The workers that take part.
    pub workers: Vec<WorkerStatus>,
}

/// The status of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaneStatus {
    /// Its number.
    pub lane: u16,
    /// The model's name, if it is known.
    pub model: Option<String>,
    /// Questions not yet published, of those that the engine has asked for.
    pub queued: usize,
    /// Questions published, without an answer yet.
    pub outstanding: usize,
    /// Units published, not finished yet.
    pub units: usize,
    /// Units finished.
    pub units_done: u64,
    /// Questions answered.
    pub answered: u64,
    /// Questions that were answered more than once.
    pub asked_twice: u64,
    /// Messages that could not be read or were for another model.
    pub malformed: u64,
    /// Units that the broker lost; they were published again.
    pub lost_units: u64,
    /// Seconds since the lane was opened.
    pub seconds: f64,
}

/// The status of one worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkerStatus {
    /// Its last heartbeat.
    #[serde(flatten)]
    pub beat: Beat,
    /// Seconds since that heartbeat.
    pub heard_s: f64,
    /// Seconds since it joined.
    pub seconds: f64,
}

/// How long a coordinator may take to answer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The status from the run's coordinator, if there is one.
pub(crate) async fn ask(link: &Link) -> Option<Status> {
    let request = link.client.request(link.run.status(), bytes::Bytes::new());
    let reply = tokio::time::timeout(TIMEOUT, request).await.ok()?.ok()?;
    serde_json::from_slice(&reply.payload).ok()
}

/// Asks the run's coordinator for its status.
pub async fn status(link: &Link) -> Result<Status, FleetError> {
    if let Some(status) = ask(link).await {
        return Ok(status);
    }
    let left = match link.stream.get_stream(link.run.stream(WORK)).await {
        Ok(stream) => {
            let units = stream.cached_info().state.messages;
            format!("; {units} units wait for it")
        }
        Err(_) => String::new(),
    };
    Err(FleetError::new(
        format!("no coordinator answers for the run {}{left}", link.run),
        "start it: sureness run --nats URL --run-name NAME, with the same questions and the same \
         --output-dir as before",
    ))
}
