//! Signals: requests to stop, and the file size limit.

use sureness_bench::{Interrupts, Stopper};

use crate::error::EXIT_INTERRUPTED;

/// Listens for signals on the current async runtime.
///
/// Ctrl-C and SIGTERM (from a cluster or a supervisor) are equivalent: the first waits for requests
/// in flight, the second stops at once. Remote workers (`coordinates`) finish on their own, so the
/// first stops at once. No answer is lost either way.
pub(crate) fn interrupts(coordinates: bool) -> Interrupts {
    let (stopper, interrupts) = Interrupts::new();
    // Here and not in the task, which may begin long after the first request: till then a signal would
    // end the process.
    if let Ok(stops) = Stops::new() {
        tokio::spawn(listen(stopper, stops, coordinates));
    }
    interrupts
}

/// Waits for Ctrl-C or SIGTERM, on the current async runtime.
pub(crate) async fn stop_requested() {
    match Stops::new() {
        Ok(mut stops) => stops.next().await,
        Err(_) => std::future::pending().await,
    }
}

async fn listen(stopper: Stopper, mut stops: Stops, coordinates: bool) {
    stops.next().await;
    if coordinates {
        eprintln!(
            "\nStopping. Workers finish what they hold; the same command collects their answers later."
        );
        stopper.stop_now();
    } else {
        eprintln!("\nStopping: waiting for requests in flight. Press Ctrl-C again to stop now.");
        stopper.stop();
    }
    stops.next().await;
    stopper.stop_now();
    // Third Ctrl-C: exit without waiting for the writer.
    stops.next().await;
    std::process::exit(i32::from(EXIT_INTERRUPTED));
}

#[cfg(unix)]
mod system {
    use tokio::signal::unix::{Signal, SignalKind, signal};

    /// Signals that request a stop.
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

        /// Waits for either signal.
        pub(super) async fn next(&mut self) {
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => {}
            }
        }
    }

    /// SIGXFSZ, which has this number on every system that defines it.
    const FILE_TOO_LARGE: i32 = 25;

    /// Turns a write past the file size limit (`ulimit -f`) into an error like that of a full disk.
    /// By default the signal would kill the process silently.
    pub(in super::super) fn ignore_file_size_signal() {
        // Dropping the stream keeps the handler, which does nothing; the write then fails.
        let _ = signal(SignalKind::from_raw(FILE_TOO_LARGE));
    }
}

#[cfg(not(unix))]
mod system {
    /// Only Ctrl-C exists here.
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

    /// The signal does not exist here.
    pub(in super::super) fn ignore_file_size_signal() {}
}

use system::Stops;
pub(super) use system::ignore_file_size_signal;
