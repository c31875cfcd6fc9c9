//! The streams of a run: made, looked through, removed.

use std::time::Duration;

use async_nats::jetstream::stream::{
    Config, DiscardPolicy, RawMessageError, RawMessageErrorKind, RetentionPolicy, StorageType,
    Stream,
};
use sureness_scorers::ModelIdentity;

use crate::link::persist;
use crate::{FleetError, Link};

/// How long the broker remembers ids of messages, to drop second copies.
const REMEMBERED: Duration = Duration::from_secs(120);

/// Makes the run's three streams, unless they are there.
pub(super) async fn make(link: &Link) -> Result<(), FleetError> {
    let run = &link.run;
    let streams = [
        (
            run.work_stream(),
            run.all("work"),
            RetentionPolicy::WorkQueue,
        ),
        (
            run.result_stream(),
            run.all("result"),
            RetentionPolicy::WorkQueue,
        ),
        (
            run.about_stream(),
            run.all("about"),
            RetentionPolicy::Limits,
        ),
    ];
    for (name, subject, retention) in streams {
        let about = retention == RetentionPolicy::Limits;
        let config = Config {
            name: name.clone(),
            subjects: vec![subject],
            retention,
            storage: StorageType::File,
            // A full stream refuses, so that whoever publishes waits. Nothing is dropped.
            discard: DiscardPolicy::New,
            max_messages_per_subject: if about { 1 } else { -1 },
            max_messages: -1,
            max_bytes: -1,
            num_replicas: 1,
            duplicate_window: REMEMBERED,
            ..Config::default()
        };
        let config = if about {
            // A second description takes the place of the first.
            Config {
                discard: DiscardPolicy::Old,
                ..config
            }
        } else {
            config
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
        "see that the user may use JetStream and create this stream (docs/scale-out.md)"
    };
    FleetError::new(
        format!("the NATS server does not give the stream {stream}: {error}"),
        hint,
    )
}

/// A stream that was made before.
pub(super) async fn stream(link: &Link, name: &str) -> Stream {
    persist("look up a stream", || link.stream.get_stream(name)).await
}

/// The model of a lane, if an earlier coordinator has settled it.
pub(super) async fn model_of(link: &Link, lane: u16) -> Result<Option<ModelIdentity>, FleetError> {
    let about = stream(link, &link.run.about_stream()).await;
    let subject = link.run.about_model(lane);
    match about.get_last_raw_message_by_subject(&subject).await {
        Ok(message) => serde_json::from_slice(&message.payload)
            .map(Some)
            .map_err(|e| {
                FleetError::new(
                    format!(
                        "what an earlier coordinator wrote of the run {} cannot be read: {e}",
                        link.run
                    ),
                    "give this run another name with --run-name",
                )
            }),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(refused(&link.run.about_stream(), &error.to_string())),
    }
}

/// Whether a stream has no such message.
pub(super) fn is_missing(error: &RawMessageError) -> bool {
    matches!(error.kind(), RawMessageErrorKind::NoMessageFound)
        // Servers before 2.10 have no kind of their own for it.
        || error.to_string().contains("no message found")
}

/// Removes everything of the run. What cannot be removed is empty, and is taken over by the next
/// run of this name.
pub(super) async fn remove(link: &Link) {
    let run = &link.run;
    for name in [run.work_stream(), run.result_stream(), run.about_stream()] {
        if let Err(error) = link.stream.delete_stream(&name).await {
            tracing::warn!(stream = name, %error, "cannot remove the stream");
        }
    }
}
