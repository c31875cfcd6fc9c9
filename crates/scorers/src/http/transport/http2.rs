//! The optional HTTP/2 client: all requests share one connection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Response as Incoming;
use reqwest::header::CONTENT_TYPE;
use tokio::sync::Semaphore;
use tokio::time::{timeout, timeout_at};

use super::{Client, Endpoint, Resource, TimedResponse, chain};
use crate::ScoreError;
use crate::http::wire::{KeptHeaders, MAX_BODY, Response, WireError};

/// One HTTP/2 connection, or several of HTTP/1.1 if a TLS server does not support HTTP/2.
pub(in crate::http) struct Http2Client {
    endpoint: Arc<Endpoint>,
    client: reqwest::Client,
    permits: Semaphore,
}

impl Http2Client {
    pub(in crate::http) fn new(endpoint: Arc<Endpoint>) -> Result<Self, String> {
        // `reqwest` asks for the process's default and panics without one. Another one that is
        // installed already is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = reqwest::Client::builder()
            .user_agent(concat!("sureness/", env!("CARGO_PKG_VERSION")))
            .tcp_nodelay(true)
            .connect_timeout(endpoint.limits.connect)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never());
        if endpoint.tls.is_none() {
            // Only TLS negotiates the version.
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
        let mut headers = KeptHeaders::default();
        for (name, value) in incoming.headers() {
            headers.keep(name.as_str(), value.as_bytes());
        }
        let date = incoming.headers().get("date");
        headers.keep_date(date.map(http::HeaderValue::as_bytes));
        let mut response = Response {
            status: incoming.status().as_u16(),
            headers,
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
            // An error status counts even if its message is incomplete or endless.
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

impl Client for Http2Client {
    fn max_in_flight(&self) -> usize {
        self.endpoint.connections
    }

    async fn send(&self, resource: &Resource, body: &[u8]) -> Result<TimedResponse, ScoreError> {
        let _permit = self.permits.acquire().await;
        let mut request = if resource.is_post {
            let post = self.client.post(resource.url.clone());
            post.header(CONTENT_TYPE, "application/json")
                .body(body.to_vec())
        } else {
            self.client.get(resource.url.clone())
        };
        for header in self.endpoint.given_headers() {
            request = request.header(header.name(), header.value());
        }
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
        Ok(TimedResponse {
            response,
            connect: Duration::ZERO,
            server: started.elapsed(),
        })
    }
}
