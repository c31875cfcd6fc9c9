//! What the fuzz target `template` has gathered.

use std::path::Path;

#[path = "../../../../fuzz/readers/template.rs"]
mod template;

#[test]
fn the_fuzzer_s_corpus_is_read_as_it_should_be() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/template");
    let files: Vec<_> = std::fs::read_dir(corpus).unwrap().collect();
    assert!(files.len() > 5);
    for file in files {
        template::read(&std::fs::read(file.unwrap().path()).unwrap());
    }
}
