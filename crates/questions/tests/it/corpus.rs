//! What the fuzz target `questions` has gathered.

use std::path::Path;

#[path = "../../../../fuzz/readers/questions.rs"]
mod questions;

#[test]
fn the_fuzzer_s_corpus_is_read_as_it_should_be() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/questions");
    let files: Vec<_> = std::fs::read_dir(corpus).unwrap().collect();
    assert!(files.len() > 10);
    for file in files {
        questions::read(&std::fs::read(file.unwrap().path()).unwrap());
    }
}
