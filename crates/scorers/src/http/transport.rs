//! One request out, one JSON body or one typed error back.

use std::error::Error;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder, Response, Url};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::Semaphore;

use super::address::ApiBase;
use super::options::HttpOptions;
use super::secret::{Scrubber, Secret};
use super::status::{EXCERPT, failure};
use crate::ScoreError;

/// The largest body that is read. An answer with 100 log-probabilities has about 10 kB.
const MAX_BODY: usize = 16 * 1024 * 1024;
/// How long an unused connection is kept. Servers close theirs after 5 s (uvicorn) or more; a
/// connection that is reused at that moment breaks.
const IDLE: Duration = Duration::from_secs(4);

/// A pool of persistent HTTP/1.1 connections to one server.
///
/// HTTP/2 would put all requests on one connection. Nothing is retried here and no redirect
/// is followed: both are decisions of the caller.
pub(super) struct Transport {
    client: Client,
    key: Option<Secret>,
    base: ApiBase,
    scrubber: Scrubber,
    timeout: Duration,
    connect_timeout: Duration,
    /// One permit per connection: the true limit, as the pool itself only limits idle ones.
    permits: Semaphore,
    connections: usize,
}

impl Transport {
    pub(super) fn new(options: &HttpOptions, base: ApiBase) -> Result<Self, String> {
        let scrubber = Scrubber::new(options.api_key.as_ref(), base.url());
        // A key and a user name would both become an `Authorization` header: the key wins.
        let base = if options.api_key.is_some() {
            base.without_credentials()
        } else {
            base
        };
        let connections = options.max_connections.clamp(1, Semaphore::MAX_PERMITS);
        let mut client = Client::builder()
            .user_agent(concat!("sureness/", env!("CARGO_PKG_VERSION")))
            .http1_only()
            .tcp_nodelay(true)
            .pool_max_idle_per_host(connections)
            .pool_idle_timeout(IDLE)
            .connect_timeout(options.connect_timeout)
            .timeout(options.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never());
        if base.is_loopback() {
            client = client.no_proxy();
        }
        Ok(Self {
            client: client.build().map_err(|error| chain(&error))?,
            key: options.api_key.clone(),
            base,
            scrubber,
            timeout: options.timeout,
            connect_timeout: options.connect_timeout,
            permits: Semaphore::new(connections),
            connections,
        })
    }

    pub(super) fn base(&self) -> &ApiBase {
        &self.base
    }

    pub(super) fn connections(&self) -> usize {
        self.connections
    }

    pub(super) async fn get(&self, url: &Url) -> Result<Value, ScoreError> {
        self.send(self.client.get(url.clone())).await
    }

    pub(super) async fn post(
        &self,
        url: &Url,
        body: &(impl Serialize + Sync),
    ) -> Result<Value, ScoreError> {
        self.send(self.client.post(url.clone()).json(body)).await
    }

    /// `error` without any secret that the server put into it.
    pub(super) fn scrubbed(&self, error: ScoreError) -> ScoreError {
        let scrub = |text: String| self.scrubber.scrub(&text);
        match error {
            ScoreError::Malformed { message } => ScoreError::Malformed {
                message: scrub(message),
            },
            ScoreError::NoOptionSeen { top_k, first } => ScoreError::NoOptionSeen {
                top_k,
                first: scrub(first),
            },
            // The others are made by this file and by `status`, which scrub.
            other => other,
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Value, ScoreError> {
        // The semaphore is never closed; if it were, the limit would be gone, not the answer.
        let _permit = self.permits.acquire().await;
        let request = match &self.key {
            Some(key) => request.bearer_auth(key.expose()),
            None => request,
        };
        let mut response = request.send().await.map_err(|error| self.network(error))?;
        let status = response.status();
        let body = self.body(&mut response).await;
        if !status.is_success() {
            // The status counts even where its explanation is cut off or endless.
            let body = body.unwrap_or_default();
            return Err(failure(status, response.headers(), &body, &self.scrubber));
        }
        let body = body?;
        serde_json::from_slice(&body).map_err(|error| {
            let kind = response
                .headers()
                .get(CONTENT_TYPE)
                .and_then(|value| value.to_str().ok())
                .unwrap_or("unknown type");
            let kind = self.scrubber.excerpt(kind, 60);
            let text = self
                .scrubber
                .excerpt(&String::from_utf8_lossy(&body), EXCERPT);
            let line = error.line();
            let column = error.column();
            ScoreError::Malformed {
                message: format!(
                    "the body ({kind}) is no JSON at line {line}, column {column}: {text}"
                ),
            }
        })
    }

    async fn body(&self, response: &mut Response) -> Result<Vec<u8>, ScoreError> {
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.network(error))?
        {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(ScoreError::Malformed {
                    message: format!("the answer is larger than {} MiB", MAX_BODY >> 20),
                });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn network(&self, error: reqwest::Error) -> ScoreError {
        if error.is_timeout() && error.is_connect() {
            return ScoreError::Unreachable {
                message: format!("no connection within {:?}", self.connect_timeout),
            };
        }
        if error.is_timeout() {
            return ScoreError::TimedOut {
                seconds: self.timeout.as_secs_f64().ceil() as u64,
            };
        }
        let message = chain(&error.without_url());
        ScoreError::Unreachable {
            message: self.scrubber.excerpt(&message, EXCERPT),
        }
    }
}

/// An error with its causes: reqwest's own text stops short of the reason.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let reason = error.to_string();
        if !text.contains(&reason) {
            text.push_str(": ");
            text.push_str(&reason);
        }
        cause = error.source();
    }
    text
}
