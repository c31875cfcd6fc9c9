//! The body of an answer, read for every route and every way of asking.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sureness_scorers::http::fuzzing::answer(data));
