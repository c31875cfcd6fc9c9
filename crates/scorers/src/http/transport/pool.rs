//! Idle connections.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::super::wire::{Response, ResponseReader};
use super::{Endpoint, Trouble, settle};
use crate::ScoreError;

/// How long an unused connection is kept. Servers close theirs after 5 s (uvicorn) or more; a
/// connection that is reused at that moment breaks.
const IDLE: Duration = Duration::from_secs(4);

/// Idle connections, the last one used on top: the others age, so that a pool which was large
/// once shrinks.
pub(super) struct Pool<S> {
    idle: Mutex<Vec<(S, Instant)>>,
}

impl<S> Pool<S> {
    pub(super) fn new() -> Self {
        Self {
            idle: Mutex::new(Vec::new()),
        }
    }

    /// A connection that is young enough and, as far as `is_open` can tell, still open.
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

    /// The response that came over `connection`, which is kept if it may be used again.
    pub(super) fn settle(
        &self,
        connection: S,
        reader: ResponseReader,
        outcome: Result<(), Trouble>,
        endpoint: &Endpoint,
    ) -> Result<Response, ScoreError> {
        let response = settle(reader, outcome, endpoint)?;
        if response.keep_alive {
            self.put(connection);
        }
        Ok(response)
    }

    fn put(&self, connection: S) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push((connection, Instant::now()));
    }
}
