//! Text files that are compressed as a whole.

use std::io::{self, BufRead, BufReader};

use flate2::bufread::MultiGzDecoder;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Gzip,
    Zstandard,
}

impl Codec {
    /// The codec of a file that begins with these bytes.
    pub(crate) fn of(begin: &[u8]) -> Option<Self> {
        if begin.starts_with(b"\x1f\x8b") {
            Some(Self::Gzip)
        } else if begin.starts_with(b"\x28\xb5\x2f\xfd") {
            Some(Self::Zstandard)
        } else {
            None
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstandard => "Zstandard",
        }
    }

    /// The unpacked text.
    pub(crate) fn unpack<'a>(
        self,
        packed: Box<dyn BufRead + 'a>,
    ) -> io::Result<Box<dyn BufRead + 'a>> {
        const CAPACITY: usize = 1 << 16;
        Ok(match self {
            Self::Gzip => Box::new(BufReader::with_capacity(
                CAPACITY,
                MultiGzDecoder::new(packed),
            )),
            Self::Zstandard => Box::new(BufReader::with_capacity(
                CAPACITY,
                zstd::Decoder::with_buffer(packed)?,
            )),
        })
    }
}
