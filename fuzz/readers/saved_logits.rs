//! Shared by the fuzz target and by the test that replays its corpus.

use std::path::Path;

use sureness_scorers::replay::{MAX_OPTIONS, read_bytes};

/// Reads `input` as the format that its first byte names: `c`sv, `j`sonl, par`q`uet, else a
/// pickle.
pub(crate) fn read(input: &[u8]) {
    let Some((format, bytes)) = input.split_first() else {
        return;
    };
    let name = match format {
        b'c' => "x.csv",
        b'j' => "x.jsonl",
        b'q' => "x.parquet",
        _ => "x.pkl",
    };
    match read_bytes(Path::new(name), bytes.to_vec()) {
        Ok(logits) => {
            assert!((2..=MAX_OPTIONS).contains(&logits.width));
            assert_eq!(logits.values.len(), logits.ids.len() * logits.width);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
