//! Getting units: about as many as are in flight, of the group whose prefix is warm.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::stream::Stream;
use async_nats::jetstream::{AckKind, Message};
use futures_util::StreamExt;
use sureness_engine::ItemId;
use sureness_prompts::Prompt;
use sureness_scorers::{ScoreError, ScoreRequest};
use tokio::sync::{mpsc, watch};

use super::held::Arrival;
use super::serve::Bench;
use crate::link::persist;
use crate::message::{
    GroupAbout, Item, OpenQuery, OpenReply, Outcome, SUSPICIOUS, Unit, key, pack, unpack,
};
use crate::names::{RunName, group_name};

/// Units that one worker or another may hold at once, over all groups.
const UNCONFIRMED: i64 = 100_000;
/// Without news, look for work again after so long.
const IDLE: Duration = Duration::from_secs(2);
/// What is left of a unit fails after so many workers had it and were not heard of again.
const POISON: u32 = 4;
/// A unit that another worker has comes again after so long, if that one does not finish it.
const TAKEN: Duration = Duration::from_secs(3);
/// After a time without the broker it may have forgotten what it gave out: for so long.
const REMEMBERED: Duration = Duration::from_secs(60);
/// A coordinator that did not answer is not asked about ordinary units for so long.
const QUIET: Duration = Duration::from_secs(5);
/// A unit that would better go to another worker waits so long for one, and not more often than
/// that.
const AVOID: Duration = Duration::from_millis(500);
const AVOID_TIMES: i64 = 2;
/// How long the broker may take to hand out a unit or say that there is none.
const REPLY_WITHIN: Duration = Duration::from_secs(5);
/// How long the coordinator may take to say what is open, and how often it is asked.
const OPEN_WITHIN: Duration = Duration::from_secs(2);
const OPEN_ASKS: u32 = 5;

/// A group that has or may have work.
struct Group {
    number: u32,
    prefix: Arc<str>,
    consumer: PullConsumer,
    /// Whether it had no unit when it was last looked at.
    empty: bool,
}

struct Puller {
    bench: Arc<Bench>,
    work: Stream,
    about: Stream,
    groups: HashMap<String, Group>,
    /// The group that units were last taken of.
    warm: Option<String>,
    /// Questions of suspicious units, which are asked one at a time.
    careful: VecDeque<(u64, [u8; 32], u32, ScoreRequest)>,
    /// The one of them that is asked now.
    asked: Option<ItemId>,
    /// Until then the coordinator is taken to be away.
    quiet_until: Instant,
}

/// Pulls units for as long as the run goes on.
pub(super) async fn pull(
    bench: Arc<Bench>,
    is_over: watch::Receiver<bool>,
    mut answered: mpsc::UnboundedReceiver<()>,
) {
    let link = bench.link.clone();
    let news = link.run.news(bench.place.lane);
    let mut news = persist("subscribe", || link.client.subscribe(news.clone())).await;
    let stream = |name: String| {
        let link = link.clone();
        async move { persist("look up a stream", || link.stream.get_stream(&name)).await }
    };
    let mut puller = Puller {
        work: stream(link.run.work_stream()).await,
        about: stream(link.run.about_stream()).await,
        bench: Arc::clone(&bench),
        groups: HashMap::new(),
        warm: None,
        careful: VecDeque::new(),
        asked: None,
        quiet_until: Instant::now(),
    };
    puller.discover().await;
    let mut idle = tokio::time::interval(IDLE);
    idle.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        if *is_over.borrow() {
            return;
        }
        while bench.feed.wanted() > 0 && !puller.is_careful() {
            if !puller.take().await {
                break;
            }
        }
        tokio::select! {
            message = news.next() => {
                if let Some(message) = message
                    && let Ok(name) = std::str::from_utf8(&message.payload)
                {
                    puller.look_at(name).await;
                }
            }
            () = bench.room.notified() => {}
            _ = answered.recv() => puller.go_on_carefully(),
            _ = idle.tick() => {
                // News may have been missed, and what others held may have come back.
                puller.discover().await;
                for group in puller.groups.values_mut() {
                    group.empty = false;
                }
            }
        }
    }
}

