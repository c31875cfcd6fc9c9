//! Chunked and compressed bodies.

use std::io::Read;

use super::{MAX_BODY, MAX_HEAD, WireError};

/// The longest line before a chunk: its size and extensions.
const MAX_LINE: usize = 4096;

/// Decodes chunks as they arrive.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    state: State,
    /// Bytes of trailers so far, bounded like the head.
    trailers: usize,
    pub(super) body: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Size,
    Data(usize),
    AfterData,
    Trailers,
    Done,
}

impl Chunks {
    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Decodes and removes as much of `input` as possible.
    pub(super) fn decode(&mut self, input: &mut Vec<u8>) -> Result<(), WireError> {
        let mut at = 0;
        while let Some(used) = self.step(&input[at..])? {
            at += used;
        }
        input.drain(..at);
        Ok(())
    }

    /// Decodes one piece and returns its length; `None` if more bytes are needed, or none.
    fn step(&mut self, input: &[u8]) -> Result<Option<usize>, WireError> {
        match self.state {
            State::Size => {
                let Some(line) = line(input)? else {
                    return Ok(None);
                };
                let size = size(line)?;
                if self.body.len().saturating_add(size) > MAX_BODY {
                    return Err(WireError::BodyTooLarge);
                }
                self.state = if size == 0 {
                    State::Trailers
                } else {
                    State::Data(size)
                };
                Ok(Some(line.len() + 1))
            }
            State::Data(left) => {
                let used = left.min(input.len());
                self.body.extend_from_slice(&input[..used]);
                self.state = if used == left {
                    State::AfterData
                } else {
                    State::Data(left - used)
                };
                Ok((used > 0).then_some(used))
            }
            State::AfterData => match input {
                [b'\r', b'\n', ..] => {
                    self.state = State::Size;
                    Ok(Some(2))
                }
                [] | [b'\r'] => Ok(None),
                _ => Err(WireError::Chunks("a chunk is longer than its size")),
            },
            State::Trailers => {
                let Some(line) = line(input)? else {
                    return Ok(None);
                };
                let used = line.len() + 1;
                self.trailers += used;
                if self.trailers > MAX_HEAD {
                    return Err(WireError::HeadTooLarge);
                }
                if line.trim_ascii().is_empty() {
                    self.state = State::Done;
                }
                Ok(Some(used))
            }
            State::Done => Ok(None),
        }
    }
}

/// The line at the start, without its line feed.
fn line(input: &[u8]) -> Result<Option<&[u8]>, WireError> {
    match input.iter().position(|&byte| byte == b'\n') {
        Some(end) if end <= MAX_LINE => Ok(Some(&input[..end])),
        None if input.len() <= MAX_LINE => Ok(None),
        _ => Err(WireError::Chunks("the line of a chunk's size is too long")),
    }
}

fn size(line: &[u8]) -> Result<usize, WireError> {
    let digits = line.split(|&byte| byte == b';').next().unwrap_or_default();
    let digits = digits.trim_ascii();
    // Sixteen digits exceed every limit.
    if digits.is_empty() || digits.len() > 16 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(WireError::Chunks("a size is not a number"));
    }
    let digits = std::str::from_utf8(digits).unwrap_or_default();
    Ok(usize::from_str_radix(digits, 16).unwrap_or(usize::MAX))
}

/// Decompresses a body. The result is bounded, since a small body may expand to gigabytes.
pub(super) fn gunzip(body: &[u8]) -> Result<Vec<u8>, WireError> {
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(body)
        .take(MAX_BODY as u64 + 1)
        .read_to_end(&mut plain)
        .map_err(|error| WireError::Compression(error.to_string()))?;
    if plain.len() > MAX_BODY {
        return Err(WireError::BodyTooLarge);
    }
    Ok(plain)
}
