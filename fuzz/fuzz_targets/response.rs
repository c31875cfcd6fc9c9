//! The bytes that a server sends, from the status line to the options' scores. The first byte
//! says in what pieces they arrive.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sureness_scorers::http::fuzzing::response(data));
