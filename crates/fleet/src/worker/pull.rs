//! Pulling units: about as many questions as are in flight, preferably of the group whose prefix is
//! warm.

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
use super::serve::Session;
use crate::link::persist;
use crate::message::{
    GroupAbout, Item, OpenQuery, OpenReply, Outcome, SUSPICIOUS, Unit, key, pack, unpack,
};
use crate::names::{ABOUT, RunName, WORK, group_name};

/// Units that all workers may hold at once.
const UNCONFIRMED: i64 = 100_000;
/// How often to look for work without news.
const POLL: Duration = Duration::from_secs(2);
/// Workers lost with a unit after which its open questions fail.
const MAX_LOSSES: u32 = 4;
/// Time until a unit that another worker holds is delivered again.
const TAKEN_DELAY: Duration = Duration::from_secs(3);
/// So long after the broker was unreachable, it may have lost track of deliveries.
const DISTRUST: Duration = Duration::from_secs(60);
/// So long after the coordinator did not answer, it is not asked about ordinary units.
const QUERY_PAUSE: Duration = Duration::from_secs(5);
/// Delay of a unit that should go to another worker, and how often it is delayed.
const AVOID_DELAY: Duration = Duration::from_millis(500);
const AVOID_TIMES: i64 = 2;
/// How long the broker may take to deliver a unit.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the coordinator may take to answer a query, and how often it is asked.
const QUERY_TIMEOUT: Duration = Duration::from_secs(2);
const QUERY_ATTEMPTS: u32 = 5;

/// A group that has or may have work.
struct Group {
    number: u32,
    prefix: Arc<str>,
    consumer: PullConsumer,
    /// Whether it had no unit at the last look.
    empty: bool,
}

struct Puller {
    session: Arc<Session>,
    work: Stream,
    about: Stream,
    groups: HashMap<String, Group>,
    /// The group of the last unit.
    warm: Option<String>,
    /// Questions of suspicious units, to be asked one at a time.
    careful: VecDeque<(u64, [u8; 32], u32, ScoreRequest)>,
    /// The one of them in flight.
    asked: Option<ItemId>,
    /// Until then the coordinator counts as unreachable.
    no_query_until: Instant,
}

/// Pulls units while the run goes on.
pub(super) async fn pull(
    session: Arc<Session>,
    is_over: watch::Receiver<bool>,
    mut answered: mpsc::UnboundedReceiver<()>,
) {
    let link = session.link.clone();
    let news = link.run.news(session.assignment.lane);
    let mut news = persist("subscribe", || link.client.subscribe(news.clone())).await;
    let stream = |name: String| {
        let link = link.clone();
        async move { persist("look up a stream", || link.stream.get_stream(&name)).await }
    };
    let mut puller = Puller {
        work: stream(link.run.stream(WORK)).await,
        about: stream(link.run.stream(ABOUT)).await,
        session: Arc::clone(&session),
        groups: HashMap::new(),
        warm: None,
        careful: VecDeque::new(),
        asked: None,
        no_query_until: Instant::now(),
    };
    puller.discover().await;
    let mut idle = tokio::time::interval(POLL);
    idle.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        if *is_over.borrow() {
            return;
        }
        while session.feed.wanted() > 0 && !puller.is_careful() {
            if !puller.take().await {
                break;
            }
        }
        tokio::select! {
            message = news.next() => {
                if let Some(message) = message
                    && let Ok(name) = std::str::from_utf8(&message.payload)
                {
                    puller.open_group(name).await;
                }
            }
            () = session.results.room.notified() => {}
            _ = answered.recv() => puller.ask_next(),
            _ = idle.tick() => {
                // News may have been missed, and units of other workers may have come back.
                puller.discover().await;
                for group in puller.groups.values_mut() {
                    group.empty = false;
                }
            }
        }
    }
}

