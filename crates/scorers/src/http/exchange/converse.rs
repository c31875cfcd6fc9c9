//! The order of requests and answers for a batch, in both models.
//!
//! One text serves the asynchronous and the blocking transport: the futures of the latter are
//! ready when they are polled first, so that no runtime is needed to run them.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream;

use super::super::quota::{quota, tighter};
use super::super::transport::{Carried, Carrier};
use super::{Exchange, Scored};
use crate::{Quota, Reply, ScoreError, ScoreRequest, Timing};

/// What one exchange told beside its scores.
#[derive(Debug, Clone, Copy, Default)]
struct Beside {
    timing: Timing,
    quota: Quota,
    /// Requests sent, answered or not.
    requests: u32,
}

impl Beside {
    fn of(carried: &Carried, parse: Duration) -> Self {
        let timing = Timing {
            connect: carried.connect,
            server: carried.server,
            parse,
        };
        Self {
            timing,
            quota: quota(&carried.response.notes),
            requests: 1,
        }
    }

    /// Of a request that nothing came back for.
    fn of_none() -> Self {
        Self {
            requests: 1,
            ..Self::default()
        }
    }

    /// One after the other.
    fn then(self, next: Self) -> Self {
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

    /// Side by side: in wall-clock time the longest counts.
    fn beside(self, other: Self) -> Self {
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

impl Exchange {
    /// Scores a batch, as a list where `as_list` says so.
    pub(in crate::http) async fn converse<C: Carrier>(
        &self,
        via: &C,
        batch: &[ScoreRequest],
        as_list: bool,
    ) -> Reply {
        let (scores, beside) = match batch {
            [] => (Vec::new(), Beside::default()),
            [first, rest @ ..] if as_list && rest.iter().all(|r| self.go_together(first, r)) => {
                self.list(via, first, batch).await
            }
            [only] => {
                let (outcome, beside) = self.one(via, only).await;
                (vec![outcome], beside)
            }
            _ => self.each(via, batch).await,
        };
        Reply {
            scores,
            timing: beside.timing,
            quota: beside.quota,
            requests: beside.requests,
        }
    }

    /// One request per prompt, as many at once as the transport takes.
    async fn each<C: Carrier>(&self, via: &C, batch: &[ScoreRequest]) -> (Vec<Scored>, Beside) {
        let mut scores = Vec::with_capacity(batch.len());
        let mut all = Beside::default();
        if via.lanes() == 1 {
            for request in batch {
                let (outcome, beside) = self.one(via, request).await;
                scores.push(outcome);
                all = all.then(beside);
            }
            return (scores, all);
        }
        let asked: Vec<_> = batch.iter().map(|request| self.one(via, request)).collect();
        let mut answers = stream::iter(asked).buffered(via.lanes());
        while let Some((outcome, beside)) = answers.next().await {
            scores.push(outcome);
            all = all.beside(beside);
        }
        (scores, all)
    }

    async fn one<C: Carrier>(&self, via: &C, request: &ScoreRequest) -> (Scored, Beside) {
        let body = self.encode_one(request);
        let carried = match via.carry(self.resource(request), &body).await {
            Ok(carried) => carried,
            Err(error) => return (Err(error), Beside::of_none()),
        };
        let parsing = Instant::now();
        let outcome = self.decode_one(&carried.response, request);
        let beside = Beside::of(&carried, parsing.elapsed());
        self.rest(via, request, outcome, beside).await
    }

    /// Asks once more where the first answer leaves options open and the server can tell.
    async fn rest<C: Carrier>(
        &self,
        via: &C,
        request: &ScoreRequest,
        outcome: Scored,
        beside: Beside,
    ) -> (Scored, Beside) {
        let Ok(scores) = outcome else {
            return (outcome, beside);
        };
        let Some(body) = self.encode_rest(request, &scores) else {
            return (Ok(scores), beside);
        };
        match via.carry(self.resource(request), &body).await {
            Ok(carried) => {
                let parsing = Instant::now();
                let outcome = self.decode_rest(&carried.response, request, scores);
                let next = Beside::of(&carried, parsing.elapsed());
                (outcome, beside.then(next))
            }
            Err(error) => (Err(error), beside.then(Beside::of_none())),
        }
    }

    /// One request for the whole batch; one per prompt where the server refuses that and a
    /// single prompt may be the reason.
    async fn list<C: Carrier>(
        &self,
        via: &C,
        first: &ScoreRequest,
        batch: &[ScoreRequest],
    ) -> (Vec<Scored>, Beside) {
        let body = self.encode_list(batch);
        let carried = match via.carry(self.resource(first), &body).await {
            Ok(carried) => carried,
            Err(error) => return (vec![Err(error); batch.len()], Beside::of_none()),
        };
        let parsing = Instant::now();
        let decoded = self.decode_list(&carried.response, batch);
        let mut beside = Beside::of(&carried, parsing.elapsed());
        match decoded {
            Ok(outcomes) => {
                let mut scores = Vec::with_capacity(batch.len());
                for (outcome, request) in outcomes.into_iter().zip(batch) {
                    let (outcome, with_rest) = self.rest(via, request, outcome, beside).await;
                    scores.push(outcome);
                    beside = with_rest;
                }
                (scores, beside)
            }
            Err(error) if one_prompt_may_be_to_blame(&error) && batch.len() > 1 => {
                tracing::debug!(%error, "a list was refused: one request per prompt");
                let (scores, singly) = self.each(via, batch).await;
                (scores, beside.then(singly))
            }
            Err(error) => (vec![Err(error); batch.len()], beside),
        }
    }
}

/// Whether a failed list may owe to one of its prompts, so that each deserves its own request.
fn one_prompt_may_be_to_blame(error: &ScoreError) -> bool {
    matches!(
        error,
        ScoreError::Rejected { .. } | ScoreError::ContextTooLong { .. }
    )
}
