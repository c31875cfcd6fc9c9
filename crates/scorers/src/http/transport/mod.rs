//! HTTP clients.
//!
//! [`AsyncClient`] runs on a runtime, [`BlockingClient`] on plain threads without one. Both keep a
//! pool of HTTP/1.1 connections to one [`Endpoint`], have the same time limits and errors,
//! and share the protocol (see [`super::wire`]). Neither retries a request nor follows a redirect:
//! both are the caller's decision. [`Http2Client`] is the optional HTTP/2 client.

mod asynchronous;
mod basic;
mod blocking;
mod endpoint;
mod http2;
mod proxy;
mod tls;

pub(super) use asynchronous::AsyncClient;
pub(super) use blocking::BlockingClient;
pub(super) use endpoint::{Endpoint, NO_TLS, Resource, THE_PROXY};
pub(super) use http2::Http2Client;

use std::error::Error;
use std::future::Future;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::wire::{Response, ResponseReader, WireError};
use crate::ScoreError;

/// How long an idle connection is kept. Servers close theirs after 5 s (uvicorn) or more, and a
/// request at that moment fails.
const IDLE: Duration = Duration::from_secs(4);

/// A response, and how long its phases took.
#[derive(Debug)]
pub(super) struct TimedResponse {
    pub(super) response: Response,
    /// Opening a connection; zero for a reused one.
    pub(super) connect: Duration,
    /// From the first byte sent to the last one received.
    pub(super) server: Duration,
}

/// Sends requests to one server.
pub(super) trait Client: Sync {
    /// Maximum requests at once for one batch.
    fn max_in_flight(&self) -> usize;

    /// The server's response, whatever its status; an error if there was none.
    fn send(
        &self,
        resource: &Resource,
        body: &[u8],
    ) -> impl Future<Output = Result<TimedResponse, ScoreError>> + Send;
}

/// The asynchronous clients, as one type.
pub(super) enum Transport {
    Http1(AsyncClient),
    Http2(Http2Client),
}

impl Client for Transport {
    fn max_in_flight(&self) -> usize {
        match self {
            Self::Http1(client) => client.max_in_flight(),
            Self::Http2(client) => client.max_in_flight(),
        }
    }

    async fn send(&self, resource: &Resource, body: &[u8]) -> Result<TimedResponse, ScoreError> {
        match self {
            Self::Http1(client) => client.send(resource, body).await,
            Self::Http2(client) => client.send(resource, body).await,
        }
    }
}

/// Time limits of one request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) connect: Duration,
    pub(super) first_byte: Option<Duration>,
    pub(super) total: Duration,
}

/// Why a request has no complete response.
#[derive(Debug)]
enum SendError {
    Network(io::Error),
    Wire(WireError),
    NoFirstByte,
    OutOfTime,
}

/// Whether the server may have closed a reused connection before the request reached it.
///
/// Only then may the request be sent again: after a single byte of an answer, or a timeout, the
/// server may have worked on it.
fn is_stale(outcome: &Result<(), SendError>, reader: &ResponseReader) -> bool {
    matches!(
        outcome,
        Err(SendError::Network(_) | SendError::Wire(WireError::Cut))
    ) && !reader.has_begun()
}

/// The response or the error. An incomplete response counts if its status is an error already.
fn into_response(
    reader: ResponseReader,
    outcome: Result<(), SendError>,
    endpoint: &Endpoint,
) -> Result<Response, ScoreError> {
    let Err(trouble) = outcome else {
        return reader
            .finish()
            .map_err(|error| endpoint.scrubbed(error.into()));
    };
    if let Some(response) = reader.salvage() {
        return Ok(response);
    }
    let limits = &endpoint.limits;
    let timed_out = |limit: Duration| ScoreError::TimedOut {
        seconds: limit.as_secs_f64().ceil() as u64,
    };
    Err(match trouble {
        SendError::Network(error) => endpoint.broken(&error),
        SendError::Wire(error) => endpoint.scrubbed(error.into()),
        SendError::NoFirstByte => timed_out(limits.first_byte.unwrap_or(limits.total)),
        SendError::OutOfTime => timed_out(limits.total),
    })
}

/// Idle connections, most recently used first: the rest ages, so that a large pool shrinks.
struct Pool<S> {
    idle: Mutex<Vec<(S, Instant)>>,
}

impl<S> Pool<S> {
    fn new() -> Self {
        Self {
            idle: Mutex::new(Vec::new()),
        }
    }

    /// A connection that is recent enough and, according to `is_open`, still open.
    fn take(&self, is_open: impl Fn(&S) -> bool) -> Option<S> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((connection, since)) = idle.pop() {
            if since.elapsed() >= IDLE {
                // All below are older.
                idle.clear();
                return None;
            }
            if is_open(&connection) {
                return Some(connection);
            }
        }
        None
    }

    /// The response that arrived over `connection`, which is kept if it is reusable. Connecting took
    /// `connect`, the server `server`.
    fn take_back(
        &self,
        connection: S,
        (reader, outcome): (ResponseReader, Result<(), SendError>),
        (connect, server): (Duration, Duration),
        endpoint: &Endpoint,
    ) -> Result<TimedResponse, ScoreError> {
        let response = into_response(reader, outcome, endpoint)?;
        if response.keep_alive {
            self.put(connection);
        }
        Ok(TimedResponse {
            response,
            connect,
            server,
        })
    }

    fn put(&self, connection: S) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push((connection, Instant::now()));
    }
}

impl From<io::Error> for SendError {
    fn from(error: io::Error) -> Self {
        Self::Network(error)
    }
}

impl From<WireError> for SendError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

/// An error with its causes, since the outermost message often lacks the reason.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let reason = error.to_string();
        if !text.contains(&reason) {
            text.push_str(": ");
            text.push_str(&reason);
        }
        cause = error.source();
    }
    text
}
