//! Coordinates workers on other machines.

use std::num::NonZeroUsize;
use std::sync::{Arc, Weak};
use std::time::Duration;

use sureness_analysis::number::counted;
use sureness_engine::{BatchSize, RetryPolicy, Settings, Workers};
use sureness_fleet::{Coordinator, CoordinatorNotice, CoordinatorSettings, Link, WorkerStatus};

use super::OpenedModel;
use crate::error::{Failure, Kind};
use crate::live::{Board, Worker};
use crate::models::open::Model;
use crate::settings::{Asking, FleetSettings};
use crate::watch::{DescribeWorkers, Watch};

/// The coordinator of this run and its connection.
pub(super) struct Fleet {
    coordinator: Arc<Coordinator>,
    link: Link,
    look_ahead: NonZeroUsize,
}

/// Workers send a heartbeat about as often.
const POSTED_EVERY: Duration = Duration::from_secs(2);

/// A timeout longer than any run.
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

impl Fleet {
    /// Connects and opens the run for these models.
    pub(super) async fn open(
        fleet: &FleetSettings,
        asking: &Asking,
        models: &[Model],
        watch: &dyn Watch,
        board: Board,
    ) -> Result<Self, Failure> {
        let wanted = models.iter().map(|model| match model {
            Model::Relayed { model, .. } => model.clone(),
            Model::Gguf(_) | Model::Served { .. } => None,
        });
        let run = fleet.run.clone();
        let note = watch.note_sender();
        let link = Link::connect(
            &fleet.access,
            run.clone(),
            "sureness coordinator",
            move |up| note(describe_link(up)),
        )
        .await?;
        let settings = CoordinatorSettings {
            models: wanted.collect(),
            unit_timeout: fleet.unit_timeout,
            give_up_after: asking.engine.give_up_after,
            ..CoordinatorSettings::default()
        };
        let note = watch.note_sender();
        let coordinator = Coordinator::open(link.clone(), settings, move |notice| {
            note(&describe(&notice));
        })
        .await?;
        watch.note(&format!(
            "Run {run}: waiting for workers (sureness worker --nats URL --run-name {run})"
        ));
        let coordinator = Arc::new(coordinator);
        tokio::spawn(post_workers(Arc::downgrade(&coordinator), board));
        let status = Arc::downgrade(&coordinator);
        watch.coordinator(Box::new(move || Some(status.upgrade()?.status())));
        Ok(Self {
            coordinator,
            link,
            look_ahead: fleet.look_ahead,
        })
    }

    /// The relay to all workers of a model, once the first has joined.
    pub(super) async fn open_model(&self, model: &Model) -> Result<OpenedModel, Failure> {
        let lane = lane_of(model);
        let relay = tokio::select! {
            relay = self.coordinator.relay(lane) => relay?,
            error = self.coordinator.gives_up(lane) => return Err(error.into()),
        };
        let keeper = relay.clone();
        Ok(OpenedModel {
            endpoints: vec![Arc::new(relay)],
            settings: self.settings(),
            workers: Some(self.describe_workers(lane)),
            wrap_sink: Box::new(move |store| keeper.keeping(store)),
        })
    }

    /// Returns once the coordinator gives up on workers for this model.
    pub(super) async fn gives_up(&self, model: &Model) -> Failure {
        let error: Failure = self.coordinator.gives_up(lane_of(model)).await.into();
        error.kind(Kind::Unfinished)
    }

    /// The engine's settings for a relay: no retries and no waits, which are the workers' task.
    fn settings(&self) -> Settings {
        Settings {
            workers: Workers::Fixed(self.look_ahead),
            batch: BatchSize::Fixed(NonZeroUsize::MIN),
            retry: RetryPolicy {
                max_retries: 0,
                ..RetryPolicy::default()
            },
            give_up_after: NEVER,
            ..Settings::default()
        }
    }

    /// Describes a model's workers, for progress.
    fn describe_workers(&self, lane: u16) -> DescribeWorkers {
        let (coordinator, link) = (Arc::downgrade(&self.coordinator), self.link.clone());
        Box::new(move || {
            let Some(coordinator) = coordinator.upgrade() else {
                return String::new();
            };
            if !link.is_up() {
                return "waiting for the NATS server".to_owned();
            }
            let status = coordinator.status();
            let workers = status
                .workers
                .iter()
                .filter(|w| w.beat.lane == lane)
                .count();
            let lane = status.lanes.get(usize::from(lane));
            let assigned = lane.map_or(0, |lane| lane.outstanding);
            match workers {
                0 => "no worker is connected".to_owned(),
                _ => format!("{}, {assigned} assigned", counted(workers, "worker")),
            }
        })
    }

    /// The number of a model's questions that were answered twice.
    pub(super) fn answered_twice(&self, lane: u16) -> u64 {
        let status = self.coordinator.status();
        let lane = status.lanes.get(usize::from(lane));
        lane.map_or(0, |lane| lane.asked_twice)
    }

    /// Tells the workers that the run is complete.
    pub(super) async fn finish(&self) {
        self.coordinator.finish().await;
    }
}

/// Tells those who watch which workers there are, as long as the run goes on.
async fn post_workers(coordinator: Weak<Coordinator>, board: Board) {
    let mut ticks = tokio::time::interval(POSTED_EVERY);
    loop {
        ticks.tick().await;
        let Some(status) = coordinator.upgrade().map(|it| it.status()) else {
            return;
        };
        let worker = |it: &WorkerStatus| Worker {
            name: it.beat.worker.clone(),
            model: it.beat.model.clone(),
            per_second: it.beat.rate,
            answered: it.beat.answered,
            failed: it.beat.failed,
            holds: it.beat.held,
            heard_s: it.heard_s,
        };
        let workers = status.workers.iter().map(worker).collect();
        let board = board.clone();
        // It waits for the disk.
        let posted = tokio::task::spawn_blocking(move || {
            board.post(|bulletin| bulletin.workers = workers);
        });
        if posted.await.is_err() {
            return;
        }
    }
}

/// The lane of a model's questions.
fn lane_of(model: &Model) -> u16 {
    match model {
        Model::Relayed { lane, .. } => *lane,
        Model::Gguf(_) | Model::Served { .. } => 0,
    }
}

/// A sentence about the connection to the NATS server.
pub fn describe_link(up: bool) -> &'static str {
    if up {
        "The NATS server is back."
    } else {
        "The NATS server is unreachable; waiting for it. Nothing is lost."
    }
}

fn describe(notice: &CoordinatorNotice) -> String {
    match notice {
        CoordinatorNotice::Joined { worker, model } => format!("+ {worker} with {model}"),
        CoordinatorNotice::Left { worker } => {
            format!("- {worker} has left; others take over its questions")
        }
        CoordinatorNotice::Refused { worker, reason } => format!("! {worker} refused: {reason}"),
        CoordinatorNotice::Adopted { units, results } => format!(
            "Continuing after an earlier coordinator: {units} units are with workers, {results} results were waiting"
        ),
    }
}
