//! Evaluations from elsewhere. The first byte names the format.
#![no_main]

#[path = "../readers/imports.rs"]
mod imports;

libfuzzer_sys::fuzz_target!(|data: &[u8]| imports::read(data));
