//! Texts and byte strings, decoded only when they are looked at.

use std::borrow::Cow;

/// Bytes of the longest escape: `\U0001f600`.
const LONGEST_ESCAPE: usize = 10;

/// The encoding of a text in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Unchanged: bytes, or UTF-8.
    Plain,
    /// UTF-8 whose characters are bytes: how protocols 1 and 2 write a byte string.
    Utf8AsLatin1,
    /// Latin-1 with `\uXXXX` escapes: a text in protocol 0.
    Escaped,
    /// The same, whose characters are bytes: a byte string in protocol 0.
    EscapedAsLatin1,
    /// Python 2's quoted string, without the quotes.
    Quoted,
}

/// A text or a byte string. As in Python 2, there is no difference.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) raw: &'a [u8],
    pub(super) form: Form,
}

impl<'a> Text<'a> {
    pub(super) fn plain(raw: &'a [u8]) -> Self {
        Self {
            raw,
            form: Form::Plain,
        }
    }

    /// The contents, or `None` if they are malformed or longer than `limit`. The limit applies before
    /// decoding, since many places can refer to one long text.
    pub(super) fn decode(self, limit: usize) -> Option<Cow<'a, [u8]>> {
        if self.form == Form::Plain {
            return (self.raw.len() <= limit).then_some(Cow::Borrowed(self.raw));
        }
        if self.raw.len() > limit.saturating_mul(LONGEST_ESCAPE) {
            return None;
        }
        let decoded = match self.form {
            Form::Plain => self.raw.to_vec(),
            Form::Utf8AsLatin1 => latin1(std::str::from_utf8(self.raw).ok()?.chars())?,
            Form::Escaped => unescape(self.raw)?.into_iter().collect::<String>().into(),
            Form::EscapedAsLatin1 => latin1(unescape(self.raw)?.into_iter())?,
            Form::Quoted => unquote(self.raw)?,
        };
        (decoded.len() <= limit).then_some(Cow::Owned(decoded))
    }

    /// This text as the byte string of its characters (`text.encode("latin1")`), `None` if it
    /// is a byte string already.
    pub(super) fn as_latin1(self) -> Option<Self> {
        let form = match self.form {
            Form::Plain => Form::Utf8AsLatin1,
            Form::Escaped => Form::EscapedAsLatin1,
            Form::Utf8AsLatin1 | Form::EscapedAsLatin1 | Form::Quoted => return None,
        };
        Some(Self { form, ..self })
    }

    /// A short text for messages.
    pub(super) fn lossy(self, limit: usize) -> String {
        let decoded = self
            .decode(limit)
            .unwrap_or(Cow::Borrowed(&self.raw[..self.raw.len().min(limit)]));
        String::from_utf8_lossy(&decoded).into_owned()
    }
}

fn latin1(chars: impl Iterator<Item = char>) -> Option<Vec<u8>> {
    chars
        .map(|char| u8::try_from(u32::from(char)).ok())
        .collect()
}

/// Python's `raw-unicode-escape`.
fn unescape(raw: &[u8]) -> Option<Vec<char>> {
    let mut chars = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let digits = match (byte, after.first()) {
            (b'\\', Some(b'u')) => 4,
            (b'\\', Some(b'U')) => 8,
            _ => {
                chars.push(char::from(byte));
                continue;
            }
        };
        let code = hex(after.get(1..=digits)?)?;
        chars.push(char::from_u32(code)?);
        rest = &after[1 + digits..];
    }
    Some(chars)
}

/// Python's escapes within a quoted byte string.
fn unquote(raw: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let (&escape, after) = rest.split_first()?;
        rest = after;
        bytes.push(match escape {
            b'\\' | b'\'' | b'"' => escape,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'x' => {
                let code = hex(rest.get(..2)?)?;
                rest = &rest[2..];
                u8::try_from(code).ok()?
            }
            _ => return None,
        });
    }
    Some(bytes)
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |value, &digit| {
        Some((value << 4) | char::from(digit).to_digit(16)?)
    })
}
