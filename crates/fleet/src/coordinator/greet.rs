//! Answering workers and requests for the status.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::{Message, Subscriber};
use futures_util::StreamExt;
use sureness_scorers::ModelIdentity;

use super::registry::Claim;
use super::{CoordinatorNotice, Core};
use crate::link::persist;
use crate::message::{Beat, Hello, OpenQuery, OpenReply, Welcome, key, pack, unpack};

/// So long after the broker was unreachable, live workers have been heard again.
const HEARD_AGAIN: Duration = Duration::from_secs(15);

async fn subscribe(core: &Core, subject: String) -> Subscriber {
    persist("subscribe", || core.link.client.subscribe(subject.clone())).await
}

async fn reply(core: &Core, to: &Message, payload: Vec<u8>) {
    if let Some(subject) = to.reply.clone()
        && let Err(error) = core.link.client.publish(subject, payload.into()).await
    {
        tracing::debug!(%error, "cannot send a reply");
    }
}

/// Accepts workers or refuses them.
pub(super) async fn greet(core: Arc<Core>) {
    let mut greetings = subscribe(&core, core.link.run.hello()).await;
    while let Some(message) = greetings.next().await {
        let answer = match serde_json::from_slice::<Hello>(&message.payload) {
            Ok(hello) => welcome(&core, hello).await,
            Err(error) => {
                tracing::warn!(%error, "received a malformed greeting");
                Welcome::Refused {
                    reason: format!("the greeting cannot be read: {error}"),
                }
            }
        };
        let answer = serde_json::to_vec(&answer).unwrap_or_default();
        reply(&core, &message, answer).await;
    }
}

async fn welcome(core: &Core, hello: Hello) -> Welcome {
    let take = |lane| Welcome::Take {
        lane,
        unit_timeout_s: core.settings.unit_timeout.as_secs_f64(),
    };
    let known = |lane: &super::Lane| lane.model.borrow().clone();
    let assigned = |lane: &super::Lane| known(lane).is_some_and(|m| m.is_same_model(&hello.model));
    if let Some(lane) = core.lanes.iter().position(assigned) {
        return take(lane as u16);
    }
    let fits = |lane: &super::Lane| {
        known(lane).is_none() && lane.wanted.as_ref().is_none_or(|w| *w == hello.model.name)
    };
    if let Some(lane) = core.lanes.iter().position(fits) {
        assign(core, lane as u16, &hello.model).await;
        return take(lane as u16);
    }
    let reason = refusal(core, &hello.model);
    (core.notify)(CoordinatorNotice::Refused {
        worker: hello.worker,
        reason: reason.clone(),
    });
    Welcome::Refused { reason }
}

/// Makes this the lane's model, also for a later coordinator.
async fn assign(core: &Core, lane: u16, model: &ModelIdentity) {
    let text = serde_json::to_vec(model).unwrap_or_default();
    let digest = blake3::Hash::from(model.digest()).to_hex();
    let id = format!("model-{lane}-{digest}");
    core.link
        .deliver(core.link.run.about_model(lane), &id, text)
        .await;
    let state = core.lane(lane);
    state.book().set_model(model.digest());
    state.model.send_replace(Some(model.clone()));
}

fn refusal(core: &Core, model: &ModelIdentity) -> String {
    let lanes = core.lanes.iter();
    let described: Vec<String> = lanes
        .map(|lane| match (&*lane.model.borrow(), &lane.wanted) {
            (Some(known), _) => match known.differences(model)[..] {
                [(what, one, other), ..] if what != "name" => {
                    let shown = |value: Option<&str>| value.unwrap_or("nothing").to_owned();
                    format!(
                        "{} with {what} {}, not {}",
                        known.name,
                        shown(one),
                        shown(other)
                    )
                }
                _ => known.name.clone(),
            },
            (None, Some(wanted)) => wanted.clone(),
            (None, None) => "any".to_owned(),
        })
        .collect();
    format!(
        "the run {} measures {}; this worker has {}",
        core.link.run,
        described.join(" and "),
        model.name
    )
}

/// Keeps the registry of workers up to date.
pub(super) async fn follow_beats(core: Arc<Core>) {
    let mut beats = subscribe(&core, core.link.run.beat()).await;
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            message = beats.next() => {
                let Some(message) = message else { return };
                match serde_json::from_slice::<Beat>(&message.payload) {
                    Ok(beat) => note(&core, beat),
                    Err(error) => tracing::warn!(%error, "received a malformed heartbeat"),
                }
            }
            _ = tick.tick() => {}
        }
        // Silence means nothing while the broker is unreachable.
        if core.link.is_up() {
            let gone = core.registry().remove_gone(Instant::now());
            for worker in gone {
                (core.notify)(CoordinatorNotice::Left { worker });
            }
        }
    }
}

fn note(core: &Core, beat: Beat) {
    let Some(lane) = core.lanes.get(usize::from(beat.lane)) else {
        return;
    };
    let (worker, model, leaving) = (beat.worker.clone(), beat.model.clone(), beat.leaving);
    let new = core.registry().note(beat, Instant::now());
    if new && !leaving {
        (core.notify)(CoordinatorNotice::Joined { worker, model });
    }
    lane.news.notify_one();
}

/// Answers requests for the run's status.
pub(super) async fn answer_status(core: Arc<Core>) {
    let mut questions = subscribe(&core, core.link.run.status()).await;
    while let Some(message) = questions.next().await {
        let status = serde_json::to_vec(&core.status()).unwrap_or_default();
        reply(&core, &message, status).await;
    }
}

/// Answers workers that ask about a unit: the broker may have delivered it before.
pub(super) async fn answer_open(core: Arc<Core>, lane: u16) {
    let mut questions = subscribe(&core, core.link.run.open(lane)).await;
    while let Some(message) = questions.next().await {
        let Ok(query) = unpack::<OpenQuery>(&message.payload) else {
            tracing::warn!("received a malformed query for open keys");
            continue;
        };
        // A worker that was silent while the broker was unreachable may be alive.
        let blames = !core.link.was_down_within(HEARD_AGAIN);
        let claim = Claim {
            lane,
            unit: query.unit,
            worker: &query.worker,
            alone: query.alone || !blames,
        };
        let (taken, losses) = core.registry().claim(claim, Instant::now());
        let losses = if blames { losses } else { 0 };
        let open = {
            let book = core.lane(lane).book();
            let keys = query.keys.into_iter();
            keys.map(|bytes| book.is_open(&key(bytes))).collect()
        };
        let answer = OpenReply {
            taken,
            losses,
            open,
        };
        reply(&core, &message, pack(&answer)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str, details: &[(&str, &str)]) -> ModelIdentity {
        let details = details
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        ModelIdentity {
            name: name.into(),
            backend: "openai-http".into(),
            details: details.collect(),
        }
    }

    #[test]
    fn another_quantisation_is_another_model() {
        let q4 = model("m", &[("quantisation", "Q4"), ("api base", "http://a")]);
        let q8 = model("m", &[("quantisation", "Q8"), ("api base", "http://a")]);
        let elsewhere = model("m", &[("quantisation", "Q4"), ("api base", "http://b")]);
        assert!(q4.is_same_model(&elsewhere));
        assert_eq!(
            q4.differences(&q8),
            [("quantisation", Some("Q4"), Some("Q8"))]
        );
        let plain = model("m", &[("quantisation", "Q4"), ("top-k", "20")]);
        assert!(!q4.is_same_model(&plain));
    }
}
