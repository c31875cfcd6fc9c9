//! The kernels of a portable build: libraries beside the program, one for each kind of processor, of
//! which llama.cpp takes the best.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use llama_cpp_2::llama_backend::load_backends_from_path;

/// Names another folder of the kernels.
const FOLDER: &str = "SURENESS_KERNELS";

/// Where a library has its kernels that is not beside the program, such as a Python package.
static BESIDE: OnceLock<PathBuf> = OnceLock::new();

/// Looks for kernels in `folder` too, before the program's own; later calls change nothing. For libraries,
/// whose program is another one's, before the first model is loaded.
pub fn look_in(folder: PathBuf) {
    BESIDE.get_or_init(|| folder);
}

/// Loads the kernels from the first folder that has some.
pub(super) fn load() {
    let program = std::env::current_exe().unwrap_or_default();
    let found = folders(&program).find(|folder| holds_kernels(folder));
    tracing::debug!(?found, "kernels of llama.cpp");
    // The binding takes no other paths.
    if let Some(folder) = found.filter(|folder| folder.to_str().is_some()) {
        load_backends_from_path(&folder);
    }
}

/// Where the packages put them: `bin/sureness` and `lib/sureness` beside each other, or in one folder.
fn folders(program: &Path) -> impl Iterator<Item = PathBuf> {
    let bin = program.parent().unwrap_or(Path::new(".")).to_owned();
    let given = std::env::var_os(FOLDER).map(PathBuf::from);
    let beside = BESIDE.get().cloned();
    given
        .into_iter()
        .chain(beside)
        .chain([bin.join("../lib/sureness"), bin])
}

fn holds_kernels(folder: &Path) -> bool {
    let mut files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.any(|file| file.file_name().to_string_lossy().contains("ggml-cpu"))
}
