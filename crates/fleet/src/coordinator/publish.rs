//! Publishing units.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::stream::Stream;

use super::book::Outgoing;
use super::registry::Power;
use super::{Core, streams};
use crate::message::{GroupAbout, pack};
use crate::names::{RunName, WORK};

/// Questions in a unit while the rate of answers is unknown, and at most.
const FIRST_UNIT: usize = 4;
const MAX_UNIT: usize = 256;
/// Questions published, as a multiple of those in flight: as many are being asked, as many are held by
/// workers, and as many lie ready for the first worker that needs them.
const AHEAD: f64 = 3.0;
/// Minimum number of questions published, so that new workers find some.
const MIN_AHEAD: usize = 64;
/// How long the first question waits for others to share its unit.
const LINGER: Duration = Duration::from_millis(10);
/// How often to look without news.
const POLL: Duration = Duration::from_secs(1);

/// How many questions to publish, and in units of what size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Portion {
    ahead: usize,
    size: usize,
}

impl Portion {
    /// The portion for workers of this power, with `queued` questions to publish.
    fn of(power: Power, length: Duration, queued: usize) -> Self {
        let workers = power.workers.max(1);
        let each = power.rate / workers as f64 * length.as_secs_f64();
        let size = if power.rate > 0.0 {
            each.round().clamp(1.0, MAX_UNIT as f64) as usize
        } else {
            FIRST_UNIT
        };
        // Towards the end units become small, so that all workers end at about the same time.
        let size = size.min(queued.div_ceil(2 * workers)).max(1);
        let ahead = (AHEAD * power.capacity as f64) as usize;
        Self {
            ahead: ahead.max(2 * workers * size).max(MIN_AHEAD),
            size,
        }
    }
}

/// Publishes units until the coordinator ends, no more of them than workers need.
pub(super) async fn publish(core: Arc<Core>, lane: u16) {
    let state = core.lane(lane);
    loop {
        let _ = tokio::time::timeout(POLL, state.news.notified()).await;
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
    let mut book = core.lane(lane).book();
    let portion = Portion::of(power, core.settings.unit_length, book.queued());
    if book.units.outstanding >= portion.ahead {
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
    // Not awaited: many may be on their way to the broker.
    tokio::spawn(async move {
        let link = &core.link;
        let subject = link.run.work(lane, &unit.group);
        // Lanes number their units alike.
        let id = format!("unit-{lane}-{}", unit.id);
        let sequence = link.deliver(subject, &id, pack(&unit)).await;
        let state = core.lane(lane);
        state.book().units.seen(unit.id, sequence, Instant::now());
        let news = link.run.news(lane);
        let _ = link.client.publish(news, unit.group.into()).await;
    });
}

/// Finds units that the broker has lost: it may lose its last moments when its machine dies.
pub(super) async fn find_lost(core: Arc<Core>, lane: u16) {
    let age = core.settings.unit_timeout * 2;
    let state = core.lane(lane);
    loop {
        tokio::time::sleep(core.settings.unit_timeout / 2).await;
        core.registry().forget(lane, |unit| {
            !state.book().units.published.contains_key(&unit)
        });
        if !core.link.is_up() {
            continue;
        }
        let overdue = state.book().units.stale(age, Instant::now());
        if overdue.is_empty() {
            continue;
        }
        let work = streams::stream(&core.link, &core.link.run.stream(WORK)).await;
        for (id, sequence) in overdue {
            match work.get_raw_message(sequence).await {
                Ok(message) if is_stranded(&core, lane, &work, &message.subject, id).await => {
                    tracing::warn!(
                        unit = id,
                        "the broker has lost track of a unit; publishing it again"
                    );
                    if work.delete_message(sequence).await.is_ok() {
                        state.book().lost(id);
                        state.news.notify_one();
                    }
                }
                Ok(_) => state.book().units.seen(id, sequence, Instant::now()),
                Err(error) if streams::is_missing(&error) => {
                    // Its last result may be on its way. Once that arrives the unit is out of the
                    // book, and `lost` does nothing.
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    state.book().lost(id);
                    state.news.notify_one();
                }
                Err(error) => tracing::debug!(%error, "cannot look up a unit"),
            }
        }
    }
}

/// Whether a unit is in the stream but will not be delivered. A broker that was killed may have
/// recorded a delivery or confirmation without its effect: then no worker holds the unit, and its
/// consumer has nothing pending.
async fn is_stranded(core: &Core, lane: u16, work: &Stream, subject: &str, id: u64) -> bool {
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
        // No worker has opened this group yet.
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
        assert_eq!(Portion::of(power, TWO, 10_000).size, MAX_UNIT);
        assert_eq!(Portion::of(power, TWO, 80).size, 10);
        assert_eq!(Portion::of(power, TWO, 3).size, 1);
    }

    #[test]
    fn a_few_questions_lie_ready_for_the_first_worker() {
        let portion = Portion::of(Power::default(), TWO, 10_000);
        assert_eq!(portion, Portion { ahead: 64, size: 4 });
    }
}