impl Puller {
    /// Finds groups with units in the stream.
    async fn discover(&mut self) {
        let lane = self.session.assignment.lane;
        let all = self.session.link.run.work(lane, "*");
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
                self.open_group(&name).await;
            }
        }
    }

    /// Notes that this group has work; opens it if it is new.
    async fn open_group(&mut self, name: &str) {
        if let Some(group) = self.groups.get_mut(name) {
            group.empty = false;
            return;
        }
        let (link, lane) = (&self.session.link, self.session.assignment.lane);
        let subject = link.run.about_group(lane, name);
        let Ok(message) = self.about.get_last_raw_message_by_subject(&subject).await else {
            // Not published yet, or the broker is unreachable: a later look will find it.
            return;
        };
        let Ok(about) = unpack::<GroupAbout>(&message.payload) else {
            self.session.held().malformed += 1;
            return;
        };
        if group_name(&about.prefix) != name {
            self.session.held().malformed += 1;
            return;
        }
        let consumer = RunName::work_consumer(lane, name);
        let config = pull::Config {
            durable_name: Some(consumer.clone()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.session.assignment.unit_timeout,
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
            Err(error) => tracing::debug!(%error, "cannot open a group yet"),
        }
    }

    /// Takes one unit, of the warm group if it has any; `false` if there was none.
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
            // A broker that dies meanwhile never answers.
            let next = tokio::time::timeout(FETCH_TIMEOUT, messages.next()).await;
            match next.unwrap_or(None) {
                Some(Ok(message)) => {
                    self.warm = Some(name.clone());
                    self.accept(&name, message).await;
                    return true;
                }
                Some(Err(error)) => tracing::debug!(%error, "cannot fetch a unit"),
                None => group.empty = true,
            }
        }
        false
    }

    async fn accept(&mut self, group: &str, message: Message) {
        let delivered = message.info().map_or(1, |info| info.delivered);
        let mut unit = match unpack::<Unit>(&message.payload) {
            Ok(unit) if unit.group == group && is_valid(&unit) => unit,
            other => {
                let error = other.err().map(|e| e.to_string());
                tracing::warn!(?error, "dropped a malformed unit");
                self.session.held().malformed += 1;
                let _ = message.ack_with(AckKind::Term).await;
                return;
            }
        };
        if unit.avoid.contains(&self.session.name) && delivered <= AVOID_TIMES {
            let _ = message.ack_with(AckKind::Nak(Some(AVOID_DELAY))).await;
            return;
        }
        let (_, acker) = message.split();
        let arrival = self.session.held().arrival(unit.id, acker);
        match arrival {
            Arrival::Known => {}
            Arrival::Finished(acker) => {
                let _ = acker.ack().await;
            }
            Arrival::New(acker) => {
                let mut losses = 0;
                if let Some(reply) = self.query(&unit, delivered).await {
                    if reply.taken {
                        let _ = acker.ack_with(AckKind::Nak(Some(TAKEN_DELAY))).await;
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

    /// Asks the coordinator about a unit. A broker that was restarted may have forgotten that it had
    /// delivered the unit before.
    async fn query(&mut self, unit: &Unit, delivered: i64) -> Option<OpenReply> {
        let query = bytes::Bytes::from(pack(&OpenQuery {
            worker: self.session.name.clone(),
            unit: unit.id,
            alone: self.session.held().holds().1.is_empty(),
            keys: unit.items.iter().map(|item| item.key).collect(),
        }));
        let link = &self.session.link;
        let subject = link.run.open(self.session.assignment.lane);
        let asks = if delivered > 1 || link.was_down_within(DISTRUST) {
            QUERY_ATTEMPTS
        } else {
            // An ordinary unit: an unreachable coordinator must not delay it.
            u32::from(Instant::now() >= self.no_query_until)
        };
        for ask in 0..asks {
            if ask > 0 {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            let request = link.client.request(subject.clone(), query.clone());
            let reply = tokio::time::timeout(QUERY_TIMEOUT, request).await;
            if let Ok(Ok(reply)) = reply
                && let Ok(reply) = unpack::<OpenReply>(&reply.payload)
                && reply.open.len() == unit.items.len()
            {
                return Some(reply);
            }
        }
        self.no_query_until = Instant::now() + QUERY_PAUSE;
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
        self.session.held().take(unit, acker, count, careful);
        if count == 0 {
            self.session.results.unsent.notify_one();
            return;
        }
        if losses >= MAX_LOSSES {
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
            draw: None,
        };
        let number = known.number;
        if careful {
            let items = unit.items.iter();
            let mut careful: Vec<_> = items
                .map(|item| (unit.id, item.key, number, request(item)))
                .collect();
            if losses % 2 == 1 {
                // From the other end, so that questions behind the one that kills are answered, too.
                careful.reverse();
            }
            self.careful.extend(careful);
            self.ask_next();
            return;
        }
        let requests = unit.items.iter().map(request).collect();
        // Locked while pushing: an answer may arrive before its item is known.
        let mut held = self.session.held();
        let asked = self.session.feed.push(number, requests);
        for (asked, item) in asked.into_iter().zip(&unit.items) {
            held.assign(asked, unit.id, item.key);
        }
    }

    /// Whether it is asking a suspicious unit.
    fn is_careful(&self) -> bool {
        self.asked.is_some() || !self.careful.is_empty()
    }

    /// Asks the next question of a suspicious unit, once the one before it is answered and the broker
    /// has the answer: if this one kills the worker, only it is lost.
    fn ask_next(&mut self) {
        let mut held = self.session.held();
        if self.asked.is_some_and(|asked| held.waits_for(asked)) {
            return;
        }
        self.asked = None;
        let first = self.careful.front();
        if first.is_some_and(|(unit, ..)| !held.is_delivered(*unit)) {
            return;
        }
        let Some((unit, key, group, request)) = self.careful.pop_front() else {
            return;
        };
        for asked in self.session.feed.push(group, vec![request]) {
            held.assign(asked, unit, key);
            self.asked = Some(asked);
        }
    }

    /// Fails the open questions of a unit.
    fn fail(&self, unit: &Unit, losses: u32) {
        let error = ScoreError::Backend {
            message: format!("{losses} workers were lost while they held this question"),
        };
        let mut held = self.session.held();
        for item in &unit.items {
            held.failed += 1;
            held.outcome(unit.id, item.key, Outcome::from(Err(error.clone())));
        }
        drop(held);
        self.session.results.unsent.notify_one();
    }
}

fn is_valid(unit: &Unit) -> bool {
    let labels = unit.labels.len();
    unit.items
        .iter()
        .all(|item| usize::from(item.labels) < labels)
        && unit.labels.iter().all(|list| !list.is_empty())
}
