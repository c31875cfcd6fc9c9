//! Collecting results.

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
use crate::names::{RESULT, RunName, WORK};

/// Results that may be unconfirmed at once.
const UNCONFIRMED: i64 = 20_000;
/// A result that is unconfirmed for so long is delivered again. Only a dead coordinator leaves one
/// behind, and the next coordinator makes a consumer of its own.
const CONFIRM_WITHIN: Duration = Duration::from_secs(600);
/// Messages per request to the broker, and how long it waits for the first.
const BATCH: usize = 256;
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
/// Pause before a retry.
const PAUSE: Duration = Duration::from_millis(200);

/// Confirms a result message when all its answers are saved: when the last copy is dropped.
pub(super) struct Receipt {
    acker: Option<Acker>,
    runtime: Handle,
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if let Some(acker) = self.acker.take() {
            self.runtime.spawn(async move {
                if let Err(error) = acker.ack().await {
                    tracing::debug!(%error, "cannot confirm a result; it will be delivered again");
                }
            });
        }
    }
}

/// A fresh consumer: it gets the results that an earlier coordinator left unconfirmed at once.
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

/// Takes over the units and results that an earlier coordinator left; returns how many.
pub(super) async fn take_over(core: &Core, lane: u16) -> (usize, usize) {
    let link = &core.link;
    let results = streams::stream(link, &link.run.stream(RESULT)).await;
    persist("delete an earlier consumer", || {
        delete_consumer(&results, RunName::result_consumer(lane))
    })
    .await;
    let consumer = consumer(link, lane, &results).await;
    let before = drain(core, lane, &consumer).await;
    let units = adopt(core, lane).await;
    // Units that were confirmed before they could be adopted have sent their results.
    let meanwhile = drain(core, lane, &consumer).await;
    core.lane(lane).book().started();
    (units, before + meanwhile)
}

/// Deletes a consumer, if it exists.
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

/// Takes all waiting results.
async fn drain(core: &Core, lane: u16, consumer: &PullConsumer) -> usize {
    let mut taken = 0;
    loop {
        let batch = consumer.fetch().max_messages(BATCH).messages().await;
        match take_batch(core, lane, batch).await {
            Ok(0) => return taken,
            Ok(some) => taken += some,
            // The broker is unreachable. Results in flight come later.
            Err(error) => {
                tracing::debug!(error, "cannot fetch earlier results");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Takes a batch of results; returns how many there were.
async fn take_batch(
    core: &Core,
    lane: u16,
    batch: Result<pull::Batch, pull::BatchError>,
) -> Result<usize, String> {
    let mut messages = batch.map_err(|e| e.to_string())?;
    let mut count = 0;
    loop {
        // A broker that dies meanwhile never ends the batch.
        let next = tokio::time::timeout(2 * FETCH_TIMEOUT, messages.next()).await;
        let Some(message) = next.map_err(|e| e.to_string())? else {
            return Ok(count);
        };
        take(core, lane, message.map_err(|e| e.to_string())?);
        count += 1;
    }
}

/// Adopts the units in the stream, which workers have or will get.
async fn adopt(core: &Core, lane: u16) -> usize {
    let link = &core.link;
    let work = streams::stream(link, &link.run.stream(WORK)).await;
    let subject = link.run.work(lane, "*");
    let mut sequence = 1;
    let mut units = 0;
    loop {
        let next = work.get_first_raw_message_by_subject(&subject, sequence);
        match next.await {
            Ok(message) => {
                sequence = message.sequence + 1;
                if let Ok(unit) = unpack::<Unit>(&message.payload) {
                    let mut book = core.lane(lane).book();
                    book.adopt(&unit, message.sequence, Instant::now());
                    units += 1;
                }
            }
            Err(error) if streams::is_missing(&error) => return units,
            // A unit that is not adopted would be asked twice.
            Err(error) => {
                tracing::debug!(%error, "cannot fetch the next unit");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Takes results until the coordinator ends.
pub(super) async fn collect(core: Arc<Core>, lane: u16) {
    let link = &core.link;
    loop {
        let results = streams::stream(link, &link.run.stream(RESULT)).await;
        let consumer = consumer(link, lane, &results).await;
        let error = loop {
            let batch = consumer.batch().max_messages(BATCH).expires(FETCH_TIMEOUT);
            let taken = take_batch(&core, lane, batch.messages().await).await;
            core.lane(lane).news.notify_one();
            if let Err(error) = taken {
                break error;
            }
        };
        tracing::debug!(error, "cannot fetch results");
        tokio::time::sleep(PAUSE).await;
    }
}

fn take(core: &Core, lane: u16, message: async_nats::jetstream::Message) {
    let state = core.lane(lane);
    let redelivered = message.info().is_ok_and(|info| info.delivered > 1);
    let (message, acker) = message.split();
    let receipt = Arc::new(Receipt {
        acker: Some(acker),
        runtime: Handle::current(),
    });
    match unpack::<UnitResult>(&message.payload) {
        Ok(result) => {
            state.book().result(result, &receipt, redelivered);
            state.news.notify_one();
        }
        Err(error) => {
            tracing::warn!(%error, "dropped a malformed result");
            state.book().counts.malformed += 1;
        }
    }
}
