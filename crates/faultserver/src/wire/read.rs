//! Reading requests.

use std::io;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MAX_HEAD: usize = 64 << 10;
const MAX_HEADERS: usize = 100;
const MAX_BODY: usize = 64 << 20;
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A request before interpretation.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body, if it is JSON.
    pub(crate) body: Option<Value>,
    /// Whether the client wants the connection closed afterwards.
    pub(crate) close: bool,
}

/// The result of reading from a connection.
#[derive(Debug)]
pub(crate) enum Received {
    /// A request.
    Request(Request),
    /// An invalid request, and why.
    Invalid(&'static str),
    /// The client has closed the connection.
    Closed,
}

struct Head {
    request: Request,
    length: usize,
    body_length: usize,
    expects_continue: bool,
}

/// Reads the next request. `buffer` keeps the bytes after it.
pub(crate) async fn read_request(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
) -> io::Result<Received> {
    let head = loop {
        match parse_head(buffer) {
            Ok(Some(head)) => break head,
            Ok(None) => {}
            Err(reason) => return Ok(Received::Invalid(reason)),
        }
        if buffer.len() > MAX_HEAD {
            return Ok(Received::Invalid("the request head is too long"));
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(Received::Closed);
        }
    };
    if head.body_length > MAX_BODY {
        return Ok(Received::Invalid("the request body is too long"));
    }
    let end = head.length + head.body_length;
    if head.expects_continue && buffer.len() < end {
        stream.write_all(CONTINUE).await?;
    }
    while buffer.len() < end {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(Received::Closed);
        }
    }
    let mut request = head.request;
    request.body = serde_json::from_slice(&buffer[head.length..end]).ok();
    buffer.drain(..end);
    Ok(Received::Request(request))
}

fn parse_head(buffer: &[u8]) -> Result<Option<Head>, &'static str> {
    let mut space = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut space);
    let length = match parsed.parse(buffer) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err("the request head is not HTTP"),
    };
    let headers: Vec<(String, String)> = parsed
        .headers
        .iter()
        .map(|header| {
            let value = String::from_utf8_lossy(header.value).trim().to_owned();
            (header.name.to_ascii_lowercase(), value)
        })
        .collect();
    let header = |name: &str| {
        let found = headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.to_ascii_lowercase())
    };
    if header("transfer-encoding").is_some() {
        return Err("a request body must come with its length");
    }
    let body_length = match header("content-length") {
        Some(text) => text
            .parse()
            .map_err(|_| "the content length is not a number")?,
        None => 0,
    };
    let close = header("connection").is_some_and(|value| value.contains("close"))
        || parsed.version == Some(0);
    Ok(Some(Head {
        length,
        body_length,
        expects_continue: header("expect").is_some_and(|value| value.contains("100-continue")),
        request: Request {
            method: parsed.method.unwrap_or_default().to_owned(),
            path: parsed.path.unwrap_or_default().to_owned(),
            headers,
            body: None,
            close,
        },
    }))
}
