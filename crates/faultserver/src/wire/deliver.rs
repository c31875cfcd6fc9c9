//! Writing responses, complete or broken.

use std::io::{self, Write};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::reply::Reply;
use crate::script::{Coding, Point};

/// The beginning of an endless or huge body.
const BEGINNING: &[u8] = br#"{"object":"text_completion","choices":["#;
const BLOCK: usize = 64 << 10;

/// How a response is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Delivery {
    /// Complete and at once.
    Whole,
    /// In pieces.
    Trickle { bytes: usize, every: Duration },
    /// Up to the point where the connection breaks.
    Break { at: Point, reset: bool },
    /// With a body of this size.
    Huge { bytes: u64, coding: Coding },
    /// Endless headers.
    EndlessHead,
    /// An endless body.
    EndlessBody { every: Duration },
    /// Not at all.
    Silence,
}

/// The extent to which a response was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Whether its first byte was written.
    pub(crate) begun: bool,
    /// Whether its last byte was written.
    pub(crate) whole: bool,
    /// Whether the connection can be used again.
    pub(crate) reusable: bool,
}

impl Sent {
    const NOTHING: Self = Self {
        begun: false,
        whole: false,
        reusable: false,
    };
    const PART: Self = Self {
        begun: true,
        whole: false,
        reusable: false,
    };
    const WHOLE: Self = Self {
        begun: true,
        whole: true,
        reusable: true,
    };
}

/// Sends `reply`. A client that disconnects is not an error.
pub(crate) async fn deliver(
    stream: &mut TcpStream,
    reply: &Reply,
    delivery: Delivery,
    close: bool,
) -> Sent {
    let sent = match delivery {
        Delivery::Whole => whole(stream, reply, close).await,
        Delivery::Trickle { bytes, every } => trickle(stream, reply, bytes, every, close).await,
        Delivery::Break { at, reset } => break_off(stream, reply, at, reset).await,
        Delivery::Huge { bytes, coding } => huge(stream, bytes, coding).await,
        Delivery::EndlessHead => endless_head(stream).await,
        Delivery::EndlessBody { every } => endless_body(stream, every).await,
        Delivery::Silence => silence(stream).await,
    };
    // The extent of a failed write is unknown; assume that it began.
    let mut sent = sent.unwrap_or(Sent::PART);
    sent.reusable &= !close;
    sent
}

async fn whole(stream: &mut TcpStream, reply: &Reply, close: bool) -> io::Result<Sent> {
    // One write for head and body: two would take a packet each.
    let mut bytes = reply.head(Some(reply.body.len() as u64), close);
    bytes.extend_from_slice(&reply.body);
    stream.write_all(&bytes).await?;
    Ok(Sent::WHOLE)
}

async fn trickle(
    stream: &mut TcpStream,
    reply: &Reply,
    bytes: usize,
    every: Duration,
    close: bool,
) -> io::Result<Sent> {
    let mut all = reply.head(Some(reply.body.len() as u64), close);
    all.extend_from_slice(&reply.body);
    for (number, piece) in all.chunks(bytes.max(1)).enumerate() {
        if number > 0 {
            tokio::time::sleep(every).await;
        }
        stream.write_all(piece).await?;
    }
    Ok(Sent::WHOLE)
}

async fn break_off(
    stream: &mut TcpStream,
    reply: &Reply,
    at: Point,
    reset: bool,
) -> io::Result<Sent> {
    let head = reply.head(Some(reply.body.len() as u64), false);
    let sent = match at {
        Point::Before => Sent::NOTHING,
        Point::InHead => {
            stream.write_all(&head[..head.len() / 2]).await?;
            Sent::PART
        }
        Point::InBody => {
            stream.write_all(&head).await?;
            stream
                .write_all(&reply.body[..reply.body.len() / 2])
                .await?;
            Sent::PART
        }
        Point::AfterBody => whole(stream, reply, false).await?,
    };
    if reset {
        // Closing such a socket sends RST instead of FIN.
        stream.set_zero_linger()?;
    } else {
        stream.shutdown().await?;
    }
    Ok(Sent {
        reusable: false,
        ..sent
    })
}

fn ok() -> Reply {
    Reply {
        status: 200,
        content_type: "application/json",
        headers: Vec::new(),
        body: Vec::new(),
    }
}

async fn huge(stream: &mut TcpStream, bytes: u64, coding: Coding) -> io::Result<Sent> {
    let length = (coding == Coding::Plain).then_some(bytes);
    let mut reply = ok();
    if coding == Coding::Gzip {
        reply = reply.with("content-encoding", "gzip");
    }
    stream.write_all(&reply.head(length, true)).await?;
    let blanks = vec![b' '; BLOCK];
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    let mut left = bytes;
    let mut next: &[u8] = BEGINNING;
    while left > 0 {
        let piece = &next[..next.len().min(usize::try_from(left).unwrap_or(usize::MAX))];
        left -= piece.len() as u64;
        match coding {
            Coding::Plain => stream.write_all(piece).await?,
            Coding::Chunked => chunk(stream, piece).await?,
            Coding::Gzip => {
                gzip.write_all(piece)?;
                let packed = std::mem::take(gzip.get_mut());
                chunk(stream, &packed).await?;
                // Blanks mostly compress to nothing, and writing nothing does not yield.
                tokio::task::yield_now().await;
            }
        }
        next = &blanks;
    }
    if coding == Coding::Gzip {
        chunk(stream, &gzip.finish()?).await?;
    }
    if coding != Coding::Plain {
        stream.write_all(b"0\r\n\r\n").await?;
    }
    Ok(Sent {
        reusable: false,
        ..Sent::WHOLE
    })
}

/// One chunk of a chunked body. Skips an empty one, which would end the body.
async fn chunk(stream: &mut TcpStream, data: &[u8]) -> io::Result<()> {
    if data.is_empty() {
        return Ok(());
    }
    let mut bytes = format!("{:x}\r\n", data.len()).into_bytes();
    bytes.extend_from_slice(data);
    bytes.extend_from_slice(b"\r\n");
    stream.write_all(&bytes).await
}

async fn endless_head(stream: &mut TcpStream) -> io::Result<Sent> {
    stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
    let mut lines = String::new();
    for number in 0_u64.. {
        lines.push_str(&format!("x-padding-{number}: {}\r\n", "x".repeat(200)));
        if lines.len() > 4096 {
            stream.write_all(lines.as_bytes()).await?;
            lines.clear();
        }
    }
    Ok(Sent::PART)
}

async fn endless_body(stream: &mut TcpStream, every: Duration) -> io::Result<Sent> {
    stream.write_all(&ok().head(None, false)).await?;
    chunk(stream, BEGINNING).await?;
    loop {
        tokio::time::sleep(every).await;
        chunk(stream, b" ").await?;
    }
}

/// Waits until the client disconnects.
async fn silence(stream: &mut TcpStream) -> io::Result<Sent> {
    let mut rest = [0; 1024];
    while let Ok(1..) = stream.read(&mut rest).await {}
    Ok(Sent::NOTHING)
}
