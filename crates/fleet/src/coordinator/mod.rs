//! The side that plans a run and saves its answers.

mod book;
mod collect;
mod greet;
mod publish;
mod registry;
mod relay;
mod streams;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sureness_scorers::ModelIdentity;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use self::book::Book;
use self::collect::Receipt;
use self::registry::Registry;
pub use self::relay::Relay;
use crate::status::{LaneStatus, Status};
use crate::{FleetError, Link};

/// Settings of a coordinator.
#[derive(Debug, Clone)]
pub struct CoordinatorSettings {
    /// The models to measure, one lane each; `None` for that of the first worker.
    pub models: Vec<Option<String>>,
    /// After how long a unit that no worker extends goes to another one.
    pub unit_timeout: Duration,
    /// How long a unit should take a worker.
    pub unit_length: Duration,
    /// How long the run waits without any worker or without the broker.
    pub give_up_after: Duration,
}

impl Default for CoordinatorSettings {
    fn default() -> Self {
        Self {
            models: vec![None],
            unit_timeout: Duration::from_secs(30),
            unit_length: Duration::from_secs(2),
            give_up_after: sureness_engine::Settings::default().give_up_after,
        }
    }
}

/// A coordinator's notices for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CoordinatorNotice {
    /// A worker has joined.
    Joined {
        /// Its name.
        worker: String,
        /// Its model.
        model: String,
    },
    /// A worker has left or is silent.
    Left {
        /// Its name.
        worker: String,
    },
    /// A worker was refused.
    Refused {
        /// Its name.
        worker: String,
        /// Why.
        reason: String,
    },
    /// An earlier coordinator of this run left work behind.
    Adopted {
        /// Units that are still with workers or waiting for one.
        units: usize,
        /// Results that had not been taken.
        results: usize,
    },
}

type OnNotice = Arc<dyn Fn(CoordinatorNotice) + Send + Sync>;

/// One model of the run.
struct Lane {
    wanted: Option<String>,
    /// Known once a worker has come, or from an earlier coordinator.
    model: watch::Sender<Option<ModelIdentity>>,
    book: Mutex<Book<Arc<Receipt>>>,
    /// Notified when there may be something to publish.
    news: Notify,
    began: Instant,
}

impl Lane {
    fn book(&self) -> MutexGuard<'_, Book<Arc<Receipt>>> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// State shared by all tasks of a coordinator.
struct Core {
    link: Link,
    settings: CoordinatorSettings,
    lanes: Vec<Lane>,
    registry: Mutex<Registry>,
    notify: OnNotice,
    began: Instant,
}

impl Core {
    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lane(&self, lane: u16) -> &Lane {
        &self.lanes[usize::from(lane)]
    }

