//! Taking results.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::message::Acker;
use async_nats::jetstream::stream::{ConsumerError, ConsumerErrorKind, Stream};
use futures_util::StreamExt;
use tokio::runtime::Handle;

use super::{Core, streams};
use crate::Link;
use crate::link::persist;
use crate::message::{Unit, UnitResult, unpack};
use crate::names::RunName;

/// Results that may be unconfirmed at once.
const UNCONFIRMED: i64 = 20_000;
/// A result that is not confirmed for so long is delivered again. Only a dead coordinator leaves
/// one lying, and the next one begins with a consumer of its own.
const CONFIRM_WITHIN: Duration = Duration::from_secs(600);
/// Messages per request to the broker, and how long it waits for the first.
const BATCH: usize = 256;
const PATIENCE: Duration = Duration::from_secs(2);
/// Before something that failed is tried again.
const PAUSE: Duration = Duration::from_millis(200);

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
pub(super) async fn take_over(core: &Core, lane: u16) -> (usize, usize) {
    let link = &core.link;
    let results = streams::stream(link, &link.run.result_stream()).await;
    persist("delete an earlier consumer", || {
        delete_consumer(&results, RunName::result_consumer(lane))
    })
    .await;
    let consumer = consumer(link, lane, &results).await;
    let before = drain(core, lane, &consumer).await;
    let units = adopt(core, lane).await;
    // Units that were confirmed before they could be adopted: their results came before.
    let meanwhile = drain(core, lane, &consumer).await;
    core.lanes[usize::from(lane)].book().started();
    (units, before + meanwhile)
}

/// Deletes a consumer, if it is there.
async fn delete_consumer(stream: &Stream, name: String) -> Result<(), ConsumerError> {
    match stream.delete_consumer(&name).await {
        Err(error) => match error.kind() {
            ConsumerErrorKind::JetStream(e) if e.error_code() == ErrorCode::CONSUMER_NOT_FOUND => {
                Ok(())
            }
            _ => Err(error),
        },
        Ok(_) => Ok(()),
    }
}

/// Takes all results that are there.
async fn drain(core: &Core, lane: u16, consumer: &PullConsumer) -> usize {
    let mut taken = 0;
    loop {
        match take_some(core, lane, consumer).await {
            Ok(0) => return taken,
            Ok(some) => taken += some,
            // The broker is away. What was on its way then comes later.
            Err(error) => {
                tracing::debug!(error, "results of earlier");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Takes as many results as come at once; none where there are none.
async fn take_some(core: &Core, lane: u16, consumer: &PullConsumer) -> Result<usize, String> {
    let fetched = consumer.fetch().max_messages(BATCH).messages().await;
    let mut messages = fetched.map_err(|e| e.to_string())?;
    let mut count = 0;
    loop {
        let next = tokio::time::timeout(2 * PATIENCE, messages.next()).await;
        let Some(message) = next.map_err(|e| e.to_string())? else {
            return Ok(count);
        };
        take(core, lane, message.map_err(|e| e.to_string())?);
        count += 1;
    }
}

/// Takes note of the units in the stream, which are or will be with workers.
async fn adopt(core: &Core, lane: u16) -> usize {
    let link = &core.link;
    let work = streams::stream(link, &link.run.work_stream()).await;
    let subject = link.run.work(lane, "*");
    let mut sequence = 1;
    let mut units = 0;
    loop {
        let next = work.get_first_raw_message_by_subject(&subject, sequence);
        match next.await {
            Ok(message) => {
                sequence = message.sequence + 1;
                if let Ok(unit) = unpack::<Unit>(&message.payload) {
                    let mut book = core.lanes[usize::from(lane)].book();
                    book.adopt(&unit, message.sequence, Instant::now());
                    units += 1;
                }
            }
            Err(error) if streams::is_missing(&error) => return units,
            // Whatever is not adopted would be asked twice.
            Err(error) => {
                tracing::debug!(%error, "the next unit to adopt");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
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
            loop {
                // A broker that dies in between never ends the batch.
                let next = tokio::time::timeout(2 * PATIENCE, messages.next()).await;
                match next {
                    Ok(Some(Ok(message))) => take(&core, lane, message),
                    Ok(None) => break,
                    Ok(Some(Err(error))) => {
                        tracing::debug!(%error, "results");
                        failed = true;
                        break;
                    }
                    Err(_) => {
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
        tokio::time::sleep(PAUSE).await;
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
