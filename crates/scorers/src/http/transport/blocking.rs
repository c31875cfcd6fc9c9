//! The HTTP/1.1 client for plain threads, without a runtime.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::{ClientConnection, StreamOwned};

use super::{Client, Endpoint, Pool, Resource, SendError, TimedResponse, into_response, is_stale};
use crate::ScoreError;
use crate::http::wire::{Progress, ResponseReader, WireError};

/// A pool of persistent connections to one server.
pub(in crate::http) struct BlockingClient {
    endpoint: Arc<Endpoint>,
    pool: Pool<Connection>,
    permits: Permits,
}

enum Connection {
    Plain(Timed),
    Encrypted(Box<StreamOwned<ClientConnection, Timed>>),
}

/// A socket with a deadline instead of a timeout per read, which a server could outlast by sending
/// single bytes.
struct Timed {
    socket: TcpStream,
    deadline: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(left)
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(Some(self.left()?))?;
        self.socket.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(Some(self.left()?))?;
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Connection {
    fn ask(
        &mut self,
        request: &[u8],
        reader: &mut ResponseReader,
        limits: (Option<Instant>, Instant),
    ) -> Result<(), SendError> {
        match self {
            Self::Plain(socket) => ask(socket, |s| s, request, reader, limits),
            Self::Encrypted(stream) => ask(&mut **stream, |s| &mut s.sock, request, reader, limits),
        }
    }
}

/// Sends a request and reads until its response is complete or the connection ends. The limits
/// are the deadlines for the first byte and the last.
fn ask<S: Read + Write>(
    stream: &mut S,
    socket: impl Fn(&mut S) -> &mut Timed,
    request: &[u8],
    reader: &mut ResponseReader,
    (first_byte, last_byte): (Option<Instant>, Instant),
) -> Result<(), SendError> {
    socket(stream).deadline = last_byte;
    let sent = stream.write_all(request).and_then(|()| stream.flush());
    let sent = sent.map_err(|error| or_timeout(error, SendError::OutOfTime));
    let mut chunk = [0; 16 * 1024];
    loop {
        // Before the first byte, the nearer deadline counts.
        let (deadline, late) = match first_byte {
            Some(first) if !reader.has_begun() && first < last_byte => (first, true),
            _ => (last_byte, false),
        };
        socket(stream).deadline = deadline;
        let read = match stream.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // The end of the connection, without TLS' close message.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            read => read.map_err(|error| {
                let limit = if late {
                    SendError::NoFirstByte
                } else {
                    SendError::OutOfTime
                };
                or_timeout(error, limit)
            })?,
        };
        if read == 0 {
            // A server may reject a request before it has read it all.
            return if reader.has_begun() {
                Ok(reader.end()?)
            } else {
                sent.and(Err(WireError::Cut.into()))
            };
        }
        reader.buffer().extend_from_slice(&chunk[..read]);
        if reader.advance()? == Progress::Done {
            return Ok(());
        }
    }
}

/// `limit` for a timeout, which systems report differently; else `error`.
fn or_timeout(error: io::Error, limit: SendError) -> SendError {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => limit,
        _ => SendError::Network(error),
    }
}

impl BlockingClient {
    pub(in crate::http) fn new(endpoint: Arc<Endpoint>) -> Self {
        Self {
            permits: Permits::new(endpoint.connections),
            endpoint,
            pool: Pool::new(),
        }
    }

    fn attempt(
        &self,
        connection: &mut Connection,
        request: &[u8],
    ) -> (ResponseReader, Result<(), SendError>) {
        let limits = &self.endpoint.limits;
        let now = Instant::now();
        let first_byte = limits.first_byte.and_then(|limit| now.checked_add(limit));
        let last_byte = now.checked_add(limits.total).unwrap_or(now);
        let mut reader = ResponseReader::default();
        let outcome = connection.ask(request, &mut reader, (first_byte, last_byte));
        (reader, outcome)
    }

    fn connect(&self) -> Result<Connection, ScoreError> {
        let endpoint = &self.endpoint;
        let now = Instant::now();
        let limit = endpoint.limits.connect;
        let deadline = now.checked_add(limit).unwrap_or(now);
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => endpoint.no_connection(),
            _ => endpoint.unreachable(&error),
        };
        let (host, port) = endpoint.first_hop();
        let addresses: Vec<_> = (host, port).to_socket_addrs().map_err(failed)?.collect();
        let socket = reach(&addresses, limit).map_err(failed)?;
        socket.set_nodelay(true).map_err(failed)?;
        let mut socket = Timed { socket, deadline };
        let Some(tls) = &endpoint.tls else {
            return Ok(Connection::Plain(socket));
        };
        if let Some(request) = endpoint.tunnel() {
            let mut reader = ResponseReader::tunnel();
            let outcome = ask(&mut socket, |s| s, &request, &mut reader, (None, deadline));
            super::proxy::admitted(&into_response(reader, outcome, endpoint)?, endpoint)?;
        }
        let mut session = ClientConnection::new(Arc::clone(&tls.config), tls.name.clone())
            .map_err(|error| endpoint.unreachable(&error))?;
        while session.is_handshaking() {
            session.complete_io(&mut socket).map_err(failed)?;
        }
        let stream = StreamOwned::new(session, socket);
        Ok(Connection::Encrypted(Box::new(stream)))
    }

    fn send_now(&self, resource: &Resource, body: &[u8]) -> Result<TimedResponse, ScoreError> {
        let _permit = self.permits.acquire();
        let request = resource.request(body);
        let started = Instant::now();
        if let Some(mut connection) = self.pool.take(|_| true) {
            let (reader, outcome) = self.attempt(&mut connection, &request);
            if !is_stale(&outcome, &reader) {
                let times = (Duration::ZERO, started.elapsed());
                return self
                    .pool
                    .take_back(connection, (reader, outcome), times, &self.endpoint);
            }
            tracing::debug!("the server closed an idle connection: sending on a new one");
        }
        let opening = Instant::now();
        let mut connection = self.connect()?;
        let sending = Instant::now();
        let (reader, outcome) = self.attempt(&mut connection, &request);
        let times = (sending - opening, sending.elapsed());
        self.pool
            .take_back(connection, (reader, outcome), times, &self.endpoint)
    }
}

impl Client for BlockingClient {
    /// One after the other, on the thread that asks.
    fn max_in_flight(&self) -> usize {
        1
    }

    /// Blocks, so that the future is ready at its first poll.
    async fn send(&self, resource: &Resource, body: &[u8]) -> Result<TimedResponse, ScoreError> {
        self.send_now(resource, body)
    }
}

/// Tries the addresses in turn. A silent one leaves time for the rest.
fn reach(addresses: &[SocketAddr], limit: Duration) -> io::Result<TcpStream> {
    let share = limit / addresses.len().max(1) as u32;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Limits open connections; a semaphore for threads.
struct Permits {
    left: Mutex<usize>,
    returned: Condvar,
}

/// Gives its permit back when dropped.
struct Permit<'a>(&'a Permits);

impl Permits {
    fn new(count: usize) -> Self {
        Self {
            left: Mutex::new(count),
            returned: Condvar::new(),
        }
    }

    fn acquire(&self) -> Permit<'_> {
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let left = self.returned.wait_while(left, |left| *left == 0);
        *left.unwrap_or_else(PoisonError::into_inner) -= 1;
        Permit(self)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        *self.0.left.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.returned.notify_one();
    }
}
