//! One run of a worker: an engine that is fed with units.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use sureness_engine::{
    Answer, AnswerSink, Cancel, Feed, Observer, Planned, SinkError, Stop, Summary,
};
use sureness_scorers::OptionScorer;
use tokio::sync::{Notify, mpsc, watch};

use super::held::Held;
use super::{Assignment, WorkerEnd, WorkerSettings, deliver, pull};
use crate::link::persist;
use crate::message::Beat;
use crate::{FleetError, Link};

/// The outcome of a worker's part in one run.
pub(super) struct Served {
    pub(super) end: WorkerEnd,
    pub(super) answered: u64,
    pub(super) failed: u64,
}

/// State shared by the tasks of a worker.
pub(super) struct Session {
    pub(super) link: Link,
    pub(super) assignment: Assignment,
    pub(super) name: String,
    pub(super) model: String,
    pub(super) feed: Feed,
    pub(super) results: Arc<Results>,
}

/// The units held, and signals about them. The engine's sink shares them with the tasks.
pub(super) struct Results {
    held: Mutex<Held>,
    /// Notified when there are results to publish.
    pub(super) unsent: Notify,
    /// Notified when a question was answered: there may be room for more.
    pub(super) room: Notify,
    /// Sent to when a question was answered, or the broker has an answer: the next question of a
    /// suspicious unit may be asked.
    pub(super) next: mpsc::UnboundedSender<()>,
}

impl Results {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    pub(super) fn held(&self) -> MutexGuard<'_, Held> {
        self.results.held()
    }
}

/// Takes the engine's answers.
struct Sink(Arc<Results>);

impl AnswerSink for Sink {
    fn plan(&mut self, _: u32, _: u32, questions: &[Planned]) -> Result<Vec<bool>, SinkError> {
        Ok(vec![false; questions.len()])
    }

    fn write(&mut self, answers: &[Answer]) -> Result<(), SinkError> {
        if self.0.held().answers(answers, Instant::now()) {
            self.0.unsent.notify_one();
        }
        self.0.room.notify_one();
        let _ = self.0.next.send(());
        Ok(())
    }
}

/// Time between heartbeats.
const BEAT: Duration = Duration::from_secs(1);
/// How long the last results may take to reach the broker.
const FINISH_WITHIN: Duration = Duration::from_secs(20);

/// Takes part until the run is over.
pub(super) async fn serve(
    link: &Link,
    endpoints: &[Arc<dyn OptionScorer>],
    settings: &WorkerSettings,
    assignment: Assignment,
    cancel: Cancel,
    observer: Observer,
) -> Result<Served, FleetError> {
    let (next, one_by_one) = mpsc::unbounded_channel();
    let results = Arc::new(Results {
        held: Mutex::new(Held::new(settings.name.clone())),
        unsent: Notify::new(),
        room: Notify::new(),
        next,
    });
    let sink = Box::new(Sink(Arc::clone(&results)));
    let failed = |e: SinkError| FleetError::new(e.to_string(), "start the worker again");
    let model = endpoints.first().map(|e| e.identity().name.clone());
    let (feed, engine) = sureness_engine::feed(
        endpoints.to_vec(),
        settings.engine,
        sink,
        cancel.clone(),
        observer,
    )
    .await
    .map_err(failed)?;
    let session = Arc::new(Session {
        link: link.clone(),
        assignment,
        name: settings.name.clone(),
        model: model.unwrap_or_default(),
        feed,
        results,
    });
    let mut tasks = tokio::task::JoinSet::new();
    let (over, is_over) = watch::channel(false);
    tasks.spawn(watch_for_end(Arc::clone(&session), over));
    tasks.spawn(beat(Arc::clone(&session)));
    tasks.spawn(extend(Arc::clone(&session)));
    tasks.spawn(deliver::deliver(Arc::clone(&session)));
    tasks.spawn(pull::pull(
        Arc::clone(&session),
        is_over.clone(),
        one_by_one,
    ));
    let summary = run(engine, &session, is_over).await.map_err(failed)?;
    tasks.shutdown().await;

    let finish = deliver::finish(&session);
    if tokio::time::timeout(FINISH_WITHIN, finish).await.is_err() {
        tracing::warn!("the broker is unreachable; after a timeout its units go to other workers");
    }
    send_beat(&session, true).await;
    let _ = tokio::time::timeout(BEAT, link.client.flush()).await;
    let held = session.held();
    Ok(Served {
        end: match summary.stop {
            None => WorkerEnd::Done,
            Some(Stop::Interrupted) => WorkerEnd::Interrupted,
            Some(stop) => WorkerEnd::Stopped(stop),
        },
        answered: held.answered,
        failed: held.failed,
    })
}

/// Drives the engine to its end, which comes when the run is over.
async fn run(
    engine: impl Future<Output = Result<Summary, SinkError>>,
    session: &Session,
    mut is_over: watch::Receiver<bool>,
) -> Result<Summary, SinkError> {
    tokio::pin!(engine);
    let close = async {
        let _ = is_over.wait_for(|over| *over).await;
        session.feed.close();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        summary = &mut engine => summary,
        () = close => unreachable!("never ends"),
    }
}

/// Waits until the coordinator ends the run.
async fn watch_for_end(session: Arc<Session>, over: watch::Sender<bool>) {
    let link = &session.link;
    let done = link.run.done();
    let mut words = persist("subscribe", || link.client.subscribe(done.clone())).await;
    if words.next().await.is_some() {
        over.send_replace(true);
    }
    // If this task ended, the channel would close.
    std::future::pending::<()>().await;
}

async fn beat(session: Arc<Session>) {
    let mut tick = tokio::time::interval(BEAT);
    loop {
        tick.tick().await;
        send_beat(&session, false).await;
    }
}

async fn send_beat(session: &Session, leaving: bool) {
    let beat = {
        let mut held = session.held();
        let (questions, units) = held.holds();
        Beat {
            worker: session.name.clone(),
            lane: session.assignment.lane,
            model: session.model.clone(),
            capacity: session.feed.capacity(),
            held: questions,
            units,
            answered: held.answered,
            failed: held.failed,
            malformed: held.malformed,
            rate: held.rate(Instant::now()),
            leaving,
        }
    };
    let beat = serde_json::to_vec(&beat).unwrap_or_default();
    let subject = session.link.run.beat();
    if session.link.is_up()
        && let Err(error) = session.link.client.publish(subject, beat.into()).await
    {
        tracing::debug!(%error, "cannot send a heartbeat");
    }
}

/// Extends the time of the units held.
async fn extend(session: Arc<Session>) {
    let mut tick = tokio::time::interval(session.assignment.unit_timeout / 4);
    loop {
        tick.tick().await;
        let ackers = session.held().ackers();
        for acker in ackers {
            let _ = acker
                .ack_with(async_nats::jetstream::AckKind::Progress)
                .await;
        }
    }
}
