//! What the integration tests share.

use std::path::PathBuf;

/// The folder of shared test material, or nothing, said aloud, where it is absent. CI has it.
pub(crate) fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("SURENESS_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "../shared is not here, and CI must have it"
    );
    eprintln!("skipped: ../shared is not here");
    None
}