    fn status(&self) -> Status {
        let registry = self.registry();
        let lanes = self.lanes.iter().zip(0..).map(|(lane, number)| {
            let book = lane.book();
            let named = lane.model.borrow().as_ref().map(|m| m.name.clone());
            LaneStatus {
                lane: number,
                model: named.or_else(|| lane.wanted.clone()),
                queued: book.queued(),
                outstanding: book.units.outstanding,
                units: book.units.published.len(),
                units_done: book.counts.units,
                answered: book.counts.answered,
                asked_twice: book.counts.asked_twice,
                malformed: book.counts.malformed,
                lost_units: book.counts.lost,
                seconds: lane.began.elapsed().as_secs_f64(),
            }
        });
        Status {
            run: self.link.run.to_string(),
            seconds: self.began.elapsed().as_secs_f64(),
            lanes: lanes.collect(),
            workers: registry.workers(),
        }
    }
}

/// Hands a run's questions to workers and collects their answers. Its tasks end when it is dropped.
pub struct Coordinator {
    core: Arc<Core>,
    tasks: Mutex<JoinSet<()>>,
}

impl Coordinator {
    /// Opens a run: makes its streams, or takes over those that an earlier coordinator left. Fails
    /// if another coordinator of the run answers.
    pub async fn open(
        link: Link,
        settings: CoordinatorSettings,
        notify: impl Fn(CoordinatorNotice) + Send + Sync + 'static,
    ) -> Result<Self, FleetError> {
        if crate::status::ask(&link).await.is_some() {
            return Err(FleetError::new(
                format!("another coordinator is running the run {}", link.run),
                "give this run another name with --run-name, or wait until the other one has ended",
            ));
        }
        streams::make(&link).await?;
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        let epoch = epoch.map_or(1, |since| since.as_nanos() as u64);
        let mut lanes = Vec::new();
        for (number, wanted) in (0..).zip(&settings.models) {
            let known = streams::model_of(&link, number).await?;
            let digest = known.as_ref().map_or([0; 32], ModelIdentity::digest);
            lanes.push(Lane {
                wanted: wanted.clone(),
                model: watch::Sender::new(known),
                book: Mutex::new(Book::new(digest, epoch)),
                news: Notify::new(),
                began: Instant::now(),
            });
        }
        let core = Arc::new(Core {
            link,
            settings,
            lanes,
            registry: Mutex::new(Registry::default()),
            notify: Arc::new(notify),
            began: Instant::now(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(greet::greet(Arc::clone(&core)));
        tasks.spawn(greet::follow_beats(Arc::clone(&core)));
        tasks.spawn(greet::answer_status(Arc::clone(&core)));
        Ok(Self {
            core,
            tasks: Mutex::new(tasks),
        })
    }

    /// Waits for the first worker of a lane; returns the scorer for all its workers. To be called once
    /// for each lane.
    pub async fn relay(&self, lane: u16) -> Result<Relay, FleetError> {
        let state = self.core.lane(lane);
        let mut known = state.model.subscribe();
        let model = known
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|model| model.clone());
        let Some(model) = model else {
            return Err(FleetError::new(
                "no worker joined",
                "start one: sureness worker",
            ));
        };
        let adopted = collect::take_over(&self.core, lane).await;
        if adopted != (0, 0) {
            let (units, results) = adopted;
            (self.core.notify)(CoordinatorNotice::Adopted { units, results });
        }
        let (mut tasks, core) = (self.tasks(), || Arc::clone(&self.core));
        tasks.spawn(collect::collect(core(), lane));
        tasks.spawn(publish::publish(core(), lane));
        tasks.spawn(publish::find_lost(core(), lane));
        tasks.spawn(greet::answer_open(core(), lane));
        Ok(Relay::new(core(), lane, model))
    }

    /// Returns the reason to give up, once a lane has been without workers, or without the broker,
    /// for as long as the run may wait.
    pub async fn gives_up(&self, lane: u16) -> FleetError {
        let mut since = Instant::now();
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let up = self.core.link.is_up();
            let workers = self.core.registry().power(lane).workers;
            if up && workers > 0 {
                since = Instant::now();
            }
            let after = since.elapsed();
            if after >= self.core.settings.give_up_after {
                let what = match &self.core.lane(lane).wanted {
                    _ if !up => "the NATS server".to_owned(),
                    Some(model) => format!("a worker with the model {model}"),
                    None => "a worker".to_owned(),
                };
                return FleetError::new(
                    format!("gave up after {} s without {what}", after.as_secs()),
                    if up {
                        "start workers: sureness worker --nats URL --run-name NAME --api-base URL"
                    } else {
                        "start the NATS server again; the run goes on from what it kept on disk"
                    },
                );
            }
        }
    }

    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The status of the run.
    pub fn status(&self) -> Status {
        self.core.status()
    }

    /// Ends the run after its last answer: notifies the workers, and removes the streams. Not called
    /// for a run that is to continue later.
    pub async fn finish(&self) {
        let mut tasks = std::mem::take(&mut *self.tasks());
        tasks.shutdown().await;
        streams::remove(&self.core.link).await;
        let done = self.core.link.run.done();
        let client = &self.core.link.client;
        let _ = client.publish(done, bytes::Bytes::new()).await;
        let _ = tokio::time::timeout(Duration::from_secs(5), client.flush()).await;
    }
}

impl std::fmt::Debug for Coordinator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Coordinator")
            .field("run", &self.core.link.run)
            .finish_non_exhaustive()
    }
}
