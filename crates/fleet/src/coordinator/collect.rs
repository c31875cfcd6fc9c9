//! Taking results.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::message::Acker;
use async_nats::jetstream::stream::Stream;
use futures_util::StreamExt;
use tokio::runtime::Handle;

use super::{Core, streams};
use crate::link::persist;
use crate::message::{Unit, UnitResult, unpack};
use crate::names::RunName;
use crate::{FleetError, Link};

/// Results that may be unconfirmed at once.
const UNCONFIRMED: i64 = 20_000;
/// A result that is not confirmed for so long is delivered again. Only a dead coordinator leaves
/// one lying, and the next one begins with a consumer of its own.
const CONFIRM_WITHIN: Duration = Duration::from_secs(600);
/// Messages per request to the broker, and how long it waits for the first.
const BATCH: usize = 256;
const PATIENCE: Duration = Duration::from_secs(2);

/// Confirms a result message when all its answers are kept: when the last copy is dropped.
pub(super) struct Receipt {
    acker: Option<Acker>,
    runtime: Handle,
}

impl std::fmt::Debug for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receipt").finish_non_exhaustive()
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if let Some(acker) = self.acker.take() {
            self.runtime.spawn(async move {
                if let Err(error) = acker.ack().await {
                    tracing::debug!(%error, "a result is not confirmed; it will come again");
                }
            });
        }
    }
}

/// A fresh consumer: what an earlier coordinator left unconfirmed comes at once.
async fn consumer(link: &Link, lane: u16, results: &Stream) -> PullConsumer {
    let name = RunName::result_consumer(lane);
    let config = pull::Config {
        durable_name: Some(name.clone()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: CONFIRM_WITHIN,
        max_ack_pending: UNCONFIRMED,
        filter_subject: link.run.results(lane),
        ..pull::Config::default()
    };
    persist("make the results' consumer", || {
        results.get_or_create_consumer(&name, config.clone())
    })
    .await
}

/// Takes results and units that an earlier coordinator left. Gives how many there were: units,
/// results.
pub(super) async fn take_over(core: &Core, lane: u16) -> Result<(usize, usize), FleetError> {
    let link = &core.link;
    let results = streams::stream(link, &link.run.result_stream()).await;
    let _ = results
        .delete_consumer(&RunName::result_consumer(lane))
        .await;
    let consumer = consumer(link, lane, &results).await;
    let mut taken = 0;
    loop {
        let fetched = consumer.fetch().max_messages(BATCH).messages().await;
        let mut messages = fetched.map_err(|e| broken(&e.to_string()))?;
        let mut count = 0;
        while let Some(message) = messages.next().await {
            take(core, lane, message.map_err(|e| broken(&e.to_string()))?);
            count += 1;
        }
        taken += count;
        if count == 0 {
            break;
        }
    }
    let units = adopt(core, lane).await;
    core.lanes[usize::from(lane)].book().started();
    Ok((units, taken))
}

fn broken(error: &str) -> FleetError {
    FleetError::new(
        format!("the NATS server does not give the results of earlier: {error}"),
        "see that it is up, and start the same command again",
    )
}

/// Takes note of the units in the stream, which are or will be with workers.
async fn adopt(core: &Core, lane: u16) -> usize {
    let link = &core.link;
    let work = streams::stream(link, &link.run.work_stream()).await;
    let subject = link.run.work(lane, "*");
    let mut sequence = 1;
    let mut units = 0;
    // Ends with the error that nothing more is found.
    while let Ok(message) = work
        .get_first_raw_message_by_subject(&subject, sequence)
        .await
    {
        sequence = message.sequence + 1;
        if let Ok(unit) = unpack::<Unit>(&message.payload) {
            let mut book = core.lanes[usize::from(lane)].book();
            book.adopt(&unit, message.sequence, Instant::now());
            units += 1;
        }
    }
    units
}

/// Takes results for as long as the coordinator lives.
pub(super) async fn collect(core: Arc<Core>, lane: u16) {
    let link = &core.link;
    loop {
        let results = streams::stream(link, &link.run.result_stream()).await;
        let consumer = consumer(link, lane, &results).await;
        loop {
            let batch = consumer.batch().max_messages(BATCH).expires(PATIENCE);
            let mut messages = match batch.messages().await {
                Ok(messages) => messages,
                Err(error) => {
                    tracing::debug!(%error, "results");
                    break;
                }
            };
            let mut failed = false;
            while let Some(message) = messages.next().await {
                match message {
                    Ok(message) => take(&core, lane, message),
                    Err(error) => {
                        tracing::debug!(%error, "results");
                        failed = true;
                        break;
                    }
                }
            }
            core.lanes[usize::from(lane)].news.notify_one();
            if failed {
                break;
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn take(core: &Core, lane: u16, message: async_nats::jetstream::Message) {
    let place = &core.lanes[usize::from(lane)];
    let again = message.info().is_ok_and(|info| info.delivered > 1);
    let (message, acker) = message.split();
    let receipt = Arc::new(Receipt {
        acker: Some(acker),
        runtime: Handle::current(),
    });
    match unpack::<UnitResult>(&message.payload) {
        Ok(result) => {
            place.book().result(result, &receipt, again);
            place.news.notify_one();
        }
        Err(error) => {
            tracing::warn!(%error, "a result is dropped");
            place.book().tally.malformed += 1;
        }
    }
}
