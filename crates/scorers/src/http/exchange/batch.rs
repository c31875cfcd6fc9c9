//! Sends the requests of a batch and collects their scores.
//!
//! The asynchronous and the blocking client share this code: futures of the latter are ready at
//! their first poll, so that they need no runtime.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream;

use super::super::quota::{quota, tighter};
use super::super::transport::{Client, TimedResponse};
use super::biased::{First, Seen};
use super::{Exchange, Scored};
use crate::{Quota, Reply, ScoreError, ScoreRequest, Timing};

/// Time, quota and number of the requests behind some scores.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::http) struct Stats {
    timing: Timing,
    quota: Quota,
    /// Requests sent, answered or not.
    requests: u32,
}

impl Stats {
    pub(in crate::http) fn of(answered: &TimedResponse, parse: Duration) -> Self {
        let timing = Timing {
            connect: answered.connect,
            server: answered.server,
            parse,
        };
        Self {
            timing,
            quota: quota(&answered.response.headers),
            requests: 1,
        }
    }

    /// Those of a reply.
    pub(in crate::http) fn of_reply(reply: &Reply) -> Self {
        Self {
            timing: reply.timing,
            quota: reply.quota,
            requests: reply.requests,
        }
    }

    /// One request without a response.
    pub(in crate::http) fn unanswered() -> Self {
        Self {
            requests: 1,
            ..Self::default()
        }
    }

    /// The reply with these scores.
    pub(in crate::http) fn reply(self, scores: Vec<Scored>) -> Reply {
        Reply {
            scores,
            timing: self.timing,
            quota: self.quota,
            requests: self.requests,
        }
    }

    /// In sequence.
    pub(in crate::http) fn then(self, next: Self) -> Self {
        let (a, b) = (self.timing, next.timing);
        Self {
            timing: Timing {
                connect: a.connect + b.connect,
                server: a.server + b.server,
                parse: a.parse + b.parse,
            },
            quota: tighter(self.quota, next.quota),
            requests: self.requests + next.requests,
        }
    }

    /// In parallel: in wall-clock time the longest counts.
    fn alongside(self, other: Self) -> Self {
        let (a, b) = (self.timing, other.timing);
        Self {
            timing: Timing {
                connect: a.connect.max(b.connect),
                server: a.server.max(b.server),
                parse: a.parse.max(b.parse),
            },
            quota: tighter(self.quota, other.quota),
            requests: self.requests + other.requests,
        }
    }
}

/// Carries out these exchanges, as many at once as the client allows; their outcomes in order.
pub(in crate::http) async fn in_order<C: Client, T>(
    client: &C,
    exchanges: Vec<impl Future<Output = (T, Stats)>>,
) -> (Vec<T>, Stats) {
    let mut outcomes = Vec::with_capacity(exchanges.len());
    let mut all = Stats::default();
    if client.max_in_flight() == 1 {
        for exchange in exchanges {
            let (outcome, stats) = exchange.await;
            outcomes.push(outcome);
            all = all.then(stats);
        }
        return (outcomes, all);
    }
    let mut answers = stream::iter(exchanges).buffered(client.max_in_flight());
    while let Some((outcome, stats)) = answers.next().await {
        outcomes.push(outcome);
        all = all.alongside(stats);
    }
    (outcomes, all)
}

impl Exchange {
    /// Scores a batch, with `as_list` in a single request if its prompts go together.
    pub(in crate::http) async fn score_batch<C: Client>(
        &self,
        client: &C,
        batch: &[ScoreRequest],
        as_list: bool,
    ) -> Reply {
        let (scores, stats) = match batch {
            [] => (Vec::new(), Stats::default()),
            [first, rest @ ..] if as_list && rest.iter().all(|r| self.go_together(first, r)) => {
                self.list(client, first, batch).await
            }
            [only] => {
                let (outcome, stats) = self.one(client, only).await;
                (vec![outcome], stats)
            }
            _ => self.each(client, batch).await,
        };
        stats.reply(scores)
    }

