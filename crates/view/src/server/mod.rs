//! The server: its address, its connections, and which requests it answers.

mod accept;
mod address;
mod guard;
mod routes;

use std::sync::Arc;
use std::time::Duration;

use sureness_bench::Failure;
use tokio::sync::watch;

use crate::Settings;
use crate::site::Site;
use address::Bound;

/// How long the watchers of a run have for its last figures when the server stops.
const FAREWELL: Duration = Duration::from_secs(3);

/// Time for bytes that are on their way.
const LAST_BYTES: Duration = Duration::from_millis(100);

/// A bound address with what is served there.
#[derive(Debug)]
pub struct View {
    bound: Bound,
    site: Arc<Site>,
    stopping: watch::Sender<bool>,
}

impl View {
    /// Binds the address and prepares the pages.
    ///
    /// # Errors
    ///
    /// If the address cannot be bound.
    pub fn bind(settings: Settings) -> Result<Self, Failure> {
        let bound = Bound::new(settings.host.as_deref(), settings.port)?;
        let (stopping, stop) = watch::channel(false);
        let site = Site::new(settings, bound.base(), stop)?;
        Ok(Self {
            bound,
            site: Arc::new(site),
            stopping,
        })
    }

    /// The address of the list of runs, with its token if it has one.
    pub fn url(&self) -> String {
        self.bound.url()
    }

    /// Serves until [`stop`](Self::stop) is called, on the current async runtime.
    ///
    /// # Errors
    ///
    /// If the socket cannot be used.
    pub async fn serve(&self) -> Result<(), Failure> {
        let guard = guard::Guard::new(&self.bound);
        let routes = routes::routes(Arc::clone(&self.site), guard);
        accept::serve(&self.bound, routes, self.stopping.subscribe()).await
    }

    /// Sends the last figures to all who watch, and stops serving a moment later.
    pub async fn stop(&self) {
        self.stopping.send_replace(true);
        let all_told = self.site.hub().all_told();
        let _ = tokio::time::timeout(FAREWELL, all_told).await;
        tokio::time::sleep(LAST_BYTES).await;
    }
}
