//! A truthful answer in one of more than a hundred dishonest shapes.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sureness_scorers::http::fuzzing::dishonest(data));
