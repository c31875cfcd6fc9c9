//! Whatever is in a file, reading it ends with rows or with a reason: the fuzz target's corpus,
//! and changes of it.

use std::path::Path;

use proptest::prelude::*;

#[path = "../../../../fuzz/readers/imports.rs"]
mod imports;

const FORMATS: [u8; 10] = *b"lipcjohnb?";

/// The inputs in the corpus, each with its first byte.
fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/imports");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect()
}

#[test]
fn the_corpus_is_read() {
    let corpus = corpus();
    assert!(corpus.len() >= 7);
    for input in corpus {
        imports::read(&input);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes_do_no_harm(
        seed in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let corpus = corpus();
        let mut bytes = corpus[seed.index(corpus.len())].clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        imports::read(&bytes);
        bytes.truncate(cut.index(bytes.len()) + 1);
        imports::read(&bytes);
    }

    #[test]
    fn any_bytes_do_no_harm(mut bytes in prop::collection::vec(any::<u8>(), 1..300)) {
        for format in FORMATS {
            bytes[0] = format;
            imports::read(&bytes);
        }
    }
}
