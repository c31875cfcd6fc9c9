//! Connections: few at once, each for a limited time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use sureness_bench::Failure;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::address::Bound;

/// Open connections at once; further ones are told so and closed.
const MAX_CONNECTIONS: usize = 128;
/// Longest head of a request, in bytes; no request has a body.
const MAX_HEAD: usize = 16 << 10;
/// Time for a complete request head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for a request with its answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(90);
/// Time after which a stream of events ends; browsers open it again.
const STREAM_TIMEOUT: Duration = Duration::from_secs(3600);
/// Delay after a failed accept, as with too many open files.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(200);
/// Time to tell a surplus connection that it is one.
const REFUSAL_TIMEOUT: Duration = Duration::from_millis(500);
/// Surplus connections that are told so at once; others are closed without a word.
const MAX_REFUSALS: usize = 32;

const REFUSAL: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Retry-After: 5\r\nConnection: close\r\nContent-Length: 54\r\n\r\n\
    Too many connections are open. Try again in a moment.\n";

/// Marks a request whose answer is a stream of events, so that its connection may last.
#[derive(Debug, Clone)]
pub(super) struct IsStream(Arc<AtomicBool>);

impl IsStream {
    /// Lets the connection last.
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Serves until `stop` is true. Errors of connections never end it.
pub(super) async fn serve(
    bound: &Bound,
    routes: Router,
    mut stop: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let listener = bound.listener().map_err(|error| {
        Failure::new(format!("cannot use the socket: {error}")).hint("try another --port")
    })?;
    tokio::select! {
        () = accept(&listener, &routes) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
    Ok(())
}

async fn accept(listener: &TcpListener, routes: &Router) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let refusals = Arc::new(Semaphore::new(MAX_REFUSALS));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!(%error, "view: accept failed");
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                continue;
            }
        };
        match Arc::clone(&permits).try_acquire_owned() {
            Ok(permit) => {
                tokio::spawn(answer(stream, routes.clone(), permit));
            }
            Err(_) => {
                if let Ok(permit) = Arc::clone(&refusals).try_acquire_owned() {
                    tokio::spawn(refuse(stream, permit));
                }
            }
        }
    }
}

async fn refuse(mut stream: TcpStream, permit: OwnedSemaphorePermit) {
    let _ = tokio::time::timeout(REFUSAL_TIMEOUT, async {
        stream.write_all(REFUSAL.as_bytes()).await?;
        stream.shutdown().await
    })
    .await;
    drop(permit);
}

/// Answers one request; a second needs another connection, so that idle clients hold none.
async fn answer(stream: TcpStream, routes: Router, permit: OwnedSemaphorePermit) {
    let is_stream = IsStream(Arc::default());
    let mark = is_stream.clone();
    let routes = TowerToHyperService::new(routes);
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(mark.clone());
        hyper::service::Service::call(&routes, request.map(Body::new))
    });
    let mut connection = http1::Builder::new();
    connection
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .keep_alive(false);
    let served = connection.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(served);
    let outcome = tokio::select! {
        outcome = &mut served => outcome,
        () = tokio::time::sleep(ANSWER_TIMEOUT) => {
            if is_stream.0.load(Ordering::Relaxed) {
                let rest = tokio::time::timeout(STREAM_TIMEOUT, &mut served).await;
                rest.unwrap_or(Ok(()))
            } else {
                Ok(())
            }
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "view: connection failed");
    }
    drop(permit);
}
