//! Answering workers and whoever asks how the run goes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::{Message, Subscriber};
use futures_util::StreamExt;
use sureness_scorers::ModelIdentity;

use super::registry::Claim;
use super::{CoordinatorNotice, Core};
use crate::link::persist;
use crate::message::{Beat, Hello, OpenQuery, OpenReply, Welcome, key, pack, unpack};

/// So long after the broker was away, who lives has been heard of again.
const SETTLED: Duration = Duration::from_secs(15);

async fn subscribe(core: &Core, subject: String) -> Subscriber {
    persist("subscribe", || core.link.client.subscribe(subject.clone())).await
}

async fn reply(core: &Core, to: &Message, payload: Vec<u8>) {
    if let Some(subject) = to.reply.clone()
        && let Err(error) = core.link.client.publish(subject, payload.into()).await
    {
        tracing::debug!(%error, "a reply is lost");
    }
}

/// Takes workers in, or sends them away.
pub(super) async fn greet(core: Arc<Core>) {
    let mut greetings = subscribe(&core, core.link.run.hello()).await;
    while let Some(message) = greetings.next().await {
        let answer = match serde_json::from_slice::<Hello>(&message.payload) {
            Ok(hello) => welcome(&core, hello).await,
            Err(error) => {
                tracing::warn!(%error, "a greeting is malformed");
                Welcome::Refused {
                    reason: format!("the greeting cannot be understood: {error}"),
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
    let settled = |lane: &super::Lane| known(lane).is_some_and(|m| m.is_same_model(&hello.model));
    if let Some(lane) = core.lanes.iter().position(settled) {
        return take(lane as u16);
    }
    let fits = |lane: &super::Lane| {
        known(lane).is_none() && lane.wanted.as_ref().is_none_or(|w| *w == hello.model.name)
    };
    if let Some(lane) = core.lanes.iter().position(fits) {
        settle(core, lane as u16, &hello.model).await;
        return take(lane as u16);
    }
    let reason = reason(core, &hello.model);
    (core.tell)(CoordinatorNotice::Refused {
        worker: hello.worker,
        reason: reason.clone(),
    });
    Welcome::Refused { reason }
}

/// From now on this is the lane's model, also for a coordinator that comes after this one.
async fn settle(core: &Core, lane: u16, model: &ModelIdentity) {
    let text = serde_json::to_vec(model).unwrap_or_default();
    let digest = blake3::Hash::from(model.digest()).to_hex();
    let id = format!("model-{lane}-{digest}");
    core.link
        .deliver(core.link.run.about_model(lane), &id, text)
        .await;
    let place = &core.lanes[usize::from(lane)];
    place.book().is_of(model.digest());
    place.model.send_replace(Some(model.clone()));
}

fn reason(core: &Core, model: &ModelIdentity) -> String {
    let lanes = core.lanes.iter();
    let described: Vec<String> = lanes
        .map(|lane| match (&*lane.model.borrow(), &lane.wanted) {
            (Some(known), _) => match known.differences(model)[..] {
                [(what, one, other), ..] if what != "name" => {
                    let said = |value: Option<&str>| value.unwrap_or("nothing").to_owned();
                    format!(
                        "{} with {what} {}, not {}",
                        known.name,
                        said(one),
                        said(other)
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

/// Keeps book of who lives.
pub(super) async fn hear_beats(core: Arc<Core>) {
    let mut beats = subscribe(&core, core.link.run.beat()).await;
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            message = beats.next() => {
                let Some(message) = message else { return };
                match serde_json::from_slice::<Beat>(&message.payload) {
                    Ok(beat) => hear(&core, beat),
                    Err(error) => tracing::warn!(%error, "a heartbeat is malformed"),
                }
            }
            _ = tick.tick() => {}
        }
        // Nobody is heard while the broker is away; that says nothing of them.
        if core.link.is_up() {
            let gone = core.registry().part(Instant::now());
            for worker in gone {
                (core.tell)(CoordinatorNotice::Left { worker });
            }
        }
    }
}

fn hear(core: &Core, beat: Beat) {
    let Some(lane) = core.lanes.get(usize::from(beat.lane)) else {
        return;
    };
    let (worker, model, leaving) = (beat.worker.clone(), beat.model.clone(), beat.leaving);
    let new = core.registry().hear(beat, Instant::now());
    if new && !leaving {
        (core.tell)(CoordinatorNotice::Joined { worker, model });
    }
    lane.news.notify_one();
}

/// Tells whoever asks how the run goes.
pub(super) async fn tell_status(core: Arc<Core>) {
    let mut questions = subscribe(&core, core.link.run.status()).await;
    while let Some(message) = questions.next().await {
        let status = serde_json::to_vec(&core.status()).unwrap_or_default();
        reply(&core, &message, status).await;
    }
}

/// Tells workers what is to be done with a unit: the broker may have given it out before.
pub(super) async fn tell_open(core: Arc<Core>, lane: u16) {
    let mut questions = subscribe(&core, core.link.run.open(lane)).await;
    while let Some(message) = questions.next().await {
        let Ok(query) = unpack::<OpenQuery>(&message.payload) else {
            tracing::warn!("a question for open keys is malformed");
            continue;
        };
        // Who was not heard of while the broker was away may live all the same.
        let blames = !core.link.was_down_within(SETTLED);
        let claim = Claim {
            lane,
            unit: query.unit,
            worker: &query.worker,
            alone: query.alone || !blames,
        };
        let (taken, losses) = core.registry().claim(claim, Instant::now());
        let losses = if blames { losses } else { 0 };
        let open = {
            let book = core.lanes[usize::from(lane)].book();
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
