//! Files that are known but not read, with the way out of each.

/// A file that is not read.
#[derive(Debug, PartialEq, Eq)]
pub struct Foreign {
    /// What the data is, as the end of a sentence that begins with its place.
    pub what: &'static str,
    /// What to do.
    pub hint: &'static str,
}

/// Parquet where the layout is one of text.
pub(crate) const PARQUET: Foreign = Foreign {
    what: "a Parquet file, but the layout is one of text",
    hint: "leave the layout out, or turn the file into JSON lines: python3 -c \"import pandas, sys; \
           pandas.read_parquet(sys.argv[1]).to_json(sys.argv[2], orient='records', lines=True)\" \
           FILE.parquet FILE.jsonl",
};
const PACKED_PARQUET: Foreign = Foreign {
    what: "a Parquet file that was compressed once more",
    hint: "unpack it, with `gunzip FILE` or `unzstd FILE`",
};
const ARROW: Foreign = Foreign {
    what: "an Arrow file, which is not read as questions",
    hint: "turn it into JSON lines: python3 -c \"import datasets, sys; \
           datasets.Dataset.from_file(sys.argv[1]).to_json(sys.argv[2])\" FILE.arrow FILE.jsonl",
};
const ZIP: Foreign = Foreign {
    what: "a zip archive or a spreadsheet, which is not text",
    hint: "unpack the archive, or save the spreadsheet as CSV in UTF-8; of a log of Inspect, make \
           JSON: inspect log dump FILE.eval > FILE.json, or name one log alone",
};

/// What a file is that begins with these bytes, if it is not text.
pub(crate) fn of_bytes(begin: &[u8]) -> Option<&'static Foreign> {
    let known: [(&[u8], &'static Foreign); 3] = [
        (b"PAR1", &PACKED_PARQUET),
        (b"ARROW1", &ARROW),
        (b"PK\x03\x04", &ZIP),
    ];
    known
        .into_iter()
        .find_map(|(magic, foreign)| begin.starts_with(magic).then_some(foreign))
}
