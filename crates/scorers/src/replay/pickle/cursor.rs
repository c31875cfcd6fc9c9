//! Bounds-checked reading of the file's bytes.

use crate::replay::error::Problem;

/// A position in the file, from which all results are borrowed.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.position
    }

    /// The next `count` bytes. The file claims `count`, which may be anything.
    pub(super) fn take(&mut self, count: u64) -> Result<&'a [u8], Problem> {
        let left = self.left();
        let taken = usize::try_from(count)
            .ok()
            .and_then(|count| self.bytes[self.position..].get(..count));
        let Some(taken) = taken else {
            return Err(Problem::Truncated {
                needed: count,
                left,
            });
        };
        self.position += taken.len();
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        let left = self.left();
        match self.bytes[self.position..].first_chunk::<N>() {
            Some(chunk) => {
                self.position += N;
                Ok(*chunk)
            }
            None => Err(Problem::Truncated {
                needed: N as u64,
                left,
            }),
        }
    }

    pub(super) fn u8(&mut self) -> Result<u8, Problem> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn u16(&mut self) -> Result<u16, Problem> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Problem> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Problem> {
        self.array().map(u64::from_le_bytes)
    }

    /// The bytes up to the next line feed, which is skipped.
    pub(super) fn line(&mut self) -> Result<&'a [u8], Problem> {
        let rest = &self.bytes[self.position..];
        let Some(length) = rest.iter().position(|&byte| byte == b'\n') else {
            return Err(Problem::Truncated {
                needed: rest.len() as u64 + 1,
                left: rest.len(),
            });
        };
        self.position += length + 1;
        // Files written on Windows in text mode.
        Ok(rest[..length]
            .strip_suffix(b"\r")
            .unwrap_or(&rest[..length]))
    }
}
