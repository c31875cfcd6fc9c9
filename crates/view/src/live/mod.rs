//! Runs as they go on: one poller per run, whoever watches.

mod fragments;
mod history;
mod poller;
mod rate;
mod workers;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sureness_bench::Failure;
use tokio::sync::watch;

use crate::site::{RunId, Site};
pub(crate) use fragments::Fragments;
use poller::{Poller, Step};

/// Runs that are followed at once.
const MOST_FOLLOWED: usize = 16;
/// How long a run is followed after the last watcher has left.
const GRACE: Duration = Duration::from_secs(10);

/// What watchers of a run see; the newest alone is kept, so that a slow watcher costs nothing.
pub(crate) type Watching = watch::Receiver<Option<Arc<Update>>>;

/// A run as it stands.
#[derive(Debug, Default)]
pub(crate) struct Update {
    /// The parts of the page.
    pub(crate) fragments: Fragments,
    /// What the stream of events carries, as JSON.
    pub(crate) event: String,
    /// The figures and progress, for programs, as JSON.
    pub(crate) results: String,
    /// Whether nothing follows.
    pub(crate) last: bool,
}

/// The pollers.
#[derive(Debug)]
pub(crate) struct Hub {
    followed: Mutex<HashMap<RunId, watch::Sender<Option<Arc<Update>>>>>,
    interval: Duration,
    stop: watch::Receiver<bool>,
    /// Held by each stream of events that is not told all yet.
    streams: watch::Sender<usize>,
}

/// A stream of events that wants to be told the end.
#[derive(Debug)]
pub(crate) struct Stream(watch::Sender<usize>);

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}

impl Hub {
    /// Looks at runs every `interval` at the most, until `stop` is true.
    pub(crate) fn new(interval: Duration, stop: watch::Receiver<bool>) -> Self {
        Self {
            followed: Mutex::default(),
            interval,
            stop,
            streams: watch::channel(0).0,
        }
    }

    /// Counts a stream of events until it is dropped; `None` if there are `most` already.
    pub(crate) fn stream(&self, most: usize) -> Option<Stream> {
        let mut is_begun = false;
        self.streams.send_if_modified(|count| {
            is_begun = *count < most;
            *count += usize::from(is_begun);
            is_begun
        });
        is_begun.then(|| Stream(self.streams.clone()))
    }

    /// Waits until every stream has ended.
    pub(crate) async fn all_told(&self) {
        let mut count = self.streams.subscribe();
        let _ = count.wait_for(|count| *count == 0).await;
    }

    /// Whether the server is about to stop.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.clone()
    }

    /// Watches a run: begins to follow it where nobody does.
    ///
    /// # Errors
    ///
    /// If too many runs are followed.
    pub(crate) fn watch(&self, site: &Arc<Site>, id: RunId) -> Result<Watching, Failure> {
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = followed.get(&id) {
            return Ok(sender.subscribe());
        }
        if followed.len() >= MOST_FOLLOWED {
            return Err(
                Failure::new(format!("{MOST_FOLLOWED} runs are watched already"))
                    .hint("close a page of another run, then try again in ten seconds"),
            );
        }
        let (sender, receiver) = watch::channel(None);
        followed.insert(id, sender.clone());
        drop(followed);
        tokio::spawn(follow(Arc::clone(site), id, sender));
        Ok(receiver)
    }

    /// Forgets a run that nobody watches. `false` if somebody does.
    fn forget(&self, id: RunId, sender: &watch::Sender<Option<Arc<Update>>>) -> bool {
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, nobody subscribes in between.
        let is_alone = sender.receiver_count() == 0;
        if is_alone {
            followed.remove(&id);
        }
        is_alone
    }
}

/// Follows a run until nobody watches it any more.
async fn follow(site: Arc<Site>, id: RunId, sender: watch::Sender<Option<Arc<Update>>>) {
    let hub = site.hub();
    let mut stop = hub.stopping();
    let mut poller = Poller::new(Arc::clone(&site), id);
    let mut alone = Duration::ZERO;
    loop {
        let is_stopping = *stop.borrow_and_update();
        let stepped = tokio::task::spawn_blocking(move || {
            let found = poller.step(is_stopping);
            (poller, found)
        });
        let Ok((back, found)) = stepped.await else {
            break;
        };
        poller = back;
        if let Step::Changed(update) = found {
            sender.send_replace(Some(Arc::from(update)));
        }
        if is_stopping {
            break;
        }
        tokio::select! {
            () = tokio::time::sleep(hub.interval) => {}
            _ = stop.changed() => {}
        }
        if sender.receiver_count() > 0 {
            alone = Duration::ZERO;
            continue;
        }
        alone += hub.interval;
        if alone >= GRACE && hub.forget(id, &sender) {
            return;
        }
    }
    // Whoever comes later begins anew.
    let mut followed = hub.followed.lock().unwrap_or_else(PoisonError::into_inner);
    followed.remove(&id);
}
