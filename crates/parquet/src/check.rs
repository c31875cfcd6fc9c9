//! Checks what the `parquet` crate trusts.

use parquet::basic::Compression;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};

use crate::{Error, MAGIC, thrift};

/// The largest uncompressed page. Writers end a page after about a megabyte.
const MAX_PAGE: u64 = 64 << 20;
/// The most values that a row of a list may have on average.
const MAX_VALUES: i64 = 10_000;
/// How much of a page is read at first to find its header, and at most.
const HEADER: usize = 4 << 10;
const MAX_HEADER: usize = 16 << 20;

/// Checks the footer (see [`thrift`]). The library itself rejects files of other formats.
pub(crate) fn footer<R: ChunkReader>(source: &R) -> Result<(), Error> {
    let size = source.len();
    let Some(end) = size.checked_sub(8) else {
        return Err(Error::CutOff);
    };
    let tail = source.get_bytes(end, 8)?;
    let (length, magic) = tail.split_at(4);
    if magic != MAGIC {
        let begins = source.get_bytes(0, MAGIC.len())?.starts_with(MAGIC);
        return if begins { Err(Error::CutOff) } else { Ok(()) };
    }
    let length = length.first_chunk().copied().map_or(0, u32::from_le_bytes);
    let Some(start) = end.checked_sub(u64::from(length)) else {
        return Ok(());
    };
    if thrift::is_whole(&source.get_bytes(start, length as usize)?) {
        return Ok(());
    }
    Err(Error::Damaged("its footer"))
}

/// Checks the headers and the compression of the needed pages, and the number of values before any is decoded, since it
/// may be far larger than the file.
pub(crate) fn pages<R: ChunkReader + 'static>(
    reader: &SerializedFileReader<R>,
    wanted: &impl Fn(&str) -> bool,
    source: &R,
) -> Result<(), Error> {
    for group in reader.metadata().row_groups() {
        check_group(group, wanted, source)?;
    }
    Ok(())
}

fn check_group<R: ChunkReader>(
    group: &RowGroupMetaData,
    wanted: &impl Fn(&str) -> bool,
    source: &R,
) -> Result<(), Error> {
    let most = group.num_rows().max(1).saturating_mul(MAX_VALUES);
    for column in group.columns() {
        let root = column.column_path().parts().first();
        let Some(root) = root.filter(|root| wanted(root)) else {
            continue;
        };
        if column.num_values() > most {
            return Err(Error::TooManyValues {
                column: root.clone(),
                most: MAX_VALUES,
            });
        }
        match column.compression() {
            Compression::BROTLI(_) => return Err(Error::Codec("brotli")),
            Compression::LZO => return Err(Error::Codec("LZO")),
            _ => {}
        }
        let (mut at, length) = column.byte_range();
        let end = at.saturating_add(length);
        if end > source.len() {
            return Err(Error::Damaged("a column"));
        }
        while at < end {
            let page = header(source, at, end)?.ok_or(Error::Damaged("a page"))?;
            if page.unpacked > MAX_PAGE {
                return Err(Error::Damaged("the size of a page"));
            }
            at = at
                .saturating_add(page.header as u64)
                .saturating_add(page.packed);
            if at > end {
                return Err(Error::Damaged("a page"));
            }
        }
    }
    Ok(())
}

/// The page that begins at `at`, of a column that ends at `end`.
fn header<R: ChunkReader>(source: &R, at: u64, end: u64) -> Result<Option<thrift::Page>, Error> {
    let left = usize::try_from(end - at).unwrap_or(usize::MAX);
    let mut length = HEADER;
    loop {
        let bytes = source.get_bytes(at, length.min(left))?;
        let page = thrift::page(&bytes);
        if page.is_some() || length >= left || length >= MAX_HEADER {
            return Ok(page);
        }
        length *= 16;
    }
}
