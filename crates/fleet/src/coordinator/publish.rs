//! Giving out units.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::stream::Stream;

use super::book::Outgoing;
use super::registry::Power;
use super::{Core, streams};
use crate::message::{GroupAbout, pack};
use crate::names::RunName;

/// Questions in a unit as long as nobody knows how fast they are answered, and at most.
const FIRST_SIZE: usize = 4;
const LARGEST: usize = 256;
/// So many times what workers have in flight is given out: what they work on, what they hold in
/// store, and what lies ready for whoever needs it first.
const AHEAD: f64 = 3.0;
/// At least so many questions are given out, so that workers find something when they come.
const LEAST_AHEAD: usize = 64;
/// How long the first question waits for others to travel with.
const LINGER: Duration = Duration::from_millis(10);
/// Without news, look again after so long.
const IDLE: Duration = Duration::from_secs(1);

/// How much to give out, and in units of what size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Portion {
    ahead: usize,
    size: usize,
}

impl Portion {
    /// `queued` questions are there to be given out, for workers that can do so much.
    fn of(power: Power, length: Duration, queued: usize) -> Self {
        let workers = power.workers.max(1);
        let each = power.rate / workers as f64 * length.as_secs_f64();
        let size = if power.rate > 0.0 {
            each.round().clamp(1.0, LARGEST as f64) as usize
        } else {
            FIRST_SIZE
        };
        // Towards the end units become small, so that all workers end at about the same time.
        let size = size.min(queued.div_ceil(2 * workers)).max(1);
        let ahead = (AHEAD * power.capacity as f64) as usize;
        Self {
            ahead: ahead.max(2 * workers * size).max(LEAST_AHEAD),
            size,
        }
    }
}

/// Publishes units for as long as the coordinator lives, no more of them than workers need.
pub(super) async fn publish(core: Arc<Core>, lane: u16) {
    let place = &core.lanes[usize::from(lane)];
    loop {
        let _ = tokio::time::timeout(IDLE, place.news.notified()).await;
        tokio::time::sleep(LINGER).await;
        // Room for the message's other fields.
        let max_bytes = core.link.max_bytes() / 4 * 3;
        while let Some(outgoing) = next(&core, lane, max_bytes) {
            send(&core, lane, outgoing).await;
        }
    }
}

fn next(core: &Core, lane: u16, max_bytes: usize) -> Option<Outgoing> {
    let power = core.registry().power(lane);
    let mut book = core.lanes[usize::from(lane)].book();
    let portion = Portion::of(power, core.settings.unit_length, book.queued());
    if book.outstanding() >= portion.ahead {
        return None;
    }
    book.next_unit(portion.size, max_bytes, Instant::now())
}

async fn send(core: &Arc<Core>, lane: u16, outgoing: Outgoing) {
    let Outgoing { unit, describe } = outgoing;
    let link = &core.link;
    if let Some(prefix) = describe {
        let about = GroupAbout {
            prefix: prefix.to_string(),
        };
        let subject = link.run.about_group(lane, &unit.group);
        link.deliver(
            subject,
            &format!("group-{lane}-{}", unit.group),
            pack(&about),
        )
        .await;
    }
    let core = Arc::clone(core);
    // The broker's word is not waited for: many may be on their way.
    tokio::spawn(async move {
        let link = &core.link;
        let subject = link.run.work(lane, &unit.group);
        // Lanes number their units alike.
        let id = format!("unit-{lane}-{}", unit.id);
        let sequence = link.deliver(subject, &id, pack(&unit)).await;
        let place = &core.lanes[usize::from(lane)];
        place.book().published(unit.id, sequence, Instant::now());
        let news = link.run.news(lane);
        let _ = link.client.publish(news, unit.group.into()).await;
    });
}

/// Looks whether units that nothing is heard of still exist: a broker may lose its last moments
/// when its machine dies.
pub(super) async fn look_after(core: Arc<Core>, lane: u16) {
    let age = core.settings.unit_timeout * 2;
    let place = &core.lanes[usize::from(lane)];
    loop {
        tokio::time::sleep(core.settings.unit_timeout / 2).await;
        core.registry().forget(lane, |unit| !place.book().has(unit));
        if !core.link.is_up() {
            continue;
        }
        let stale = place.book().stale(age, Instant::now());
        if stale.is_empty() {
            continue;
        }
        let work = streams::stream(&core.link, &core.link.run.work_stream()).await;
        for (id, sequence) in stale {
            match work.get_raw_message(sequence).await {
                Ok(message) if is_forgotten(&core, lane, &work, &message.subject, id).await => {
                    tracing::warn!(
                        unit = id,
                        "the broker has forgotten to whom a unit should go"
                    );
                    if work.delete_message(sequence).await.is_ok() {
                        place.book().lost(id);
                        place.news.notify_one();
                    }
                }
                Ok(_) => place.book().seen(id, Instant::now()),
                Err(error) if streams::is_missing(&error) => {
                    // Its last result may be on its way. Once that is here the unit is out of the
                    // book, and cannot be lost any more.
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    place.book().lost(id);
                    place.news.notify_one();
                }
                Err(error) => tracing::debug!(%error, "a unit could not be looked up"),
            }
        }
    }
}

/// Whether a unit lies in the stream for nobody. A broker that was killed may have kept that a unit
/// was confirmed, or given out, and not what became of it: then no worker has it, and its consumer
/// has nothing more to give and waits for nothing.
async fn is_forgotten(core: &Core, lane: u16, work: &Stream, subject: &str, id: u64) -> bool {
    if core.registry().is_held(lane, id) {
        return false;
    }
    let Some(group) = subject.rsplit('.').next() else {
        return false;
    };
    match work
        .consumer_info(RunName::work_consumer(lane, group))
        .await
    {
        Ok(info) => info.num_pending == 0 && info.num_ack_pending == 0,
        // No worker has looked at this group yet.
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: Duration = Duration::from_secs(2);

    #[test]
    fn units_take_about_as_long_as_they_should() {
        let power = Power {
            workers: 4,
            capacity: 32,
            rate: 40.0,
        };
        let portion = Portion::of(power, TWO, 10_000);
        assert_eq!(portion.size, 20);
        assert_eq!(portion.ahead, 160);
    }

    #[test]
    fn the_last_units_are_small() {
        let power = Power {
            workers: 4,
            capacity: 32,
            rate: 4000.0,
        };
        assert_eq!(Portion::of(power, TWO, 10_000).size, LARGEST);
        assert_eq!(Portion::of(power, TWO, 80).size, 10);
        assert_eq!(Portion::of(power, TWO, 3).size, 1);
    }

    #[test]
    fn before_anybody_comes_a_little_lies_ready() {
        let portion = Portion::of(Power::default(), TWO, 10_000);
        assert_eq!(portion, Portion { ahead: 64, size: 4 });
    }
}
