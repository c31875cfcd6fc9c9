//! The HTTP/1.1 client for a runtime.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Client, Endpoint, Pool, Resource, SendError, TimedResponse, into_response, is_stale};
use crate::ScoreError;
use crate::http::wire::{Progress, ResponseReader, WireError};

/// A pool of persistent connections to one server.
pub(in crate::http) struct AsyncClient {
    endpoint: Arc<Endpoint>,
    pool: Pool<Connection>,
    /// One permit per connection, since the pool holds only idle ones.
    permits: Semaphore,
}

enum Connection {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

impl Connection {
    /// Whether the server has neither closed the connection nor sent anything. Costs no system call
    /// if nothing happened.
    fn is_open(&self) -> bool {
        let socket = match self {
            Self::Plain(socket) => socket,
            Self::Encrypted(stream) => stream.get_ref().0,
        };
        let seen = socket.try_read(&mut [0]);
        seen.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    async fn ask(
        &mut self,
        request: &[u8],
        reader: &mut ResponseReader,
        first_byte: Option<Duration>,
    ) -> Result<(), SendError> {
        match self {
            Self::Plain(socket) => ask(socket, request, reader, first_byte).await,
            Self::Encrypted(stream) => ask(&mut **stream, request, reader, first_byte).await,
        }
    }
}

/// Sends a request and reads until its response is complete or the connection ends.
async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    request: &[u8],
    reader: &mut ResponseReader,
    first_byte: Option<Duration>,
) -> Result<(), SendError> {
    let sent = match stream.write_all(request).await {
        // TLS may buffer.
        Ok(()) => stream.flush().await.map_err(SendError::from),
        Err(refused) => Err(refused.into()),
    };
    let begun = step(stream, reader);
    let mut arrived = match first_byte {
        Some(limit) => timeout(limit, begun)
            .await
            .unwrap_or(Err(SendError::NoFirstByte)),
        None => begun.await,
    };
    loop {
        match arrived? {
            Some(Progress::More) => arrived = step(stream, reader).await,
            Some(Progress::Done) => return Ok(()),
            // A server may reject a request before it has read it all.
            None if !reader.has_begun() => return sent.and(Err(WireError::Cut.into())),
            None => return Ok(reader.end()?),
        }
    }
}

/// Reads once; `None` where the connection has ended.
async fn step<S: AsyncRead + Unpin>(
    stream: &mut S,
    reader: &mut ResponseReader,
) -> Result<Option<Progress>, SendError> {
    match stream.read_buf(reader.buffer()).await? {
        0 => Ok(None),
        _ => Ok(Some(reader.advance()?)),
    }
}

impl AsyncClient {
    pub(in crate::http) fn new(endpoint: Arc<Endpoint>) -> Self {
        let permits = endpoint.connections.min(Semaphore::MAX_PERMITS);
        Self {
            endpoint,
            pool: Pool::new(),
            permits: Semaphore::new(permits),
        }
    }

    /// One request on one connection, within the time for all of it.
    async fn attempt(
        &self,
        connection: &mut Connection,
        request: &[u8],
        deadline: tokio::time::Instant,
    ) -> (ResponseReader, Result<(), SendError>) {
        let mut reader = ResponseReader::default();
        let limit = self.endpoint.limits.first_byte;
        let asked = connection.ask(request, &mut reader, limit);
        let outcome = timeout_at(deadline, asked)
            .await
            .unwrap_or(Err(SendError::OutOfTime));
        (reader, outcome)
    }

    async fn connect(&self) -> Result<Connection, ScoreError> {
        match timeout(self.endpoint.limits.connect, self.open()).await {
            Ok(opened) => opened,
            Err(_) => Err(self.endpoint.no_connection()),
        }
    }

    async fn open(&self) -> Result<Connection, ScoreError> {
        let endpoint = &self.endpoint;
        let failed = |error: io::Error| endpoint.unreachable(&error);
        let (host, port) = endpoint.first_hop();
        let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, port))
            .await
            .map_err(failed)?
            .collect();
        let mut socket = reach(&addresses, endpoint.limits.connect)
            .await
            .map_err(failed)?;
        socket.set_nodelay(true).map_err(failed)?;
        let Some(tls) = &endpoint.tls else {
            return Ok(Connection::Plain(socket));
        };
        if let Some(request) = endpoint.tunnel() {
            let mut reader = ResponseReader::tunnel();
            let outcome = ask(&mut socket, &request, &mut reader, None).await;
            super::proxy::admitted(&into_response(reader, outcome, endpoint)?, endpoint)?;
        }
        let (connector, name): (_, ServerName<'static>) = (
            TlsConnector::from(Arc::clone(&tls.config)),
            tls.name.clone(),
        );
        let stream = connector.connect(name, socket).await.map_err(failed)?;
        Ok(Connection::Encrypted(Box::new(stream)))
    }
}

/// Tries the addresses in turn. A silent one leaves time for the rest.
async fn reach(addresses: &[SocketAddr], limit: Duration) -> io::Result<TcpStream> {
    let share = limit / addresses.len().max(1) as u32;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for &address in addresses {
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => return Ok(socket),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

impl Client for AsyncClient {
    fn max_in_flight(&self) -> usize {
        self.endpoint.connections
    }

    async fn send(&self, resource: &Resource, body: &[u8]) -> Result<TimedResponse, ScoreError> {
        // Never fails: nothing closes the semaphore.
        let _permit = self.permits.acquire().await;
        let request = resource.request(body);
        let started = Instant::now();
        let total = self.endpoint.limits.total;
        let deadline = |from: Instant| from.checked_add(total).unwrap_or(from).into();
        if let Some(mut connection) = self.pool.take(Connection::is_open) {
            let (reader, outcome) = self
                .attempt(&mut connection, &request, deadline(started))
                .await;
            if !is_stale(&outcome, &reader) {
                let times = (Duration::ZERO, started.elapsed());
                return self
                    .pool
                    .take_back(connection, (reader, outcome), times, &self.endpoint);
            }
            tracing::debug!("the server closed an idle connection: sending on a new one");
        }
        let opening = Instant::now();
        let mut connection = self.connect().await?;
        let sending = Instant::now();
        let (reader, outcome) = self
            .attempt(&mut connection, &request, deadline(sending))
            .await;
        let times = (sending - opening, sending.elapsed());
        self.pool
            .take_back(connection, (reader, outcome), times, &self.endpoint)
    }
}
