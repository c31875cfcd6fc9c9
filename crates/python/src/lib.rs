#![doc = include_str!("../README.md")]

mod arrays;
mod arrow;
mod block;
mod classifier;
mod command;
mod document;
mod evidence;
mod import;
#[cfg(feature = "portable")]
mod kernels;
mod questions;
mod reader;
mod refusal;
mod run;
mod selective;
mod sequence;
mod settings;
mod threads;

use pyo3::prelude::*;

/// The native half of the package; see `python/sureness`.
#[pymodule]
mod _sureness {
    #[pymodule_export]
    use crate::arrays::softmax;
    #[pymodule_export]
    use crate::classifier::{sets, threshold};
    #[pymodule_export]
    use crate::command::main;
    #[pymodule_export]
    use crate::document::{chart, render};
    #[pymodule_export]
    use crate::evidence::Evidence;
    #[pymodule_export]
    use crate::import::import_files;
    #[pymodule_export]
    use crate::questions::Questions;
    #[pymodule_export]
    use crate::run::run;
    #[pymodule_export]
    use crate::selective::{answer_threshold, answers};
    #[pymodule_export]
    use crate::sequence::sequence;

    use super::{Bound, PyModule, PyModuleMethods, PyResult};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::threads::loaded();
        #[cfg(feature = "portable")]
        crate::kernels::find(module)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
