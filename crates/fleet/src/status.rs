//! How a run goes, for whoever asks.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::message::Beat;
use crate::{FleetError, Link};

/// How a run goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The run's name.
    pub run: String,
    /// Seconds since the coordinator started.
    pub seconds: f64,
    /// One per model.
    pub lanes: Vec<LaneStatus>,
    /// The workers that are there.
    pub workers: Vec<WorkerStatus>,
}

/// How one model's questions go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaneStatus {
    /// Its number.
    pub lane: u16,
    /// The model, as far as it is known.
    pub model: Option<String>,
    /// Questions that were not given out yet, of those that the coordinator looks ahead.
    pub queued: usize,
    /// Questions given out, without an answer yet.
    pub outstanding: usize,
    /// Units given out, not finished yet.
    pub units: usize,
    /// Units finished.
    pub units_done: u64,
    /// Questions answered.
    pub answered: u64,
    /// Questions that were answered more than once.
    pub asked_twice: u64,
    /// Messages that could not be understood, or were of another model.
    pub malformed: u64,
    /// Units that the broker lost and that were published again.
    pub lost_units: u64,
    /// Seconds since the lane was opened.
    pub seconds: f64,
}

/// How one worker does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkerStatus {
    /// What it last said.
    #[serde(flatten)]
    pub beat: Beat,
    /// How many seconds ago that was.
    pub heard_s: f64,
    /// Seconds since it came.
    pub seconds: f64,
}

/// How long a coordinator may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the run's coordinator says, if there is one.
pub(crate) async fn ask(link: &Link) -> Option<Status> {
    let request = link.client.request(link.run.status(), bytes::Bytes::new());
    let reply = tokio::time::timeout(PATIENCE, request).await.ok()?.ok()?;
    serde_json::from_slice(&reply.payload).ok()
}

/// Asks the run's coordinator how it goes.
pub async fn status(link: &Link) -> Result<Status, FleetError> {
    if let Some(status) = ask(link).await {
        return Ok(status);
    }
    let left = match link.stream.get_stream(link.run.work_stream()).await {
        Ok(stream) => {
            let units = stream.cached_info().state.messages;
            format!("; {units} units lie ready for when it comes back")
        }
        Err(_) => String::new(),
    };
    Err(FleetError::new(
        format!("no coordinator answers for the run {}{left}", link.run),
        "start it: sureness run --nats URL --run-name NAME, with the same questions and the same \
         --output-dir as before",
    ))
}
