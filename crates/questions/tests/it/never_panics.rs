//! No bytes whatever make a reader panic.

use std::io::Write;

use crate::common::{load, load_text, one_of_each, plain};
use proptest::prelude::*;
use proptest::sample::Index;
use sureness_hint::Hint;
use sureness_questions::{Format, LoadOptions, answers};

/// Reads the bytes in each of the layouts, in the one that they seem to have, and as answer key.
fn read_every_way(formats: &[Format], bytes: &[u8]) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let named = formats.iter().copied().map(Some);
    for format in named.chain([None]) {
        let options = LoadOptions {
            format,
            abstention: true,
            ..plain("ds")
        };
        if let Err(error) = load(file.path(), &options) {
            assert!(!error.to_string().is_empty());
            let _ = error.hint();
        }
    }
    let _ = answers::read(file.path());
}

/// One change to a file.
#[derive(Debug, Clone)]
enum Change {
    Cut(Index),
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, u8),
}

fn change() -> impl Strategy<Value = Change> {
    let token = prop::sample::select(vec![
        "\"",
        ",",
        "\n",
        "\r",
        "{",
        "}",
        "[",
        "]",
        ":",
        "null",
        "\"\"",
        "-1",
        "99",
        "1e9",
        " ",
        "\u{feff}",
        "\u{e9}",
        "\0",
        "\\ud800",
        "A",
        "true",
        "{}",
        "[]",
        "NaN",
        "-Infinity",
        "\t",
        ";",
        "2.0",
    ])
    .prop_map(|token| token.as_bytes().to_vec());
    prop_oneof![
        any::<Index>().prop_map(Change::Cut),
        (any::<Index>(), any::<u8>()).prop_map(|(place, byte)| Change::Flip(place, byte)),
        (any::<Index>(), token).prop_map(|(place, token)| Change::Insert(place, token)),
        (any::<Index>(), 1_u8..30).prop_map(|(place, count)| Change::Remove(place, count)),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    if bytes.is_empty() {
        return;
    }
    match change {
        Change::Cut(place) => bytes.truncate(place.index(bytes.len())),
        Change::Flip(place, byte) => {
            let place = place.index(bytes.len());
            bytes[place] = *byte;
        }
        Change::Insert(place, token) => {
            let place = place.index(bytes.len());
            bytes.splice(place..place, token.iter().copied());
        }
        Change::Remove(place, count) => {
            let place = place.index(bytes.len());
            let end = (place + usize::from(*count)).min(bytes.len());
            bytes.drain(place..end);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_every_way(&Format::ALL, &bytes);
    }

    #[test]
    fn random_text(text in "[\\[{\"]?[ -~\n\r,\"{}:\u{e9}]{0,200}") {
        read_every_way(&Format::ALL, text.as_bytes());
    }

    #[test]
    fn changed_files(changes in prop::collection::vec(change(), 1..5)) {
        for (format, mut bytes) in one_of_each() {
            for change in &changes {
                apply(&mut bytes, change);
            }
            read_every_way(&[format], &bytes);
        }
    }
}

#[test]
fn deep_nesting_is_an_error() {
    for text in ["[".repeat(100_000), "{\"a\":".repeat(100_000)] {
        for format in Format::ALL {
            read_every_way(&[format], text.as_bytes());
            let options = LoadOptions {
                format: Some(format),
                ..plain("qa")
            };
            assert!(load_text("x", &text, &options).is_err());
        }
    }
}
