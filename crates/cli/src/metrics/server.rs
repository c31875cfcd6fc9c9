//! Answers `GET /metrics`, and nothing else.

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

/// Connections at once; more wait in the system's queue.
const CONNECTIONS: usize = 16;
/// A connection that sends no whole request head for so long is closed.
const HEAD: Duration = Duration::from_secs(10);
/// A pause after the system gave no connection, as when there are too many open files.
const PAUSE: Duration = Duration::from_millis(200);

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";

/// An address that is ours.
#[derive(Debug)]
pub(super) struct Listener {
    socket: std::net::TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Takes `HOST:PORT`.
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

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers on the current async runtime, for as long as it lives. Whatever goes wrong here is
    /// no concern of the run.
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
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!(%error, "metrics: no connection");
                tokio::time::sleep(PAUSE).await;
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
            // Closed after each answer: a scrape every few seconds needs no connection in between,
            // and what holds none open cannot use them up.
            connection
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .keep_alive(false);
            let served = connection
                .serve_connection(TokioIo::new(stream), answer)
                .await;
            if let Err(error) = served {
                tracing::debug!(%error, "metrics: a connection broke");
            }
            drop(permit);
        });
    }
}

fn answer(request: &Request<Incoming>, registry: &Registry) -> Response<String> {
    let told = |status, body: &str| {
        let mut response = Response::new(body.to_owned());
        *response.status_mut() = status;
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, plain);
        response
    };
    if request.uri().path() != "/metrics" {
        return told(
            StatusCode::NOT_FOUND,
            "there is /metrics and nothing else\n",
        );
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = told(StatusCode::METHOD_NOT_ALLOWED, "metrics can only be read\n");
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
        return told(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the metrics cannot be written down\n",
        );
    }
    let mut response = Response::new(body);
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