impl Puller {
    /// Looks which groups there are.
    async fn discover(&mut self) {
        let lane = self.bench.place.lane;
        let all = self.bench.link.run.work(lane, "*");
        let Ok(info) = self.work.info_with_subjects(&all).await else {
            return;
        };
        let mut names = Vec::new();
        tokio::pin!(info);
        while let Some(Ok((subject, _))) = info.next().await {
            if let Some(name) = subject.rsplit('.').next() {
                names.push(name.to_owned());
            }
        }
        for name in names {
            if !self.groups.contains_key(&name) {
                self.look_at(&name).await;
            }
        }
    }

    /// There is work of this group.
    async fn look_at(&mut self, name: &str) {
        if let Some(group) = self.groups.get_mut(name) {
            group.empty = false;
            return;
        }
        let (link, lane) = (&self.bench.link, self.bench.place.lane);
        let subject = link.run.about_group(lane, name);
        let Ok(message) = self.about.get_last_raw_message_by_subject(&subject).await else {
            // Not told yet, or the broker is away: there will be another occasion.
            return;
        };
        let Ok(about) = unpack::<GroupAbout>(&message.payload) else {
            self.bench.held().malformed += 1;
            return;
        };
        if group_name(&about.prefix) != name {
            self.bench.held().malformed += 1;
            return;
        }
        let consumer = RunName::work_consumer(lane, name);
        let config = pull::Config {
            durable_name: Some(consumer.clone()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.bench.place.unit_timeout,
            max_ack_pending: UNCONFIRMED,
            filter_subject: link.run.work(lane, name),
            ..pull::Config::default()
        };
        match self.work.get_or_create_consumer(&consumer, config).await {
            Ok(consumer) => {
                let group = Group {
                    number: self.groups.len() as u32,
                    prefix: about.prefix.into(),
                    consumer,
                    empty: false,
                };
                self.groups.insert(name.to_owned(), group);
            }
            Err(error) => tracing::debug!(%error, "no consumer yet"),
        }
    }

    /// Takes one unit, of the warm group if it has any. Tells whether there was one.
    async fn take(&mut self) -> bool {
        let warm = self.warm.clone();
        let mut names: Vec<String> = self
            .groups
            .iter()
            .filter(|(_, group)| !group.empty)
            .map(|(name, _)| name.clone())
            .collect();
        names.sort_by_key(|name| (Some(name) != warm.as_ref(), self.groups[name].number));
        for name in names {
            let Some(group) = self.groups.get_mut(&name) else {
                continue;
            };
            let fetched = group.consumer.fetch().max_messages(1).messages().await;
            let Ok(mut messages) = fetched else {
                continue;
            };
            // A broker that dies in between never answers.
            let next = tokio::time::timeout(REPLY_WITHIN, messages.next()).await;
            match next.unwrap_or(None) {
                Some(Ok(message)) => {
                    self.warm = Some(name.clone());
                    self.accept(&name, message).await;
                    return true;
                }
                Some(Err(error)) => tracing::debug!(%error, "units"),
                None => group.empty = true,
            }
        }
        false
    }

    async fn accept(&mut self, group: &str, message: Message) {
        let delivered = message.info().map_or(1, |info| info.delivered);
        let unit = match unpack::<Unit>(&message.payload) {
            Ok(unit) if unit.group == group && is_sound(&unit) => unit,
            other => {
                let error = other.err().map(|e| e.to_string());
                tracing::warn!(
                    ?error,
                    "a unit is malformed and will not be delivered again"
                );
                self.bench.held().malformed += 1;
                let _ = message.ack_with(AckKind::Term).await;
                return;
            }
        };
        if unit.avoid.contains(&self.bench.name) && delivered <= AVOID_TIMES {
            let _ = message.ack_with(AckKind::Nak(Some(AVOID))).await;
            return;
        }
        let (_, acker) = message.split();
        let mut acker = Some(acker);
        let arrival = self.bench.held().arrival(unit.id, &mut acker);
        let Some(acker) = acker else { return };
        match arrival {
            Arrival::Known => {}
            Arrival::Finished => {
                let _ = acker.ack().await;
            }
            Arrival::New => {
                let mut unit = unit;
                let mut losses = 0;
                if let Some(reply) = self.inquire(&unit, delivered).await {
                    if reply.taken {
                        let _ = acker.ack_with(AckKind::Nak(Some(TAKEN))).await;
                        return;
                    }
                    losses = reply.losses;
                    let mut open = reply.open.into_iter();
                    unit.items.retain(|_| open.next().unwrap_or(true));
                }
                self.begin(group, &unit, acker, losses);
            }
        }
    }

    /// Asks the coordinator what is to be done with a unit. The broker may have forgotten, when
    /// it was started anew, that it had given it out before.
    async fn inquire(&mut self, unit: &Unit, delivered: i64) -> Option<OpenReply> {
        let query = bytes::Bytes::from(pack(&OpenQuery {
            worker: self.bench.name.clone(),
            unit: unit.id,
            alone: self.bench.held().holds().1.is_empty(),
            keys: unit.items.iter().map(|item| item.key).collect(),
        }));
        let link = &self.bench.link;
        let subject = link.run.open(self.bench.place.lane);
        let asks = if delivered > 1 || link.was_down_within(REMEMBERED) {
            OPEN_ASKS
        } else {
            // Nothing is odd about this one, so that a coordinator which is away holds nothing up.
            u32::from(Instant::now() >= self.quiet_until)
        };
        for ask in 0..asks {
            if ask > 0 {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            let request = link.client.request(subject.clone(), query.clone());
            let reply = tokio::time::timeout(OPEN_WITHIN, request).await;
            if let Ok(Ok(reply)) = reply
                && let Ok(reply) = unpack::<OpenReply>(&reply.payload)
                && reply.open.len() == unit.items.len()
            {
                return Some(reply);
            }
        }
        self.quiet_until = Instant::now() + QUIET;
        None
    }

    fn begin(
        &mut self,
        group: &str,
        unit: &Unit,
        acker: async_nats::jetstream::message::Acker,
        losses: u32,
    ) {
        let Some(known) = self.groups.get(group) else {
            return;
        };
        let careful = losses >= SUSPICIOUS;
        let count = unit.items.len();
        self.bench.held().take(unit, acker, count, careful);
        if count == 0 {
            self.bench.told.notify_one();
            return;
        }
        if losses >= POISON {
            self.fail(unit, losses);
            return;
        }
        let labels: Vec<Arc<[String]>> = unit.labels.iter().map(|l| l.clone().into()).collect();
        let request = |item: &Item| ScoreRequest {
            key: key(item.key),
            prompt: Prompt {
                prefix: Arc::clone(&known.prefix),
                suffix: item.suffix.clone(),
            },
            labels: Arc::clone(&labels[usize::from(item.labels)]),
        };
        let number = known.number;
        if careful {
            let items = unit.items.iter();
            let mut careful: Vec<_> = items
                .map(|item| (unit.id, item.key, number, request(item)))
                .collect();
            if losses % 2 == 1 {
                // From the other end: what stands behind the one that kills is to be answered, too.
                careful.reverse();
            }
            self.careful.extend(careful);
            self.go_on_carefully();
            return;
        }
        let requests = unit.items.iter().map(request).collect();
        // Held while pushing: an answer may come before its place is known.
        let mut held = self.bench.held();
        let places = self.bench.feed.push(number, requests);
        for (place, item) in places.into_iter().zip(&unit.items) {
            held.place(place, unit.id, item.key);
        }
    }

    /// Whether it is at work on a suspicious unit.
    fn is_careful(&self) -> bool {
        self.asked.is_some() || !self.careful.is_empty()
    }

    /// Asks the next question of a suspicious unit, when nothing else is in flight of those, and
    /// the broker has what was answered before: should this one kill, only it is lost.
    fn go_on_carefully(&mut self) {
        let mut held = self.bench.held();
        if self.asked.is_some_and(|asked| held.waits_for(asked)) {
            return;
        }
        self.asked = None;
        let first = self.careful.front();
        if first.is_some_and(|(unit, ..)| !held.is_told(*unit)) {
            return;
        }
        let Some((unit, key, group, request)) = self.careful.pop_front() else {
            return;
        };
        for place in self.bench.feed.push(group, vec![request]) {
            held.place(place, unit, key);
            self.asked = Some(place);
        }
    }

    /// Everything that is left of the unit fails.
    fn fail(&self, unit: &Unit, losses: u32) {
        let error = ScoreError::Backend {
            message: format!("{losses} workers were given it and none was heard of again"),
        };
        let mut held = self.bench.held();
        for item in &unit.items {
            held.failed += 1;
            held.outcome(unit.id, item.key, Outcome::from(Err(error.clone())));
        }
        drop(held);
        self.bench.told.notify_one();
    }
}

fn is_sound(unit: &Unit) -> bool {
    let labels = unit.labels.len();
    unit.items
        .iter()
        .all(|item| usize::from(item.labels) < labels)
        && unit.labels.iter().all(|list| !list.is_empty())
}
