//! The head of a response: status and headers.

use super::{MAX_BODY, WireError};

/// How many headers are read. Servers send about ten.
const MAX_HEADERS: usize = 200;

/// What a response's head says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) framing: Framing,
    /// Whether the server keeps the connection open.
    pub(super) keep_alive: bool,
    pub(super) gzip: bool,
    pub(super) notes: Notes,
}

/// Where the body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// After this many bytes.
    Length(usize),
    /// After an empty chunk.
    Chunked,
    /// Where the connection does.
    ToTheEnd,
}

/// The few headers that are read beyond this folder. Usually none, so that a response costs no
/// memory for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::http) struct Notes(Vec<(String, String)>);

impl Notes {
    /// Keeps a header if anyone reads it.
    pub(in crate::http) fn learn(&mut self, name: &str, value: &[u8]) {
        let name = name.to_ascii_lowercase();
        let wanted = matches!(name.as_str(), "content-type" | "location" | "retry-after")
            || name.starts_with("x-ratelimit-")
            || name.starts_with("ratelimit");
        if wanted {
            let value = String::from_utf8_lossy(value).trim().to_owned();
            self.0.push((name, value));
        }
    }

    /// Keeps the server's own time where a date in its answer has to be seen beside it.
    pub(in crate::http) fn note_date(&mut self, date: Option<&[u8]>) {
        if let Some(date) = date
            && self.get("retry-after").is_some()
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

/// Reads the head at the start of `bytes`; `None` where it is not complete. The second value is
/// its length.
pub(super) fn read(bytes: &[u8]) -> Result<Option<(Head, usize)>, WireError> {
    let mut headers = [const { std::mem::MaybeUninit::uninit() }; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut []);
    let parsed = httparse::ParserConfig::default()
        .parse_response_with_uninit_headers(&mut response, bytes, &mut headers)
        .map_err(|error| match error {
            httparse::Error::TooManyHeaders => WireError::HeadTooLarge,
            error => WireError::NotHttp(format!("{error} in {:?}", opening(bytes))),
        })?;
    let httparse::Status::Complete(length) = parsed else {
        return Ok(None);
    };
    let status = response.code.unwrap_or_default();
    // HTTP/1.0 closes unless it says otherwise, HTTP/1.1 stays.
    let mut keep_alive = response.version == Some(1);
    let (mut chunked, mut gzip) = (false, false);
    let mut said: Option<usize> = None;
    let mut notes = Notes::default();
    let mut date = None;
    for header in response.headers.iter() {
        let (name, value) = (header.name, header.value);
        if name.eq_ignore_ascii_case("content-length") {
            let number = content_length(value)?;
            if said.is_some_and(|before| before != number) {
                return Err(WireError::NotHttp("two lengths that differ".to_owned()));
            }
            said = Some(number);
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
            notes.learn(name, value);
        }
    }
    notes.note_date(date);
    let framing = match (status, chunked, said) {
        (100..=199 | 204 | 304, ..) => Framing::Length(0),
        (_, true, both) => {
            // Two ways to tell the end: the next answer may begin at neither.
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
        notes,
    };
    Ok(Some((head, length)))
}

/// A length; one that is beyond every limit stays so, however many digits it has.
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

/// Whether a list such as `keep-alive, upgrade` holds `word`.
fn mentions(value: &[u8], word: &[u8]) -> bool {
    value
        .split(|&byte| byte == b',')
        .any(|part| part.trim_ascii().eq_ignore_ascii_case(word))
}

/// The first line of what should have been a response.
fn opening(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
    text.lines().next().unwrap_or_default().to_owned()
}
