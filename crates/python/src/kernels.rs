//! llama.cpp's kernels in a portable wheel.

use std::path::Path;

use pyo3::prelude::*;

/// Tells llama.cpp of the folder `lib` beside this module: the program that runs is Python.
pub(crate) fn find(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let file = module.filename()?.to_string();
    if let Some(folder) = Path::new(&file).parent() {
        sureness_scorers::llama::kernels::look_in(folder.join("lib"));
    }
    Ok(())
}
