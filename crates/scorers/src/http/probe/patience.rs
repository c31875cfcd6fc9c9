//! Repeats requests of the probe whose failure may pass, as a run repeats its questions: what the
//! probe finds out must not depend on a moment.

use std::time::Duration;

use serde_json::Value;

use super::super::exchange::ask::ask;
use super::super::transport::{Endpoint, Resource, Transport};
use crate::ScoreError;

/// How often a request is repeated.
pub(super) const REPEATS: usize = 4;
/// Shortest and longest pause between two attempts.
pub(super) const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(2)];
/// The longest wait that a server may ask for between two attempts.
const LONGEST_ASKED: Duration = Duration::from_secs(30);

/// Whether the failure may pass within seconds, from a server that has answered before.
pub(super) fn may_pass(error: &ScoreError) -> bool {
    match error {
        ScoreError::Server { .. } | ScoreError::Unreachable { .. } => true,
        ScoreError::RateLimited { .. } => !error.is_quota_used_up(),
        _ => false,
    }
}

/// Asks a server that has answered before.
pub(in crate::http) async fn ask_again(
    transport: &Transport,
    endpoint: &Endpoint,
    resource: &Resource,
    body: &[u8],
) -> Result<Value, ScoreError> {
    let [mut pause, longest] = PAUSES;
    let mut repeats = REPEATS;
    loop {
        let answer = ask(transport, endpoint, resource, body).await;
        let Err(error) = &answer else { return answer };
        let wait = error.retry_after().unwrap_or(pause);
        if repeats == 0 || !may_pass(error) || wait > LONGEST_ASKED {
            return answer;
        }
        tracing::info!(%error, "a request of the probe failed: asking again");
        tokio::time::sleep(wait).await;
        repeats -= 1;
        pause = (pause * 2).min(longest);
    }
}
