//! Integration tests of the store: each run, reuse, merge and import is read back.

mod import;
mod merge;
mod orders;
mod progress;
mod resume;
mod reuse;
