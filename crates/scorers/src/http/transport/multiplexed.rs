//! HTTP/2, where it is asked for: all requests share one connection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Response as Incoming};
use tokio::sync::Semaphore;
use tokio::time::{timeout, timeout_at};

use super::{Carried, Carrier, Endpoint, Resource, chain};
use crate::ScoreError;
use crate::http::wire::{MAX_BODY, Notes, Response, WireError};

/// One HTTP/2 connection, or HTTP/1.1 ones where an encrypted server speaks no HTTP/2.
pub(in crate::http) struct Multiplexed {
    endpoint: Arc<Endpoint>,
    client: Client,
    permits: Semaphore,
}

impl Multiplexed {
    pub(in crate::http) fn new(endpoint: Arc<Endpoint>) -> Result<Self, String> {
        let mut client = Client::builder()
            .user_agent(concat!("sureness/", env!("CARGO_PKG_VERSION")))
            .tcp_nodelay(true)
            .connect_timeout(endpoint.limits.connect)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never());
        if endpoint.tls.is_none() {
            // Without encryption nobody negotiates.
            client = client.http2_prior_knowledge();
        }
        if endpoint.base().is_loopback() {
            client = client.no_proxy();
        }
        Ok(Self {
            client: client.build().map_err(|error| chain(&error))?,
            permits: Semaphore::new(endpoint.connections.min(Semaphore::MAX_PERMITS)),
            endpoint,
        })
    }

    async fn receive(&self, mut incoming: Incoming) -> Result<Response, ScoreError> {
        let mut notes = Notes::default();
        for (name, value) in incoming.headers() {
            notes.learn(name.as_str(), value.as_bytes());
        }
        let date = incoming.headers().get("date");
        notes.note_date(date.map(http::HeaderValue::as_bytes));
        let mut response = Response {
            status: incoming.status().as_u16(),
            notes,
            body: Vec::new(),
            keep_alive: true,
        };
        loop {
            let error = match incoming.chunk().await {
                Ok(Some(chunk)) if response.body.len() + chunk.len() <= MAX_BODY => {
                    response.body.extend_from_slice(&chunk);
                    continue;
                }
                Ok(Some(_)) => WireError::BodyTooLarge.into(),
                Ok(None) => return Ok(response),
                Err(error) => self.network(error),
            };
            // The status counts even where its explanation is cut off or endless.
            return if response.is_success() {
                Err(error)
            } else {
                Ok(response)
            };
        }
    }

    fn network(&self, error: reqwest::Error) -> ScoreError {
        if error.is_timeout() && error.is_connect() {
            return self.endpoint.no_connection();
        }
        if error.is_connect() {
            self.endpoint.unreachable(&error.without_url())
        } else {
            self.endpoint.broken(&error.without_url())
        }
    }
}

impl Carrier for Multiplexed {
    fn lanes(&self) -> usize {
        self.endpoint.connections
    }

    async fn carry(&self, resource: &Resource, body: &[u8]) -> Result<Carried, ScoreError> {
        let _permit = self.permits.acquire().await;
        let mut request = if resource.is_post {
            let post = self.client.post(resource.url.clone());
            post.header(CONTENT_TYPE, "application/json")
                .body(body.to_vec())
        } else {
            self.client.get(resource.url.clone())
        };
        if let Some(key) = self.endpoint.key() {
            request = request.bearer_auth(key.expose());
        }
        let limits = self.endpoint.limits;
        let timed_out = |limit: Duration| ScoreError::TimedOut {
            seconds: limit.as_secs_f64().ceil() as u64,
        };
        let started = Instant::now();
        let deadline = started.checked_add(limits.total).unwrap_or(started);
        let answered = async {
            let head = limits.first_byte.unwrap_or(limits.total);
            let incoming = timeout(head, request.send())
                .await
                .map_err(|_| timed_out(head))?
                .map_err(|error| self.network(error))?;
            self.receive(incoming).await
        };
        let response = timeout_at(deadline.into(), answered)
            .await
            .map_err(|_| timed_out(limits.total))??;
        Ok(Carried {
            response,
            connect: Duration::ZERO,
            server: started.elapsed(),
        })
    }
}
