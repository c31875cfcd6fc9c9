//! The backends from outside, in one binary.

mod http;
#[cfg(feature = "llama")]
mod llama;
#[cfg(feature = "llama")]
mod llama_words;
mod replay;

use std::path::{Path, PathBuf};

/// The folder of published data, or `None` with a message where it is absent. CI has it.
fn shared() -> Option<PathBuf> {
    let beside = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    let path = std::env::var_os("SURENESS_SHARED").map_or_else(|| beside.to_owned(), PathBuf::from);
    if path.is_dir() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "../shared is missing");
    println!("skipped: ../shared is missing");
    None
}
