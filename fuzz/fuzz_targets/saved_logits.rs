//! Files of saved logits. The first byte names the format.
#![no_main]

#[path = "../readers/saved_logits.rs"]
mod saved_logits;

libfuzzer_sys::fuzz_target!(
    init: {
        // The Parquet reader catches the panics of the library below it. Without this hook's
        // silence each of them would end the fuzzing; those that nobody catches still do.
        std::panic::set_hook(Box::new(|_| {}));
    },
    |data: &[u8]| saved_logits::read(data)
);
