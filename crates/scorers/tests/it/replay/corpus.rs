//! The corpus of the fuzz target `saved_logits`.

use std::path::Path;

#[path = "../../../../../fuzz/readers/saved_logits.rs"]
mod saved_logits;

#[test]
fn the_fuzzer_s_corpus_is_read_as_it_should_be() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/saved_logits");
    let files: Vec<_> = std::fs::read_dir(corpus).unwrap().collect();
    assert!(files.len() > 10);
    for file in files {
        saved_logits::read(&std::fs::read(file.unwrap().path()).unwrap());
    }
}