    /// One request per prompt, as many at once as the client allows.
    async fn each<C: Client>(&self, client: &C, batch: &[ScoreRequest]) -> (Vec<Scored>, Stats) {
        let asked = batch.iter().map(|request| self.one(client, request));
        in_order(client, asked.collect()).await
    }

    async fn one<C: Client>(&self, client: &C, request: &ScoreRequest) -> (Scored, Stats) {
        let body = self.encode_one(request);
        let answered = match client.send(self.resource(request), &body).await {
            Ok(answered) => answered,
            Err(error) => return (Err(error), Stats::unanswered()),
        };
        let parsing = Instant::now();
        let outcome = self.decode_one(&answered.response, request);
        let stats = Stats::of(&answered, parsing.elapsed());
        let seen = || {
            let read = self.seen(&answered.response, std::slice::from_ref(request));
            read.into_iter().next().unwrap_or_default()
        };
        self.rest(client, request, outcome, seen, stats).await
    }

    /// Makes the second request for options that the first answer left open, where the tier has one.
    /// `seen` reads the options' tokens in the first answer.
    async fn rest<C: Client>(
        &self,
        client: &C,
        request: &ScoreRequest,
        outcome: Scored,
        seen: impl FnOnce() -> Seen,
        stats: Stats,
    ) -> (Scored, Stats) {
        let Ok(scores) = outcome else {
            return (outcome, stats);
        };
        let Some(body) = self.encode_rest(request, &scores) else {
            return (Ok(scores), stats);
        };
        let first = First {
            scores,
            seen: seen(),
        };
        match client.send(self.resource(request), &body).await {
            Ok(answered) => {
                let parsing = Instant::now();
                let outcome = self.decode_rest(&answered.response, request, first);
                let next = Stats::of(&answered, parsing.elapsed());
                (outcome, stats.then(next))
            }
            Err(error) => (Err(error), stats.then(Stats::unanswered())),
        }
    }

    /// One request for the whole batch. If the server rejects it, perhaps because of a single
    /// prompt, one request per prompt.
    async fn list<C: Client>(
        &self,
        client: &C,
        first: &ScoreRequest,
        batch: &[ScoreRequest],
    ) -> (Vec<Scored>, Stats) {
        let body = self.encode_list(batch);
        let answered = match client.send(self.resource(first), &body).await {
            Ok(answered) => answered,
            Err(error) => return (vec![Err(error); batch.len()], Stats::unanswered()),
        };
        let parsing = Instant::now();
        let decoded = self.decode_list(&answered.response, batch);
        let mut stats = Stats::of(&answered, parsing.elapsed());
        match decoded {
            Ok(outcomes) => {
                let mut scores = Vec::with_capacity(batch.len());
                let mut read: Option<Vec<Seen>> = None;
                for (place, (outcome, request)) in outcomes.into_iter().zip(batch).enumerate() {
                    let seen = || {
                        let all = read.get_or_insert_with(|| self.seen(&answered.response, batch));
                        all.get_mut(place).map(std::mem::take).unwrap_or_default()
                    };
                    let (outcome, with_rest) =
                        self.rest(client, request, outcome, seen, stats).await;
                    scores.push(outcome);
                    stats = with_rest;
                }
                (scores, stats)
            }
            Err(error) if may_concern_one_prompt(&error) && batch.len() > 1 => {
                tracing::debug!(%error, "the server rejected a list: sending one request per prompt");
                let (scores, singly) = self.each(client, batch).await;
                (scores, stats.then(singly))
            }
            Err(error) => (vec![Err(error); batch.len()], stats),
        }
    }
}

/// Whether a list may have failed because of a single prompt.
fn may_concern_one_prompt(error: &ScoreError) -> bool {
    matches!(
        error,
        ScoreError::Rejected { .. }
            | ScoreError::Filtered { .. }
            | ScoreError::ContextTooLong { .. }
    )
}
