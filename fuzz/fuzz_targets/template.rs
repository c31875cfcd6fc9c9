//! Chat templates: compiled, then rendered around a prompt.
#![no_main]

#[path = "../readers/template.rs"]
mod template;

libfuzzer_sys::fuzz_target!(|data: &[u8]| template::read(data));
