//! The side that plans a run and keeps its answers.

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

/// How a coordinator behaves.
#[derive(Debug, Clone)]
pub struct CoordinatorSettings {
    /// The models to measure, one lane each. Without a name, that of the first worker to come.
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
            give_up_after: Duration::from_secs(600),
        }
    }
}

/// What a coordinator has to tell a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CoordinatorNotice {
    /// A worker takes part.
    Joined {
        /// Its name.
        worker: String,
        /// Its model.
        model: String,
    },
    /// A worker has gone, or nothing has been heard of it.
    Left {
        /// Its name.
        worker: String,
    },
    /// A worker was sent away.
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
        /// Results that nobody had taken.
        results: usize,
    },
}

type Tell = Arc<dyn Fn(CoordinatorNotice) + Send + Sync>;

/// One model of the run.
#[derive(Debug)]
struct Lane {
    wanted: Option<String>,
    /// Known once a worker has come, or from an earlier coordinator.
    model: watch::Sender<Option<ModelIdentity>>,
    book: Mutex<Book<Arc<Receipt>>>,
    /// There may be something to publish.
    news: Notify,
    began: Instant,
}

impl Lane {
    fn book(&self) -> MutexGuard<'_, Book<Arc<Receipt>>> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What all tasks of a coordinator share.
struct Core {
    link: Link,
    settings: CoordinatorSettings,
    lanes: Vec<Lane>,
    registry: Mutex<Registry>,
    tell: Tell,
    began: Instant,
}

impl Core {
    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
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
                outstanding: book.outstanding(),
                units: book.units(),
                units_done: book.tally.units,
                answered: book.tally.answered,
                asked_twice: book.tally.asked_twice,
                malformed: book.tally.malformed,
                lost_units: book.tally.lost,
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

/// Hands a run's questions to workers and takes their answers. Its tasks end when it is dropped.
pub struct Coordinator {
    core: Arc<Core>,
    tasks: Mutex<JoinSet<()>>,
}

impl Coordinator {
    /// Opens a run: makes its streams, or takes over those that an earlier coordinator left.
    /// Refused where another coordinator of the same run answers.
    pub async fn open(
        link: Link,
        settings: CoordinatorSettings,
        tell: impl Fn(CoordinatorNotice) + Send + Sync + 'static,
    ) -> Result<Self, FleetError> {
        if crate::status::ask(&link).await.is_some() {
            return Err(FleetError::new(
                format!("another coordinator is at work on the run {}", link.run),
                "give this one another name with --run-name, or wait until that one has ended",
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
            tell: Arc::new(tell),
            began: Instant::now(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(greet::greet(Arc::clone(&core)));
        tasks.spawn(greet::hear_beats(Arc::clone(&core)));
        tasks.spawn(greet::tell_status(Arc::clone(&core)));
        Ok(Self {
            core,
            tasks: Mutex::new(tasks),
        })
    }

    /// Waits for the first worker of a lane and gives what stands for all of them. To be called
    /// once for each lane.
    pub async fn relay(&self, lane: u16) -> Result<Relay, FleetError> {
        let place = &self.core.lanes[usize::from(lane)];
        let mut known = place.model.subscribe();
        let model = known
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|model| model.clone());
        let Some(model) = model else {
            return Err(FleetError::new(
                "no worker came",
                "start one: sureness worker",
            ));
        };
        let adopted = collect::take_over(&self.core, lane).await;
        if adopted != (0, 0) {
            let (units, results) = adopted;
            (self.core.tell)(CoordinatorNotice::Adopted { units, results });
        }
        for task in [
            Box::pin(collect::collect(Arc::clone(&self.core), lane)) as BoxTask,
            Box::pin(publish::publish(Arc::clone(&self.core), lane)),
            Box::pin(publish::look_after(Arc::clone(&self.core), lane)),
            Box::pin(greet::tell_open(Arc::clone(&self.core), lane)),
        ] {
            self.tasks().spawn(task);
        }
        Ok(Relay::new(Arc::clone(&self.core), lane, model))
    }

    /// Returns once no worker of a lane, or no broker, has been there for as long as the run may
    /// wait, with the reason.
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
                let what = match &self.core.lanes[usize::from(lane)].wanted {
                    _ if !up => "the NATS server".to_owned(),
                    Some(model) => format!("a worker with the model {model}"),
                    None => "a worker".to_owned(),
                };
                return FleetError::new(
                    format!("gave up after {} s without {what}", after.as_secs()),
                    if up {
                        "start workers: sureness worker --nats URL --run-name NAME --api-base URL"
                    } else {
                        "start the NATS server again; what it kept on disk goes on from there"
                    },
                );
            }
        }
    }

    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the run goes.
    pub fn status(&self) -> Status {
        self.core.status()
    }

    /// Everything is answered: tells the workers, and removes what the broker kept. Not called for
    /// a run that is to go on later.
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

type BoxTask = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

impl std::fmt::Debug for Coordinator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Coordinator")
            .field("run", &self.core.link.run)
            .finish_non_exhaustive()
    }
}
