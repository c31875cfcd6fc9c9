//! The connection to the broker.

use std::borrow::Cow;
use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_nats::jetstream;
use async_nats::jetstream::context::traits::Publisher;
use async_nats::{ConnectOptions, Event};
use sureness_hint::Hint;

use crate::RunName;

/// Addresses and credentials of the broker.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Its addresses, such as `nats://host:4222` or `tls://host`.
    pub servers: Vec<String>,
    /// File with a user's JWT and seed.
    pub credentials: Option<PathBuf>,
    /// File with a user's `NKey` seed.
    pub nkey: Option<PathBuf>,
    /// File with the certificates to trust besides the system's.
    pub root_certificates: Option<PathBuf>,
    /// Files with this program's certificate and its key.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
}

/// An error that ends a coordinator or worker.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct FleetError {
    /// The problem and its place.
    pub message: String,
    /// The remedy.
    pub hint: String,
}

impl FleetError {
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
        }
    }
}

/// A connection, for one run.
#[derive(Debug, Clone)]
pub struct Link {
    pub(crate) client: async_nats::Client,
    pub(crate) stream: jetstream::Context,
    pub(crate) run: RunName,
    up: Arc<AtomicBool>,
    /// When the broker was last unreachable.
    down: Arc<Mutex<Option<Instant>>>,
}

/// How long the first connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a reply of the broker may take.
const REPLY_TIMEOUT: Duration = Duration::from_secs(5);
/// The first back-off before a retry, and the longest.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

