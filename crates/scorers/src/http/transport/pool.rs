//! Idle connections.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::super::wire::ResponseReader;
use super::{Endpoint, SendError, TimedResponse, into_response};
use crate::ScoreError;

/// How long an idle connection is kept. Servers close theirs after 5 s (uvicorn) or more, and a
/// request at that moment fails.
const IDLE: Duration = Duration::from_secs(4);

/// Idle connections, most recently used first: the rest ages, so that a large pool shrinks.
pub(super) struct Pool<S> {
    idle: Mutex<Vec<(S, Instant)>>,
}

impl<S> Pool<S> {
    pub(super) fn new() -> Self {
        Self {
            idle: Mutex::new(Vec::new()),
        }
    }

    /// A connection that is recent enough and, according to `is_open`, still open.
    pub(super) fn take(&self, is_open: impl Fn(&S) -> bool) -> Option<S> {
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
    pub(super) fn take_back(
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
