//! The side that asks a model.

mod deliver;
mod held;
mod pull;
mod serve;

use std::sync::Arc;
use std::time::{Duration, Instant};

use sureness_engine::{Cancel, Observer, Settings, Stop};
use sureness_scorers::{ModelIdentity, OptionScorer};

use crate::coordinator::CoordinatorSettings;
use crate::message::{Hello, Welcome};
use crate::{FleetError, Link};

/// Settings of a worker.
#[derive(Clone)]
pub struct WorkerSettings {
    /// Its name, which is unique in the run.
    pub name: String,
    /// Settings of its engine.
    pub engine: Settings,
    /// Whether to wait for the next run when one is over.
    pub stay: bool,
    /// How long to wait for a coordinator.
    pub give_up_after: Duration,
}

/// A worker's notices for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkerNotice {
    /// No coordinator answers yet.
    Waiting,
    /// The coordinator has accepted the worker.
    Joined {
        /// The model's number in the run.
        lane: u16,
    },
    /// The run is over.
    Done {
        /// Questions answered in it.
        answered: u64,
        /// Questions failed in it.
        failed: u64,
    },
}

/// Why a worker ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkerEnd {
    /// The run is over.
    Done,
    /// Cancelled. The unfinished questions were given back.
    Interrupted,
    /// Its servers can no longer be asked. The unfinished questions were given back.
    Stopped(Stop),
}

/// Called with every notice, from any thread.
pub(crate) type OnNotice = Arc<dyn Fn(WorkerNotice) + Send + Sync>;

/// Pause between greetings.
const GREET_AGAIN: Duration = Duration::from_secs(1);
/// How long a coordinator may take to answer a greeting.
const GREETING_TIMEOUT: Duration = Duration::from_secs(3);

/// Takes part in a run: asks `endpoints`, which all have the same model, the coordinator's questions,
/// until the run is over or cancelled.
pub async fn work(
    link: Link,
    endpoints: Vec<Arc<dyn OptionScorer>>,
    settings: WorkerSettings,
    cancel: Cancel,
    observer: Observer,
    notify: OnNotice,
) -> Result<WorkerEnd, FleetError> {
    let Some(first) = endpoints.first() else {
        return Err(FleetError::new(
            "the worker has no model",
            "pass --api-base URL or --gguf FILE",
        ));
    };
    let model = first.identity().clone();
    loop {
        let Some(assignment) = greet(&link, &settings, &model, &cancel, &notify).await? else {
            return Ok(WorkerEnd::Interrupted);
        };
        let lane = assignment.lane;
        notify(WorkerNotice::Joined { lane });
        let served = serve::serve(
            &link,
            &endpoints,
            &settings,
            assignment,
            cancel.clone(),
            Arc::clone(&observer),
        )
        .await?;
        match served.end {
            WorkerEnd::Done => {
                notify(WorkerNotice::Done {
                    answered: served.answered,
                    failed: served.failed,
                });
                if !settings.stay {
                    return Ok(WorkerEnd::Done);
                }
            }
            end => return Ok(end),
        }
    }
}

/// The lane that a worker works for.
#[derive(Debug, Clone, Copy)]
struct Assignment {
    lane: u16,
    unit_timeout: Duration,
}

/// Asks to take part until a coordinator answers; `None` if cancelled meanwhile.
async fn greet(
    link: &Link,
    settings: &WorkerSettings,
    model: &ModelIdentity,
    cancel: &Cancel,
    notify: &OnNotice,
) -> Result<Option<Assignment>, FleetError> {
    let hello = Hello {
        worker: settings.name.clone(),
        program: concat!("sureness ", env!("CARGO_PKG_VERSION")).to_owned(),
        model: model.clone(),
    };
    let hello = serde_json::to_vec(&hello).unwrap_or_default();
    let began = Instant::now();
    let mut notified = false;
    loop {
        if cancel.is_cancelled() {
            return Ok(None);
        }
        let request = link
            .client
            .request(link.run.hello(), bytes::Bytes::from(hello.clone()));
        let reply = tokio::time::timeout(GREETING_TIMEOUT, request).await;
        if let Ok(Ok(reply)) = reply {
            match serde_json::from_slice::<Welcome>(&reply.payload) {
                Ok(Welcome::Take {
                    lane,
                    unit_timeout_s,
                }) => {
                    let unit_timeout = Duration::try_from_secs_f64(unit_timeout_s);
                    return Ok(Some(Assignment {
                        lane,
                        unit_timeout: unit_timeout
                            .unwrap_or_else(|_| CoordinatorSettings::default().unit_timeout),
                    }));
                }
                Ok(Welcome::Refused { reason }) => {
                    return Err(FleetError::new(
                        format!("the coordinator refuses this worker: {reason}"),
                        "start the worker with the run's model, or give the run another name",
                    ));
                }
                Err(error) => {
                    return Err(FleetError::new(
                        format!("the coordinator's answer cannot be read: {error}"),
                        "use the same version of sureness everywhere",
                    ));
                }
            }
        }
        if !settings.stay && began.elapsed() >= settings.give_up_after {
            return Err(FleetError::new(
                format!(
                    "no coordinator of the run {} answered for {} s",
                    link.run,
                    began.elapsed().as_secs()
                ),
                "start it: sureness run --nats URL --run-name NAME, or let the worker wait with \
                 --stay",
            ));
        }
        if !std::mem::replace(&mut notified, true) {
            notify(WorkerNotice::Waiting);
        }
        tokio::time::sleep(GREET_AGAIN).await;
    }
}
