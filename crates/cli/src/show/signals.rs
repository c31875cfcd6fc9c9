//! What the operating system tells the process: to stop, and that a file has grown too large.

use sureness_bench::{Interrupts, Stopper};

use crate::error::EXIT_INTERRUPTED;

/// Listens from now on, within the current async runtime.
///
/// Ctrl-C and SIGTERM, which is what a cluster or a supervisor sends, mean the same: the first
/// finishes what is in flight, the second ends at once. Where workers elsewhere do the asking
/// (`coordinates`) they go on with what they have, so that the first ends at once. No answer is lost
/// either way.
pub(crate) fn interrupts(coordinates: bool) -> Interrupts {
    let (stopper, interrupts) = Interrupts::new();
    tokio::spawn(hear(stopper, coordinates));
    interrupts
}

async fn hear(stopper: Stopper, coordinates: bool) {
    let Ok(mut stops) = Stops::new() else {
        return;
    };
    stops.next().await;
    if coordinates {
        eprintln!(
            "\nStopping. Workers go on with what they have; the same command takes it in later."
        );
        stopper.stop_now();
    } else {
        eprintln!("\nStopping: waiting for what is in flight. Press Ctrl-C again to stop now.");
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
    pub(in super::super) fn outlive_size_limits() {
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
    pub(in super::super) fn outlive_size_limits() {}
}

use system::Stops;
pub(super) use system::outlive_size_limits;
