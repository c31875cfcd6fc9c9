//! From a request's bytes to a response, in two models.
//!
//! [`Asynchronous`] is for a runtime, [`Blocking`] for plain threads and without one. Both keep a
//! pool of HTTP/1.1 connections to one [`Endpoint`], have the same time limits and the same
//! errors, and share every byte of the protocol (see [`super::wire`]). Neither retries an answer
//! nor follows a redirect: both are decisions of the caller. [`Multiplexed`] is HTTP/2, where
//! that is asked for.

mod asynchronous;
mod basic;
mod blocking;
mod endpoint;
mod multiplexed;
mod pool;
mod proxy;
mod tls;

pub(super) use asynchronous::Asynchronous;
pub(super) use blocking::Blocking;
pub(super) use endpoint::{Endpoint, Resource};
pub(super) use multiplexed::Multiplexed;

use std::error::Error;
use std::future::Future;
use std::io;
use std::time::Duration;

use super::wire::{Response, ResponseReader, WireError};
use crate::ScoreError;

/// A response, and where its time went.
#[derive(Debug)]
pub(super) struct Carried {
    pub(super) response: Response,
    /// Opening a connection; zero where one was there.
    pub(super) connect: Duration,
    /// From the first byte sent to the last one received.
    pub(super) server: Duration,
}

/// Takes a request to the server.
pub(super) trait Carrier: Sync {
    /// How many requests may be under way for one batch.
    fn lanes(&self) -> usize;

    /// The server's response, whatever its status. An error means that none came.
    fn carry(
        &self,
        resource: &Resource,
        body: &[u8],
    ) -> impl Future<Output = Result<Carried, ScoreError>> + Send;
}

/// The asynchronous ways, as one type.
pub(super) enum Transport {
    Http1(Asynchronous),
    Http2(Multiplexed),
}

impl Carrier for Transport {
    fn lanes(&self) -> usize {
        match self {
            Self::Http1(carrier) => carrier.lanes(),
            Self::Http2(carrier) => carrier.lanes(),
        }
    }

    async fn carry(&self, resource: &Resource, body: &[u8]) -> Result<Carried, ScoreError> {
        match self {
            Self::Http1(carrier) => carrier.carry(resource, body).await,
            Self::Http2(carrier) => carrier.carry(resource, body).await,
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

/// What can go wrong between the first byte sent and the last one received.
#[derive(Debug)]
enum Trouble {
    Network(io::Error),
    Wire(WireError),
    NoFirstByte,
    OutOfTime,
}

/// Whether a reused connection may just have been closed by the server as it was idle.
///
/// Only an untouched request may be sent twice: if a single byte of an answer came, or time ran
/// out, the server has been at work on it.
fn is_stale(outcome: &Result<(), Trouble>, reader: &ResponseReader) -> bool {
    matches!(
        outcome,
        Err(Trouble::Network(_) | Trouble::Wire(WireError::Cut))
    ) && !reader.has_begun()
}

/// The response, or the error; of a response that broke off, the status where that says enough.
fn settle(
    reader: ResponseReader,
    outcome: Result<(), Trouble>,
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
        Trouble::Network(error) => endpoint.broken(&error),
        Trouble::Wire(error) => endpoint.scrubbed(error.into()),
        Trouble::NoFirstByte => timed_out(limits.first_byte.unwrap_or(limits.total)),
        Trouble::OutOfTime => timed_out(limits.total),
    })
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Network(error)
    }
}

impl From<WireError> for Trouble {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

/// An error with its causes: the outermost text often stops short of the reason.
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
