//! A run whose questions are asked by workers on other machines.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use sureness_engine::{BatchSize, RetryPolicy, Settings, Workers};
use sureness_fleet::{Coordinator, CoordinatorNotice, CoordinatorSettings, Link};

use super::Reached;
use crate::error::{Failure, Kind};
use crate::models::open::Model;
use crate::settings::{Asking, FleetSettings};
use crate::watch::{Machines, Watch};

/// The coordinator of this run, and its connection.
pub(super) struct Fleet {
    coordinator: Arc<Coordinator>,
    link: Link,
    look_ahead: NonZeroUsize,
}

/// Longer than any run.
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

impl Fleet {
    /// Connects, and opens the run for these models.
    pub(super) async fn open(
        fleet: &FleetSettings,
        asking: &Asking,
        models: &[Model],
        watch: &dyn Watch,
    ) -> Result<Self, Failure> {
        let wanted = models.iter().map(|model| match model {
            Model::Relayed { model, .. } => model.clone(),
            Model::Gguf(_) | Model::Served { .. } => None,
        });
        let run = fleet.run.clone();
        let tell_link = watch.notes();
        let link = Link::connect(
            &fleet.access,
            run.clone(),
            "sureness coordinator",
            move |up| tell_link(broker(up)),
        )
        .await?;
        let settings = CoordinatorSettings {
            models: wanted.collect(),
            unit_timeout: fleet.unit_timeout,
            give_up_after: asking.engine.give_up_after,
            ..CoordinatorSettings::default()
        };
        let tell_notice = watch.notes();
        let coordinator = Coordinator::open(link.clone(), settings, move |notice| {
            tell_notice(&describe(&notice));
        })
        .await?;
        watch.note(&format!(
            "Run {run}: waiting for workers (sureness worker --nats URL --run-name {run})"
        ));
        let coordinator = Arc::new(coordinator);
        let status = Arc::downgrade(&coordinator);
        watch.coordinator(Box::new(move || Some(status.upgrade()?.status())));
        Ok(Self {
            coordinator,
            link,
            look_ahead: fleet.look_ahead,
        })
    }

    /// What stands for all workers of a model, once the first has come.
    pub(super) async fn reach(&self, model: &Model) -> Result<Reached, Failure> {
        let lane = lane_of(model);
        let relay = tokio::select! {
            relay = self.coordinator.relay(lane) => relay?,
            error = self.coordinator.gives_up(lane) => return Err(error.into()),
        };
        let keeping = relay.clone();
        Ok(Reached {
            endpoints: vec![Arc::new(relay)],
            settings: self.settings(),
            machines: Some(self.machines(lane)),
            keeping: Box::new(move |store| keeping.keeping(store)),
        })
    }

    /// Returns when nothing is to be expected for this model any more.
    pub(super) async fn gives_up(&self, model: &Model) -> Failure {
        let error: Failure = self.coordinator.gives_up(lane_of(model)).await.into();
        error.kind(Kind::Unfinished)
    }

    /// How the engine treats what stands for the workers: it hands out, and does nothing else.
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

    /// For progress: how the workers are doing.
    fn machines(&self, lane: u16) -> Machines {
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
            let out = status.lanes.get(usize::from(lane));
            let out = out.map_or(0, |lane| lane.outstanding);
            match workers {
                0 => "no worker is there".to_owned(),
                1 => format!("1 worker, {out} given out"),
                _ => format!("{workers} workers, {out} given out"),
            }
        })
    }

    /// Questions of a model that were answered twice.
    pub(super) fn asked_twice(&self, lane: u16) -> u64 {
        let status = self.coordinator.status();
        let lane = status.lanes.get(usize::from(lane));
        lane.map_or(0, |lane| lane.asked_twice)
    }

    /// Everything is answered.
    pub(super) async fn finish(&self) {
        self.coordinator.finish().await;
    }
}

/// Where the model's questions go.
fn lane_of(model: &Model) -> u16 {
    match model {
        Model::Relayed { lane, .. } => *lane,
        Model::Gguf(_) | Model::Served { .. } => 0,
    }
}

/// The connection to the NATS server, in a sentence.
pub fn broker(up: bool) -> &'static str {
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
            format!("- {worker} has gone; others take over what it had")
        }
        CoordinatorNotice::Refused { worker, reason } => format!("! {worker} refused: {reason}"),
        CoordinatorNotice::Adopted { units, results } => format!(
            "Going on where an earlier coordinator ended: {units} units are with workers, {results} results were waiting"
        ),
    }
}
