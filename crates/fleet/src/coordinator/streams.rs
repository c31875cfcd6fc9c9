//! Making, reading and removing the streams of a run.

use std::time::Duration;

use async_nats::jetstream::stream::{
    Config, DiscardPolicy, RawMessageError, RawMessageErrorKind, RetentionPolicy, StorageType,
    Stream,
};
use sureness_scorers::ModelIdentity;

use crate::link::persist;
use crate::names::{ABOUT, RESULT, WORK};
use crate::{FleetError, Link};

/// How long the broker remembers message ids, to drop second copies.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(120);

/// Makes the run's three streams, unless they exist.
pub(super) async fn make(link: &Link) -> Result<(), FleetError> {
    for kind in [WORK, RESULT, ABOUT] {
        let name = link.run.stream(kind);
        let config = Config {
            name: name.clone(),
            subjects: vec![link.run.all(kind)],
            storage: StorageType::File,
            max_messages: -1,
            max_bytes: -1,
            num_replicas: 1,
            duplicate_window: DUPLICATE_WINDOW,
            ..Config::default()
        };
        let config = if kind == ABOUT {
            // A second description replaces the first.
            Config {
                retention: RetentionPolicy::Limits,
                discard: DiscardPolicy::Old,
                max_messages_per_subject: 1,
                ..config
            }
        } else {
            // A full stream refuses messages, so that publishers wait. Nothing is dropped.
            Config {
                retention: RetentionPolicy::WorkQueue,
                discard: DiscardPolicy::New,
                max_messages_per_subject: -1,
                ..config
            }
        };
        link.stream
            .get_or_create_stream(config)
            .await
            .map_err(|e| refused(&name, &e.to_string()))?;
    }
    Ok(())
}

fn refused(stream: &str, error: &str) -> FleetError {
    let missing = ["timed out", "no responders", "unavailable"];
    let hint = if missing.iter().any(|words| error.contains(words)) {
        "start the server with JetStream: nats-server -js -sd FOLDER"
    } else {
        "allow the user to use JetStream and to create this stream (docs/scale-out.md)"
    };
    FleetError::new(
        format!("the NATS server refuses the stream {stream}: {error}"),
        hint,
    )
}

/// A stream that exists.
pub(super) async fn stream(link: &Link, name: &str) -> Stream {
    persist("look up a stream", || link.stream.get_stream(name)).await
}

/// The model of a lane, if an earlier coordinator has set it.
pub(super) async fn model_of(link: &Link, lane: u16) -> Result<Option<ModelIdentity>, FleetError> {
    let about = stream(link, &link.run.stream(ABOUT)).await;
    let subject = link.run.about_model(lane);
    match about.get_last_raw_message_by_subject(&subject).await {
        Ok(message) => serde_json::from_slice(&message.payload)
            .map(Some)
            .map_err(|e| {
                FleetError::new(
                    format!(
                        "the record of the run {} by an earlier coordinator cannot be read: {e}",
                        link.run
                    ),
                    "give this run another name with --run-name",
                )
            }),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(refused(&link.run.stream(ABOUT), &error.to_string())),
    }
}

/// Whether a stream has no such message.
pub(super) fn is_missing(error: &RawMessageError) -> bool {
    matches!(error.kind(), RawMessageErrorKind::NoMessageFound)
        // Servers before 2.10 send no error code for it.
        || error.to_string().contains("no message found")
}

/// Removes the run's streams. A stream that cannot be removed is empty, and the next run of this name
/// takes it over.
pub(super) async fn remove(link: &Link) {
    for kind in [WORK, RESULT, ABOUT] {
        let name = link.run.stream(kind);
        if let Err(error) = link.stream.delete_stream(&name).await {
            tracing::warn!(stream = name, %error, "cannot remove the stream");
        }
    }
}
