//! An HTTP server for `GET /metrics`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::registry::Registry;
use sureness_bench::Failure;
use tokio::sync::Semaphore;

/// Maximum open connections; further ones wait in the system's queue.
const MAX_CONNECTIONS: usize = 16;
/// Timeout of a complete request head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Delay after a failed accept, as with too many open files.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(200);

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A bound address.
#[derive(Debug)]
pub(super) struct Listener {
    socket: std::net::TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Binds `HOST:PORT`.
    pub(super) fn bind(address: &str) -> Result<Self, Failure> {
        let bound = std::net::TcpListener::bind(address).and_then(|socket| {
            socket.set_nonblocking(true)?;
            let address = socket.local_addr()?;
            Ok(Self { socket, address })
        });
        bound.map_err(|e| {
            Failure::new(format!("cannot serve metrics on {address}: {e}")).hint(
                "give --metrics-addr an address of this machine and a free port, such as \
                 127.0.0.1:9464; port 0 takes any free one",
            )
        })
    }

    /// The address, with the actual port.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers on the current async runtime until it shuts down. Errors here never affect the run.
    pub(super) fn serve(&self, registry: Arc<Registry>) {
        let listener = self
            .socket
            .try_clone()
            .and_then(tokio::net::TcpListener::from_std);
        match listener {
            Ok(listener) => {
                tokio::spawn(accept(listener, registry));
            }
            Err(error) => tracing::warn!("no metrics: {error}"),
        }
    }
}

async fn accept(listener: tokio::net::TcpListener, registry: Arc<Registry>) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!(%error, "metrics: accept failed");
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                continue;
            }
        };
        let registry = Arc::clone(&registry);
        tokio::spawn(async move {
            let answer = service_fn(move |request| {
                let response = answer(&request, &registry);
                async move { Ok::<_, Infallible>(response) }
            });
            let mut connection = http1::Builder::new();
            // Without keep-alive, idle clients cannot exhaust the connections.
            connection
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .keep_alive(false);
            let served = connection
                .serve_connection(TokioIo::new(stream), answer)
                .await;
            if let Err(error) = served {
                tracing::debug!(%error, "metrics: connection failed");
            }
            drop(permit);
        });
    }
}

fn answer(request: &Request<Incoming>, registry: &Registry) -> Response<String> {
    let plain = |status, body: &str| {
        let mut response = Response::new(body.to_owned());
        *response.status_mut() = status;
        let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        response
    };
    if request.uri().path() != "/metrics" {
        return plain(StatusCode::NOT_FOUND, "only /metrics exists\n");
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "metrics are read-only\n");
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let accepted = request.headers().get_all(ACCEPT).iter();
    let open = accepted
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("application/openmetrics-text"));
    let mut body = String::new();
    let (encoded, content_type) = if open {
        (text::encode(&mut body, registry), OPENMETRICS)
    } else {
        (prometheus_text::encode(&mut body, registry), PLAIN)
    };
    if encoded.is_err() {
        return plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            "cannot encode the metrics\n",
        );
    }
    let mut response = Response::new(body);
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
