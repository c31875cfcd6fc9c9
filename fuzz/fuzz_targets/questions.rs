//! Files of questions in every layout. The first byte names the layout.
#![no_main]

#[path = "../readers/questions.rs"]
mod questions;

libfuzzer_sys::fuzz_target!(|data: &[u8]| questions::read(data));
