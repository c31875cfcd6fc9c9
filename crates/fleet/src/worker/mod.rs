//! The side that asks a model.

mod deliver;
mod held;
mod pull;
mod serve;

use std::sync::Arc;
use std::time::{Duration, Instant};

use sureness_engine::{Cancel, Observer, Settings, Stop};
use sureness_scorers::{ModelIdentity, OptionScorer};

use crate::message::{Hello, Welcome};
use crate::{FleetError, Link};

/// How a worker behaves.
#[derive(Clone)]
pub struct WorkerSettings {
    /// Its name; no other worker of the run may have it.
    pub name: String,
    /// How its servers are asked.
    pub engine: Settings,
    /// Whether it waits for the next run when one is over.
    pub stay: bool,
    /// How long it waits for a coordinator.
    pub give_up_after: Duration,
}

/// What a worker has to tell a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkerNotice {
    /// Nobody coordinates the run yet.
    Waiting,
    /// It takes part from now on.
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
    /// It was asked to. What it had not finished it gave back.
    Interrupted,
    /// Its servers can no longer be asked. What it had not finished it gave back.
    Stopped(Stop),
}

/// Tells a person, from any thread.
pub(crate) type Tell = Arc<dyn Fn(WorkerNotice) + Send + Sync>;

/// Pause between two greetings that nobody answers.
const KNOCK_AGAIN: Duration = Duration::from_secs(1);
/// How long a coordinator may take to answer a greeting.
const PATIENCE: Duration = Duration::from_secs(3);

/// Takes part in a run: asks `endpoints`, which all have the same model, what the coordinator
/// hands out, until the run is over or `cancel` says so.
pub async fn work(
    link: Link,
    endpoints: Vec<Arc<dyn OptionScorer>>,
    settings: WorkerSettings,
    cancel: Cancel,
    observer: Observer,
    tell: Tell,
) -> Result<WorkerEnd, FleetError> {
    let Some(first) = endpoints.first() else {
        return Err(FleetError::new(
            "the worker has no model",
            "give it one with --api-base URL or --gguf FILE",
        ));
    };
    let model = first.identity().clone();
    loop {
        let Some(place) = greet(&link, &settings, &model, &cancel, &tell).await? else {
            return Ok(WorkerEnd::Interrupted);
        };
        tell(WorkerNotice::Joined { lane: place.lane });
        let served = serve::serve(
            &link,
            &endpoints,
            &settings,
            place,
            cancel.clone(),
            Arc::clone(&observer),
        )
        .await?;
        match served.end {
            WorkerEnd::Done => {
                tell(WorkerNotice::Done {
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

/// Where to find work.
#[derive(Debug, Clone, Copy)]
struct Place {
    lane: u16,
    unit_timeout: Duration,
}

/// Asks to take part until a coordinator answers. `None` if told to stop meanwhile.
async fn greet(
    link: &Link,
    settings: &WorkerSettings,
    model: &ModelIdentity,
    cancel: &Cancel,
    tell: &Tell,
) -> Result<Option<Place>, FleetError> {
    let hello = Hello {
        worker: settings.name.clone(),
        program: concat!("sureness ", env!("CARGO_PKG_VERSION")).to_owned(),
        model: model.clone(),
    };
    let hello = serde_json::to_vec(&hello).unwrap_or_default();
    let began = Instant::now();
    let mut told = false;
    loop {
        if cancel.is_cancelled() {
            return Ok(None);
        }
        let request = link
            .client
            .request(link.run.hello(), bytes::Bytes::from(hello.clone()));
        let reply = tokio::time::timeout(PATIENCE, request).await;
        if let Ok(Ok(reply)) = reply {
            match serde_json::from_slice::<Welcome>(&reply.payload) {
                Ok(Welcome::Take {
                    lane,
                    unit_timeout_s,
                }) => {
                    let unit_timeout = Duration::try_from_secs_f64(unit_timeout_s);
                    return Ok(Some(Place {
                        lane,
                        unit_timeout: unit_timeout.unwrap_or(Duration::from_secs(30)),
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
                        format!("the coordinator's answer cannot be understood: {error}"),
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
        if !std::mem::replace(&mut told, true) {
            tell(WorkerNotice::Waiting);
        }
        tokio::time::sleep(KNOCK_AGAIN).await;
    }
}
