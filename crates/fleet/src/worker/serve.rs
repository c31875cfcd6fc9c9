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
use super::{Place, WorkerEnd, WorkerSettings, deliver, pull};
use crate::link::persist;
use crate::message::Beat;
use crate::{FleetError, Link};

/// How a worker's part in one run went.
pub(super) struct Served {
    pub(super) end: WorkerEnd,
    pub(super) answered: u64,
    pub(super) failed: u64,
}

/// What the tasks of a worker share.
pub(super) struct Bench {
    pub(super) link: Link,
    pub(super) place: Place,
    pub(super) name: String,
    pub(super) model: String,
    pub(super) feed: Feed,
    held: Arc<Mutex<Held>>,
    /// There is something to publish.
    pub(super) told: Arc<Notify>,
    /// A question was answered: there may be room for more.
    pub(super) room: Arc<Notify>,
    /// A question was answered, or the broker has an answer: another one may be asked of those that
    /// are asked one by one.
    pub(super) next: mpsc::UnboundedSender<()>,
}

impl Bench {
    pub(super) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the engine's answers.
struct Sink {
    held: Arc<Mutex<Held>>,
    told: Arc<Notify>,
    room: Arc<Notify>,
    next: mpsc::UnboundedSender<()>,
}

impl AnswerSink for Sink {
    fn plan(&mut self, _: u32, _: u32, questions: &[Planned]) -> Result<Vec<bool>, SinkError> {
        Ok(vec![false; questions.len()])
    }

    fn write(&mut self, answers: &[Answer]) -> Result<(), SinkError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.answers(answers, Instant::now()) {
            self.told.notify_one();
        }
        drop(held);
        self.room.notify_one();
        let _ = self.next.send(());
        Ok(())
    }
}

/// How often the coordinator hears that this worker lives.
const BEAT: Duration = Duration::from_secs(1);
/// How long the last results may take to reach the broker when the worker ends.
const LAST_WORDS: Duration = Duration::from_secs(20);

/// Works until the run is over.
pub(super) async fn serve(
    link: &Link,
    endpoints: &[Arc<dyn OptionScorer>],
    settings: &WorkerSettings,
    place: Place,
    cancel: Cancel,
    observer: Observer,
) -> Result<Served, FleetError> {
    let held = Arc::new(Mutex::new(Held::new(settings.name.clone())));
    let (told, room) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (next, one_by_one) = mpsc::unbounded_channel();
    let sink = Box::new(Sink {
        held: Arc::clone(&held),
        told: Arc::clone(&told),
        room: Arc::clone(&room),
        next: next.clone(),
    });
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
    let bench = Arc::new(Bench {
        link: link.clone(),
        place,
        name: settings.name.clone(),
        model: model.unwrap_or_default(),
        feed,
        held,
        told,
        room,
        next,
    });
    let mut tasks = tokio::task::JoinSet::new();
    let (over, is_over) = watch::channel(false);
    tasks.spawn(hear_the_end(Arc::clone(&bench), over));
    tasks.spawn(beat(Arc::clone(&bench)));
    tasks.spawn(extend(Arc::clone(&bench)));
    tasks.spawn(deliver::deliver(Arc::clone(&bench)));
    tasks.spawn(pull::pull(Arc::clone(&bench), is_over.clone(), one_by_one));
    let summary = run(engine, &bench, is_over).await.map_err(failed)?;
    tasks.shutdown().await;

    let last_words = deliver::last_words(&bench);
    if tokio::time::timeout(LAST_WORDS, last_words).await.is_err() {
        tracing::warn!("the broker is away; what this worker held goes to another one in time");
    }
    say(&bench, true).await;
    let _ = tokio::time::timeout(BEAT, link.client.flush()).await;
    let held = bench.held();
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
    bench: &Bench,
    mut is_over: watch::Receiver<bool>,
) -> Result<Summary, SinkError> {
    tokio::pin!(engine);
    let close = async {
        let _ = is_over.wait_for(|over| *over).await;
        bench.feed.close();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        summary = &mut engine => summary,
        () = close => unreachable!("never ends"),
    }
}

/// Waits until the coordinator says that the run is over.
async fn hear_the_end(bench: Arc<Bench>, over: watch::Sender<bool>) {
    let link = &bench.link;
    let done = link.run.done();
    let mut words = persist("subscribe", || link.client.subscribe(done.clone())).await;
    if words.next().await.is_some() {
        over.send_replace(true);
    }
    // Its end would look like the run's.
    std::future::pending::<()>().await;
}

async fn beat(bench: Arc<Bench>) {
    let mut tick = tokio::time::interval(BEAT);
    loop {
        tick.tick().await;
        say(&bench, false).await;
    }
}

async fn say(bench: &Bench, leaving: bool) {
    let beat = {
        let mut held = bench.held();
        let (questions, units) = held.holds();
        Beat {
            worker: bench.name.clone(),
            lane: bench.place.lane,
            model: bench.model.clone(),
            capacity: bench.feed.capacity(),
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
    let subject = bench.link.run.beat();
    if bench.link.is_up()
        && let Err(error) = bench.link.client.publish(subject, beat.into()).await
    {
        tracing::debug!(%error, "a heartbeat is lost");
    }
}

/// Tells the broker that units are being worked on.
async fn extend(bench: Arc<Bench>) {
    let mut tick = tokio::time::interval(bench.place.unit_timeout / 4);
    loop {
        tick.tick().await;
        let ackers = bench.held().ackers();
        for acker in ackers {
            let _ = acker
                .ack_with(async_nats::jetstream::AckKind::Progress)
                .await;
        }
    }
}
