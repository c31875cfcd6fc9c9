//! The server: its thread, its listener and its handle.

mod capacity;
mod connection;
mod exchange;
mod live;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc as std_mpsc;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::log::{Counts, Entry, Log, PromptCounts};
use crate::script::Script;
use connection::{Shared, serve};
use live::Live;

/// A server on loopback that plays a script on its own thread. It stops when dropped.
///
/// Its methods block until the server's thread reacts, which is short, and can be called from async
/// code.
#[derive(Debug)]
pub struct FaultServer {
    shared: Arc<Shared>,
    commands: mpsc::UnboundedSender<Command>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Command {
    Pause(std_mpsc::Sender<()>),
    Resume(std_mpsc::Sender<io::Result<()>>),
    Stop,
}

impl FaultServer {
    /// Starts a server on a free port.
    pub fn start(script: Script) -> io::Result<Self> {
        Self::start_on(script, 0)
    }

    /// Starts a server on this port; 0 for a free one.
    pub fn start_on(script: Script, port: u16) -> io::Result<Self> {
        let (commands, inbox) = mpsc::unbounded_channel();
        let (started, wait) = std_mpsc::channel();
        // The new thread also creates the runtime: a caller inside a runtime cannot enter another.
        let thread = std::thread::Builder::new()
            .name("fault-server".into())
            .spawn(move || run(script, port, inbox, &started))?;
        let shared = wait
            .recv()
            .map_err(|_| io::Error::other("the server's thread has ended"))??;
        Ok(Self {
            shared,
            commands,
            thread: Some(thread),
        })
    }

    /// The address of the API, `http://127.0.0.1:PORT/v1`.
    pub fn base(&self) -> String {
        format!("http://{}/v1", self.shared.address)
    }

    /// The address of the listener.
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// Switches to another script. Requests in progress continue with their own; the counts of
    /// rules start again, the log continues.
    pub fn set_script(&self, script: Script) {
        let live = Arc::new(Live::new(script));
        *self
            .shared
            .live
            .write()
            .unwrap_or_else(PoisonError::into_inner) = live;
    }

    /// All requests in the order of arrival.
    pub fn log(&self) -> Vec<Entry> {
        self.shared.log.entries()
    }

    /// Counts of requests, prompts, statuses and faults.
    pub fn counts(&self) -> Counts {
        self.shared.log.counts()
    }

    /// How often one prompt was asked and answered.
    pub fn prompt_counts(&self, prompt: &str) -> PromptCounts {
        self.shared.log.prompt(prompt)
    }

    /// Clears the log, including requests in progress.
    pub fn clear_log(&self) {
        self.shared.log.clear();
    }

    /// Waits until no request is in progress, for at most `timeout`; returns whether that is so. A
    /// client receives its answer shortly before the log entry is complete, so wait before reading
    /// the log.
    pub fn wait_until_idle(&self, timeout: Duration) -> bool {
        let end = Instant::now() + timeout;
        while self.counts().in_flight > 0 {
            if Instant::now() > end {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        true
    }

    /// Becomes unreachable as if its process had died: closes open connections and refuses new ones
    /// until [`Self::resume`].
    pub fn pause(&self) {
        let (done, wait) = std_mpsc::channel();
        if self.commands.send(Command::Pause(done)).is_ok() {
            let _ = wait.recv();
        }
    }

    /// Restarts on the same port, unless the server is running.
    pub fn resume(&self) -> io::Result<()> {
        let (done, wait) = std_mpsc::channel();
        let gone = || io::Error::other("the server's thread has ended");
        self.commands
            .send(Command::Resume(done))
            .map_err(|_| gone())?;
        wait.recv().map_err(|_| gone())?
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        let _ = self.commands.send(Command::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The server's thread.
fn run(
    script: Script,
    port: u16,
    inbox: mpsc::UnboundedReceiver<Command>,
    started: &std_mpsc::Sender<io::Result<Arc<Shared>>>,
) {
    // A single thread: nothing runs between an answer's last byte and its log entry, so that the
    // log never has a prompt's next request before its answer.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = started.send(Err(error));
            return;
        }
    };
    runtime.block_on(async {
        match bind(script, port).await {
            Ok((shared, listener)) => {
                let _ = started.send(Ok(Arc::clone(&shared)));
                listen(shared, listener, inbox).await;
            }
            Err(error) => {
                let _ = started.send(Err(error));
            }
        }
    });
}

async fn bind(script: Script, port: u16) -> io::Result<(Arc<Shared>, TcpListener)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let shared = Arc::new(Shared {
        live: RwLock::new(Arc::new(Live::new(script))),
        log: Arc::new(Log::new()),
        address: listener.local_addr()?,
    });
    Ok((shared, listener))
}

async fn listen(
    shared: Arc<Shared>,
    listener: TcpListener,
    mut inbox: mpsc::UnboundedReceiver<Command>,
) {
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            command = inbox.recv() => match command {
                Some(Command::Pause(done)) => {
                    listener = None;
                    connections.shutdown().await;
                    let _ = done.send(());
                }
                Some(Command::Resume(done)) => {
                    let bound = match listener.take() {
                        Some(open) => Ok(open),
                        None => TcpListener::bind(shared.address).await,
                    };
                    let _ = done.send(bound.map(|bound| listener = Some(bound)));
                }
                Some(Command::Stop) | None => return,
            },
            Some(accepted) = accept(listener.as_ref()) => {
                if let Ok((stream, _)) = accepted {
                    let number = shared.log.connect();
                    connections.spawn(serve(Arc::clone(&shared), stream, number));
                } else {
                    // Most likely out of file descriptors: wait for some to be released.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
            // Removes ended connections.
            Some(_) = connections.join_next() => {}
        }
    }
}

/// The next connection; `None` while paused.
async fn accept(
    listener: Option<&TcpListener>,
) -> Option<io::Result<(tokio::net::TcpStream, SocketAddr)>> {
    Some(listener?.accept().await)
}
