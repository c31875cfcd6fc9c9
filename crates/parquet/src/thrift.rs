//! Validates the Thrift structures of a Parquet file before the library reads them.
//!
//! A small damaged file can keep the library busy for a very long time. This check requires that
//! everything that a structure claims to hold is there.

/// Maximum nesting depth, the library's own.
const DEPTH: u32 = 64;

/// The types of the compact protocol.
mod kind {
    pub(super) const STOP: u8 = 0;
    pub(super) const TRUE: u8 = 1;
    pub(super) const FALSE: u8 = 2;
    pub(super) const BYTE: u8 = 3;
    pub(super) const I16: u8 = 4;
    pub(super) const I32: u8 = 5;
    pub(super) const I64: u8 = 6;
    pub(super) const DOUBLE: u8 = 7;
    pub(super) const BINARY: u8 = 8;
    pub(super) const LIST: u8 = 9;
    pub(super) const SET: u8 = 10;
    pub(super) const MAP: u8 = 11;
    pub(super) const STRUCT: u8 = 12;
}

/// The sizes in the header of a page, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) header: usize,
    pub(crate) packed: u64,
    pub(crate) unpacked: u64,
}

/// Whether `bytes` begins with a complete structure.
pub(crate) fn is_whole(bytes: &[u8]) -> bool {
    Cursor(bytes).structure(DEPTH, &mut |_, _| {}).is_some()
}

/// The page whose header is at the start of `bytes`.
pub(crate) fn page(bytes: &[u8]) -> Option<Page> {
    let mut page = Page::default();
    let mut cursor = Cursor(bytes);
    cursor.structure(DEPTH, &mut |field, value| match field {
        2 => page.unpacked = value,
        3 => page.packed = value,
        _ => {}
    })?;
    page.header = bytes.len() - cursor.0.len();
    Some(page)
}

/// The bytes left to read.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    /// Reads a structure and passes its integers to `visit`, negative ones as huge numbers.
    fn structure(&mut self, depth: u32, visit: &mut dyn FnMut(i64, u64)) -> Option<()> {
        let mut field = 0;
        loop {
            let head = self.byte()?;
            if head & 0xf == kind::STOP {
                return Some(());
            }
            field = match head >> 4 {
                0 => unzigzag(self.number()?),
                step => i64::from(step).checked_add(field)?,
            };
            match head & 0xf {
                kind::TRUE | kind::FALSE => {}
                kind::I16 | kind::I32 | kind::I64 => {
                    visit(field, unzigzag(self.number()?).cast_unsigned());
                }
                other => self.value(other, depth)?,
            }
        }
    }

    fn value(&mut self, kind: u8, depth: u32) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match kind {
            kind::BYTE => self.skip(1),
            kind::I16 | kind::I32 | kind::I64 => self.number().map(|_| ()),
            kind::DOUBLE => self.skip(8),
            kind::BINARY => {
                let length = self.number()?;
                self.skip(length)
            }
            kind::LIST | kind::SET => {
                let head = self.byte()?;
                let length = match head >> 4 {
                    15 => self.number()?,
                    short => u64::from(short),
                };
                self.elements(length, &[head & 0xf], depth)
            }
            kind::MAP => match self.number()? {
                0 => Some(()),
                length => {
                    let kinds = self.byte()?;
                    self.elements(length, &[kinds >> 4, kinds & 0xf], depth)
                }
            },
            kind::STRUCT => self.structure(depth, &mut |_, _| {}),
            // The structures read here contain no lists of booleans, which readers encode
            // differently.
            _ => None,
        }
    }

    /// `count` values of each kind in turn. Each takes at least a byte.
    fn elements(&mut self, length: u64, kinds: &[u8], depth: u32) -> Option<()> {
        if length > self.0.len() as u64 {
            return None;
        }
        for _ in 0..length {
            for &kind in kinds {
                self.value(kind, depth)?;
            }
        }
        Some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn skip(&mut self, length: u64) -> Option<()> {
        self.0 = self.0.get(usize::try_from(length).ok()?..)?;
        Some(())
    }

    /// A number of up to ten bytes with seven bits each, lowest first.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for place in 0..10 {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

/// Decodes zigzag numbers: 0, -1, 1, -2, 2, …
fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_page_header_tells_its_sizes() {
        // Type 0, 10 bytes unpacked, 70 packed, and a nested structure.
        let bytes = [0x15, 0, 0x15, 20, 0x15, 140, 1, 0x2c, 0x15, 8, 0, 0, 99];
        let wanted = Page {
            header: 12,
            packed: 70,
            unpacked: 10,
        };
        assert_eq!(page(&bytes), Some(wanted));
        assert_eq!(page(&bytes[..11]), None);
    }

    #[test]
    fn what_claims_more_than_is_there_is_refused() {
        let claimed = [40];
        for kind in [
            kind::TRUE,
            kind::BYTE,
            kind::DOUBLE,
            kind::LIST,
            kind::STRUCT,
        ] {
            let list = [&[0x19, 0xf0 | kind], &claimed[..], &[0, 0]].concat();
            assert!(!is_whole(&list), "{kind}");
        }
        let text = [&[0x18], &claimed[..], &[0]].concat();
        assert!(!is_whole(&text));
        assert!(!is_whole(&[0x1c; 200]));
        assert!(is_whole(&[0x19, 0x23, 1, 2, 0]));
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_through(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = is_whole(&bytes);
            if let Some(page) = page(&bytes) {
                prop_assert!((1..=bytes.len()).contains(&page.header));
            }
        }
    }
}
