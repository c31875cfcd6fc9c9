//! What the operating system tells the process: to stop, and that a file has grown too large.

use std::future::Future;

use sureness_engine::Cancel;
use tokio::sync::watch;

use crate::error::EXIT_INTERRUPTED;

/// Whether somebody wants the run to stop.
#[derive(Clone)]
pub(crate) struct Interrupts {
    cancel: Cancel,
    asked: watch::Receiver<bool>,
}

impl Interrupts {
    /// Listens from now on. Ctrl-C and SIGTERM, which is what a cluster or a supervisor sends,
    /// mean the same: the first finishes what is in flight, the second ends at once. Nothing that
    /// has been answered is lost either way.
    pub(crate) fn listen() -> Self {
        Self::listen_for(false)
    }

    /// The same for a run whose questions are with others: they go on with what they have, so
    /// there is nothing to wait for, and already the first ends at once.
    pub(crate) fn listen_for_coordinator() -> Self {
        Self::listen_for(true)
    }

    fn listen_for(coordinates: bool) -> Self {
        let cancel = Cancel::default();
        let (tell, asked) = watch::channel(false);
        tokio::spawn(hear(cancel.clone(), tell, coordinates));
        Self { cancel, asked }
    }

    /// What stops the engine.
    pub(crate) fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// Whether a stop was asked for.
    pub(crate) fn came(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// The outcome of `work`, unless a stop is asked for before. For work of which nothing would
    /// be kept, so that finishing it serves nobody.
    pub(crate) async fn unless<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            outcome = work => Some(outcome),
            () = self.come() => None,
        }
    }

    /// Returns once a stop is asked for.
    pub(crate) async fn come(&self) {
        if self.asked.clone().wait_for(|asked| *asked).await.is_err() {
            // Nobody listens any more.
            std::future::pending::<()>().await;
        }
    }
}

async fn hear(cancel: Cancel, tell: watch::Sender<bool>, coordinates: bool) {
    let Ok(mut stops) = Stops::new() else {
        return;
    };
    stops.next().await;
    if coordinates {
        eprintln!(
            "\nStopping. Workers go on with what they have; the same command takes it in later."
        );
        cancel.now();
    } else {
        eprintln!("\nStopping: waiting for what is in flight. Press Ctrl-C again to stop now.");
        cancel.cancel();
    }
    tell.send_replace(true);
    stops.next().await;
    cancel.now();
    // Third Ctrl-C: exit without waiting for the writer.
    stops.next().await;
    std::process::exit(i32::from(EXIT_INTERRUPTED));
}

#[cfg(unix)]
mod system {
    use tokio::signal::unix::{Signal, SignalKind, signal};

    /// The signals that ask to stop.
    pub(super) struct Stops {
        interrupt: Signal,
        terminate: Signal,
    }

    impl Stops {
        pub(super) fn new() -> std::io::Result<Self> {
            Ok(Self {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
            })
        }

        /// Waits for either.
        pub(super) async fn next(&mut self) {
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => {}
            }
        }
    }

    /// SIGXFSZ on every system where it has a number of its own.
    const FILE_TOO_LARGE: i32 = 25;

    /// A write past the limit on file sizes (`ulimit -f`) fails like one on a full disk, and is
    /// reported like one. Left alone, the signal would end the process without a word.
    pub(crate) fn outlive_size_limits() {
        // The handler stays when this is dropped; it does nothing, and then the write fails.
        let _ = signal(SignalKind::from_raw(FILE_TOO_LARGE));
    }
}

#[cfg(not(unix))]
mod system {
    /// Ctrl-C is all there is.
    pub(super) struct Stops;

    impl Stops {
        #[expect(clippy::unnecessary_wraps, reason = "the same signature as on Unix")]
        pub(super) fn new() -> std::io::Result<Self> {
            Ok(Self)
        }

        #[expect(clippy::unused_self, reason = "the same signature as on Unix")]
        pub(super) async fn next(&mut self) {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// There is no such signal.
    pub(crate) fn outlive_size_limits() {}
}

use system::Stops;
pub(crate) use system::outlive_size_limits;