impl Link {
    /// Connects, and reconnects whenever the connection is lost. `changed` is called with whether the
    /// broker is up, each time that this changes.
    pub async fn connect(
        access: &Access,
        run: RunName,
        name: &str,
        changed: impl Fn(bool) + Send + Sync + 'static,
    ) -> Result<Self, FleetError> {
        let up = Arc::new(AtomicBool::new(true));
        let down = Arc::new(Mutex::new(None));
        let options = options(access, &run, name).await?;
        let options = {
            let (up, down, changed) = (Arc::clone(&up), Arc::clone(&down), Arc::new(changed));
            options.event_callback(move |event| {
                let change = match event {
                    Event::Connected => Some(true),
                    // A connection that is closed was closed here, at the end of a run.
                    Event::Disconnected => Some(false),
                    _ => None,
                };
                tracing::debug!(%event, "broker");
                if change.is_some_and(|now| !now) || !up.load(Ordering::SeqCst) {
                    *lock(&down) = Some(Instant::now());
                }
                if let Some(now) = change
                    && up.swap(now, Ordering::SeqCst) != now
                {
                    changed(now);
                }
                std::future::ready(())
            })
        };
        let connecting = options.connect(&access.servers);
        let shown = shown(&access.servers);
        let client = match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(Ok(client)) => client,
            Ok(Err(error)) => {
                return Err(FleetError::new(
                    format!("cannot connect to the NATS server at {shown}: {error}"),
                    connect_hint(&error),
                ));
            }
            Err(_) => {
                return Err(FleetError::new(
                    format!(
                        "no NATS server answered at {shown} within {} s",
                        CONNECT_TIMEOUT.as_secs()
                    ),
                    "check the address, and that no firewall drops the packets",
                ));
            }
        };
        let mut stream = jetstream::new(client.clone());
        stream.set_timeout(REPLY_TIMEOUT);
        Ok(Self {
            client,
            stream,
            run,
            up,
            down,
        })
    }

    /// Whether the broker is connected.
    pub fn is_up(&self) -> bool {
        self.up.load(Ordering::SeqCst)
    }

    /// Whether the broker was unreachable at some time within the last `span`.
    pub(crate) fn was_down_within(&self, span: Duration) -> bool {
        !self.is_up() || lock(&self.down).is_some_and(|at| at.elapsed() < span)
    }

    /// The run's name.
    pub fn run(&self) -> &RunName {
        &self.run
    }

    /// The largest message that the broker accepts, in bytes.
    pub(crate) fn max_bytes(&self) -> usize {
        let reported = self.client.server_info().max_payload;
        let limit = if reported == 0 { 1 << 20 } else { reported };
        limit.min(crate::message::MAX_BYTES)
    }

    /// Publishes into a stream, and retries until the broker has the message. The broker drops
    /// duplicates with the same `id`. Returns the position in the stream.
    pub(crate) async fn deliver(&self, subject: String, id: &str, payload: Vec<u8>) -> u64 {
        let payload = bytes::Bytes::from(payload);
        let publish = || async {
            let message = jetstream::message::PublishMessage::build()
                .payload(payload.clone())
                .message_id(id)
                .outbound_message(subject.clone());
            let ack = self.stream.publish_message(message).await;
            let ack = ack.map_err(|e| e.to_string())?;
            ack.await.map(|ack| ack.sequence).map_err(|e| e.to_string())
        };
        persist("publish", publish).await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Retries until it succeeds, for operations that must succeed and can be repeated.
pub(crate) async fn persist<T, F, E>(what: &str, mut attempt: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, E>>,
    E: std::fmt::Display,
{
    let mut pause = PAUSE;
    loop {
        match attempt().await {
            Ok(done) => return done,
            Err(error) => tracing::debug!(what, %error, "retrying"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn options(access: &Access, run: &RunName, name: &str) -> Result<ConnectOptions, FleetError> {
    let mut options = ConnectOptions::new()
        .name(name)
        .custom_inbox_prefix(run.inbox())
        .request_timeout(Some(REPLY_TIMEOUT))
        .connection_timeout(REPLY_TIMEOUT)
        .max_reconnects(None)
        .reconnect_delay_callback(|attempts| {
            let doubled = PAUSE * 2_u32.saturating_pow(attempts.min(8) as u32);
            doubled.min(LONGEST_PAUSE)
        });
    for address in &access.servers {
        let parsed: async_nats::ServerAddr = address.parse().map_err(|e| {
            FleetError::new(
                format!("{} is not a NATS address: {e}", masked(address)),
                "write it as nats://host:4222 or tls://host:4222",
            )
        })?;
        if let (Some(user), Some(password)) = (parsed.username(), parsed.password()) {
            options = options.user_and_password(user.to_owned(), password.to_owned());
        } else if let Some(token) = parsed.username() {
            options = options.token(token.to_owned());
        }
    }
    let unreadable = |path: &PathBuf, e: &dyn std::fmt::Display| {
        FleetError::new(
            format!("cannot read {}: {e}", path.display()),
            "pass a file that this user can read",
        )
    };
    if let Some(path) = &access.credentials {
        options = options
            .credentials_file(path)
            .await
            .map_err(|e| unreadable(path, &e))?;
    }
    if let Some(path) = &access.nkey {
        let seed = std::fs::read_to_string(path).map_err(|e| unreadable(path, &e))?;
        options = options.nkey(seed.trim().to_owned());
    }
    if let Some(path) = &access.root_certificates {
        std::fs::metadata(path).map_err(|e| unreadable(path, &e))?;
        options = options.add_root_certificates(path.clone());
    }
    if let Some((certificate, key)) = &access.client_certificate {
        for path in [certificate, key] {
            std::fs::metadata(path).map_err(|e| unreadable(path, &e))?;
        }
        options = options.add_client_certificate(certificate.clone(), key.clone());
    }
    Ok(options)
}

const TLS_HINT: &str = "pass the certificate that signed the server's with --nats-ca FILE and, if \
                        the server asks for a client certificate, --nats-cert FILE and --nats-key FILE";

fn connect_hint(error: &async_nats::ConnectError) -> &'static str {
    use async_nats::ConnectErrorKind as Kind;
    // Errors in a handshake arrive as input and output errors.
    let text = error.to_string().to_lowercase();
    let of_tls = ["certificate", "handshake", "tls"]
        .iter()
        .any(|word| text.contains(word));
    match error.kind() {
        _ if of_tls => TLS_HINT,
        Kind::Authentication | Kind::AuthorizationViolation => {
            "pass the right credentials: --nats-creds FILE, --nats-nkey FILE, or user:password in \
             the address"
        }
        Kind::Tls => TLS_HINT,
        _ => "check the address, and that `nats-server -js` runs there",
    }
}

/// The addresses without passwords.
fn shown(servers: &[String]) -> String {
    let masked: Vec<String> = servers.iter().map(|s| masked(s)).collect();
    masked.join(", ")
}

/// An address without user and password.
fn masked(address: &str) -> String {
    match (address.split_once("://"), address.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_owned(),
        _ => address.to_owned(),
    }
}

impl Hint for FleetError {
    fn hint(&self) -> Cow<'_, str> {
        self.hint.as_str().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(masked("nats://me:secret@host:4222"), "nats://host:4222");
        assert_eq!(masked("token@host"), "host");
        assert_eq!(masked("tls://host"), "tls://host");
    }
}
