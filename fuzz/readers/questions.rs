//! Shared by the fuzz target and by the test that replays its corpus.

use std::path::Path;

use sureness_hint::Hint;
use sureness_questions::{Format, LoadOptions, Task, answers, load_bytes};

/// Reads `input` in the layout that its first byte names: `0` to `8` as in [`Format::ALL`], `9`
/// for an answer key, anything else for the layout that the content shows.
pub(crate) fn read(input: &[u8]) {
    let Some((layout, bytes)) = input.split_first() else {
        return;
    };
    let path = Path::new("x");
    if *layout == b'9' {
        if let Err(error) = answers::read_bytes(path, bytes.to_vec()) {
            assert!(!error.to_string().is_empty());
        }
        return;
    }
    let place = usize::from(layout.wrapping_sub(b'0'));
    let options = LoadOptions {
        format: Format::ALL.get(place).copied(),
        ..LoadOptions::new(Task::custom("x"))
    };
    match load_bytes(path, bytes.to_vec(), &options) {
        Ok(data) => {
            let asked = data.questions.to_vec().unwrap();
            for question in asked.iter().chain(&data.examples) {
                assert!(question.right.last() < question.options.len());
            }
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            let _ = error.hint();
        }
    }
}
