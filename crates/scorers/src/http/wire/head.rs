//! The head of a response: status and headers.

use super::{MAX_BODY, WireError};

/// Maximum headers. Servers send about ten.
const MAX_HEADERS: usize = 200;

/// How a server begins its refusal of plain text where it expects TLS.
const TLS_ALERT: &[u8] = &[0x15, 3];

/// A response's status and headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) framing: Framing,
    /// Whether the server keeps the connection open.
    pub(super) keep_alive: bool,
    pub(super) gzip: bool,
    pub(super) headers: KeptHeaders,
}

/// How the end of the body is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// After this many bytes.
    Length(usize),
    /// By an empty chunk.
    Chunked,
    /// By the end of the connection.
    ToTheEnd,
}

/// How the names of Anthropic's limits begin.
const ANTHROPIC: &str = "anthropic-ratelimit-";

/// The few headers that other modules read. Usually there are none, so that this does not
/// allocate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::http) struct KeptHeaders(Vec<(String, String)>);

impl KeptHeaders {
    /// Keeps a header that other modules read.
    pub(in crate::http) fn keep(&mut self, name: &str, value: &[u8]) {
        let name = name.to_ascii_lowercase();
        let is_read = matches!(name.as_str(), "content-type" | "location" | "retry-after")
            || name.starts_with("x-ratelimit-")
            || name.starts_with("ratelimit")
            || name.starts_with(ANTHROPIC);
        if is_read {
            let value = String::from_utf8_lossy(value).trim().to_owned();
            self.0.push((name, value));
        }
    }

    /// Keeps the server's time if there are headers that may be dates: `Retry-After`, Anthropic's.
    pub(in crate::http) fn keep_date(&mut self, date: Option<&[u8]>) {
        let may_be_date =
            |(name, _): &(String, String)| name == "retry-after" || name.starts_with(ANTHROPIC);
        if let Some(date) = date
            && self.0.iter().any(may_be_date)
        {
            let date = String::from_utf8_lossy(date).trim().to_owned();
            self.0.push(("date".to_owned(), date));
        }
    }

    /// The first value of a header, by its lower-case name.
    pub(in crate::http) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(in crate::http) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Reads the head at the start of `bytes` and returns it with its length; `None` while incomplete.
pub(super) fn read(bytes: &[u8]) -> Result<Option<(Head, usize)>, WireError> {
    let mut slots = [const { std::mem::MaybeUninit::uninit() }; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut []);
    let parsed = httparse::ParserConfig::default()
        .parse_response_with_uninit_headers(&mut response, bytes, &mut slots)
        .map_err(|error| match error {
            httparse::Error::TooManyHeaders => WireError::HeadTooLarge,
            _ if bytes.starts_with(TLS_ALERT) => {
                WireError::NotHttp("the server speaks TLS (https) on this port".to_owned())
            }
            error => WireError::NotHttp(format!("{error} in {:?}", opening(bytes))),
        })?;
    let httparse::Status::Complete(length) = parsed else {
        return Ok(None);
    };
    let status = response.code.unwrap_or_default();
    // By default HTTP/1.0 closes the connection, and HTTP/1.1 keeps it.
    let mut keep_alive = response.version == Some(1);
    let (mut chunked, mut gzip) = (false, false);
    let mut length_header: Option<usize> = None;
    let mut headers = KeptHeaders::default();
    let mut date = None;
    for header in response.headers.iter() {
        let (name, value) = (header.name, header.value);
        if name.eq_ignore_ascii_case("content-length") {
            let number = content_length(value)?;
            if length_header.is_some_and(|before| before != number) {
                return Err(WireError::NotHttp("two different lengths".to_owned()));
            }
            length_header = Some(number);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            match value.trim_ascii() {
                coding if coding.eq_ignore_ascii_case(b"chunked") => chunked = true,
                coding if coding.eq_ignore_ascii_case(b"identity") => {}
                coding => {
                    let coding = String::from_utf8_lossy(coding);
                    let reason = format!("the unknown transfer encoding {:?}", &*coding);
                    return Err(WireError::NotHttp(reason));
                }
            }
        } else if name.eq_ignore_ascii_case("connection") {
            if mentions(value, b"close") {
                keep_alive = false;
            } else if mentions(value, b"keep-alive") {
                keep_alive = true;
            }
        } else if name.eq_ignore_ascii_case("content-encoding") {
            gzip = mentions(value, b"gzip") || mentions(value, b"x-gzip");
        } else if name.eq_ignore_ascii_case("date") {
            date = Some(value);
        } else if value != b"application/json" {
            headers.keep(name, value);
        }
    }
    headers.keep_date(date);
    let framing = match (status, chunked, length_header) {
        (100..=199 | 204 | 304, ..) => Framing::Length(0),
        (_, true, both) => {
            // Two ends: the next answer may begin at either, so the connection is not reused.
            keep_alive &= both.is_none();
            Framing::Chunked
        }
        (_, false, Some(length)) => Framing::Length(length),
        (_, false, None) => {
            keep_alive = false;
            Framing::ToTheEnd
        }
    };
    let head = Head {
        status,
        framing,
        keep_alive,
        gzip,
        headers,
    };
    Ok(Some((head, length)))
}

/// A length; saturates above [`MAX_BODY`].
fn content_length(value: &[u8]) -> Result<usize, WireError> {
    let digits = value.trim_ascii();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        let reason = format!("the length {:?}", String::from_utf8_lossy(value));
        return Err(WireError::NotHttp(reason));
    }
    let number = std::str::from_utf8(digits)
        .ok()
        .and_then(|d| d.parse().ok());
    Ok(number.unwrap_or(MAX_BODY + 1))
}

/// Whether a list such as `keep-alive, upgrade` contains `word`.
fn mentions(value: &[u8], word: &[u8]) -> bool {
    value
        .split(|&byte| byte == b',')
        .any(|part| part.trim_ascii().eq_ignore_ascii_case(word))
}

/// The first line of an invalid response.
fn opening(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
    text.lines().next().unwrap_or_default().to_owned()
}
