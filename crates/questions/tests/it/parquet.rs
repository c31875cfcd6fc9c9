//! Parquet, compression, shards and splits.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use proptest::prelude::*;
use sureness_hint::Hint;
use sureness_questions::{Format, Layout, LoadOptions, Split, files};
use sureness_testkit::says;

use crate::common::{Plain, data, load, plain};

fn fixture(name: &str) -> Vec<u8> {
    fs::read(data("layouts").join(name)).unwrap()
}

fn message(folder: &Path) -> String {
    let error = load(folder, &plain("own")).unwrap_err();
    format!("{error}\nhint: {}", error.hint())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn zstandard(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn texts(read: &Plain) -> Vec<&str> {
    let rows = read.questions.iter().chain(&read.examples);
    rows.map(|question| question.stem.as_str()).collect()
}

#[test]
fn packed_text_is_read_whatever_its_name() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("own.jsonl", "own.jsonl"),
        ("own.csv", "own.csv"),
        ("paper.json", "paper.json"),
    ] {
        let text = fs::read(data(bytes)).unwrap();
        let expected = load(&data(name), &plain("own")).unwrap();
        // Two parts one after the other are one text.
        let (begin, end) = text.split_at(text.len() / 2);
        let parts = [gzip(begin), gzip(end)].concat();
        for packed in [gzip(&text), zstandard(&text), parts] {
            let path = folder.path().join("rows");
            fs::write(&path, &packed).unwrap();
            let read = load(&path, &plain("own")).unwrap();
            assert_eq!(read.questions, expected.questions, "{name}");
            assert_eq!(read.examples, expected.examples, "{name}");
            for cut in [packed.len() / 2, packed.len() - 1] {
                fs::write(&path, &packed[..cut]).unwrap();
                let words = [path.to_str().unwrap(), "cannot unpack it", "whole"];
                says(&message(&path), &words);
            }
        }
    }
}

#[test]
fn shards_are_one_data_set() {
    let folder = tempfile::tempdir().unwrap();
    let text = String::from_utf8(fixture("piqa.jsonl")).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write(
        "part-00000-of-00002.jsonl",
        lines[..4].join("\n").as_bytes(),
    );
    write(
        "part-00001-of-00002.jsonl",
        lines[4..].join("\n").as_bytes(),
    );
    write("README.md", b"no data");
    write("dataset_info.json", b"{}");
    let whole = load(&data("layouts/piqa.jsonl"), &plain("own")).unwrap();
    let pattern = folder.path().join("part-*-of-*.json?");
    for path in [folder.path(), &pattern] {
        let read = load(path, &plain("own")).unwrap();
        assert_eq!(read.questions, whole.questions);
        assert_eq!(read.examples, whole.examples);
    }

    write(
        "part-00001-of-00002.jsonl",
        br#"{"goal": "x", "sol1": "a", "sol2": "b", "label": 3}"#,
    );
    let words = [
        "part-00001-of-00002.jsonl, line 1, field \"label\"",
        "\"0\", \"1\"",
    ];
    says(&message(folder.path()), &words);

    fs::remove_file(folder.path().join("part-00001-of-00002.jsonl")).unwrap();
    write(
        "part-00002-of-00002.jsonl",
        lines[4..].join("\n").as_bytes(),
    );
    says(
        &message(folder.path()),
        &["part-00001-of-00002.jsonl: the file is missing", "download"],
    );
}

#[test]
fn a_shard_that_is_cut_off_or_of_another_layout_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fixture("mmlu-hub.parquet");
    fs::write(folder.path().join("a.parquet"), &whole).unwrap();
    fs::write(folder.path().join("b.parquet"), &whole[..whole.len() - 9]).unwrap();
    says(
        &message(folder.path()),
        &["b.parquet: the Parquet file is cut off", "whole"],
    );

    fs::write(folder.path().join("b.parquet"), fixture("piqa.parquet")).unwrap();
    says(
        &message(folder.path()),
        &[
            "b.parquet, row 1: has the layout piqa",
            "a.parquet has mmlu-hub",
            "pattern",
        ],
    );
    says(
        &message(&folder.path().join("*.csv")),
        &["no files of questions"],
    );
}

#[test]
fn one_split_is_asked_and_another_shown() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("data");
    fs::create_dir(&inner).unwrap();
    let layout = Layout::by_name("mmlu-hub").unwrap();
    let whole = fixture("mmlu-hub.jsonl");
    let text = String::from_utf8(whole).unwrap();
    let lines: Vec<_> = text.lines().collect();
    fs::write(
        inner.join("test-00000-of-00001.jsonl"),
        lines[..7].join("\n"),
    )
    .unwrap();
    // One row is asked as well.
    fs::write(
        inner.join("dev-00000-of-00001.jsonl"),
        lines[6..].join("\n"),
    )
    .unwrap();
    fs::write(inner.join("validation.jsonl"), lines[..1].join("\n")).unwrap();
    for path in [folder.path().to_owned(), inner.clone(), inner.join("*")] {
        let options = LoadOptions {
            format: Some(Format::Public(layout)),
            ..plain("qa")
        };
        let read = load(&path, &options).unwrap();
        assert_eq!(read.questions.len(), 7);
        assert_eq!(read.examples.len(), 3);
        assert_eq!(texts(&read).len(), 10);
        let found = files(&path, options.format).unwrap();
        assert_eq!(found.split, Some(Split::Test));
        assert_eq!(found.others, [inner.join("validation.jsonl")]);
    }
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("test.jsonl"), &text).unwrap();
    says(
        &message(folder.path()),
        &["several data sets: \"data\", \"other\"", "name one"],
    );
}

#[test]
fn an_answer_out_of_range_is_named_with_its_row_and_column() {
    let rows = data("layouts/out_of_range.parquet");
    let error = load(&rows, &plain("own")).unwrap_err();
    assert_eq!((error.line, error.row), (None, Some(9812)));
    says(
        &format!("{error}\n{}", error.hint()),
        &[
            "out_of_range.parquet, row 9812, field \"answer\": the answer is \"4\"",
            "letter",
        ],
    );
}

#[test]
fn a_codec_that_is_not_supported_is_named_before_the_first_row() {
    says(
        &message(&data("layouts/brotli.parquet")),
        &[
            "brotli.parquet: a column is compressed with brotli, which is not supported",
            "compression='zstd'",
        ],
    );
}

#[test]
fn a_doubled_key_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.jsonl");
    let row = r#"{"question": "q", "options": ["a", "b"], "answer": 0}"#;
    for doubled in [
        row.replace("\"answer\": 0", "\"answer\": 0, \"answer\": 1"),
        row.replace(
            "[\"a\", \"b\"]",
            "{\"A\": \"a\", \"B\": \"b\", \"A\": \"c\"}",
        ),
    ] {
        for text in [format!("{row}\n{doubled}"), format!("[{row},\n{doubled}]")] {
            fs::write(&path, text).unwrap();
            says(
                &message(&path),
                &["line 2: the key \"", "occurs twice", "keep one"],
            );
        }
    }
}

#[test]
fn mmlu_of_the_hub_is_mmlu() {
    let [hub, csv] = ["mmlu_hub", "mmlu"].map(|name| load(&data(name), &plain("qa")).unwrap());
    assert_eq!(hub.questions, csv.questions);
    assert_eq!(hub.examples, csv.examples);
    assert!(!csv.examples.is_empty());
}

#[test]
fn a_context_that_no_prompt_shows_is_named() {
    let path = data("layouts/race.parquet");
    let unread = |task: &str| {
        let read = sureness_questions::load(&path, &plain(task)).unwrap();
        read.unread.names().contains(&"context".to_owned())
    };
    assert_eq!((unread("qa"), unread("rc")), (true, false));
}

#[test]
fn a_set_that_abstains_by_itself_gets_no_further_option() {
    let options = LoadOptions {
        abstention: true,
        ..plain("rc")
    };
    for (name, count) in [("bbq", 3), ("social-iqa", 5)] {
        let path = data(&format!("layouts/{name}.parquet"));
        let read = load(&path, &options).unwrap();
        assert!(read.questions.iter().all(|row| row.options.len() == count));
    }
}

#[test]
fn real_mmlu_as_parquet_is_mmlu() {
    let Some(csv) = sureness_testkit::shared("datasets/mmlu") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for split in ["dev", "test"] {
        let mut lines = String::new();
        let mut paths: Vec<_> = fs::read_dir(csv.join(split)).unwrap().collect();
        paths.sort_by_key(|path| path.as_ref().unwrap().path());
        for path in paths {
            let path = path.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            let subject = name.strip_suffix(&format!("_{split}")).unwrap();
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .from_path(&path)
                .unwrap();
            for row in reader.records() {
                let row = row.unwrap();
                let answer = b"ABCD"
                    .iter()
                    .position(|letter| row[5].as_bytes() == [*letter]);
                let row = serde_json::json!({
                    "question": &row[0], "subject": subject,
                    "choices": [&row[1], &row[2], &row[3], &row[4]], "answer": answer.unwrap(),
                });
                lines += &format!("{row}\n");
            }
        }
        fs::write(
            folder.path().join(format!("{split}.jsonl.zst")),
            zstandard(lines.as_bytes()),
        )
        .unwrap();
    }
    let options = LoadOptions {
        format: Format::by_name("mmlu-hub"),
        ..plain("qa")
    };
    let [hub, csv] = [(folder.path(), options), (&csv, plain("qa"))]
        .map(|(path, options)| load(path, &options).unwrap());
    assert!(hub.questions == csv.questions, "ids, contents and order");
    assert!(hub.examples == csv.examples);
}

#[test]
fn parquet_that_is_cut_off_anywhere_is_an_error() {
    let whole = fixture("arc.parquet");
    for length in (4..whole.len()).step_by(7) {
        let cut = whole[..length].to_vec();
        sureness_questions::load_bytes("x".as_ref(), cut, &plain("own")).unwrap_err();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn damaged_parquet_never_panics(
        name in prop::sample::select(vec!["arc", "truthfulqa", "medqa", "pubmedqa"]),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = fixture(&format!("{name}.parquet"));
        for (index, byte) in edits {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(read) = sureness_questions::load_bytes("x".as_ref(), bytes, &plain("own")) {
            let rows = read.questions.to_vec().unwrap();
            prop_assert!(rows.iter().all(|row| row.right.last() < row.options.len()));
        }
    }
}

#[test]
fn shards_of_two_versions_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let text = String::from_utf8(fixture("piqa.jsonl")).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let write = |name: &str| fs::write(folder.path().join(name), lines.join("\n")).unwrap();
    let remove = |name: &str| fs::remove_file(folder.path().join(name)).unwrap();
    write("test-00000-of-00001.jsonl");
    write("test-00000-of-00002.jsonl");
    write("test-00001-of-00002.jsonl");
    let words = [
        "test-00000-of-00002.jsonl: is one of 2 files",
        "test-00000-of-00001.jsonl is one of 1",
        "two versions",
        "with a pattern",
    ];
    says(&message(folder.path()), &words);
    let pattern = folder.path().join("test-*-of-00002.jsonl");
    assert!(load(&pattern, &plain("own")).is_ok());

    remove("test-00000-of-00001.jsonl");
    write("test-00000-of-00002-0a1b.jsonl");
    let words = ["test-00000-of-00002.jsonl: has the same number as", "-0a1b"];
    says(&message(folder.path()), &words);

    // Some writers put a hash into each name, and some count from 1.
    remove("test-00000-of-00002.jsonl");
    assert!(load(folder.path(), &plain("own")).is_ok());
    remove("test-00000-of-00002-0a1b.jsonl");
    write("test-00002-of-00002.jsonl");
    assert!(load(folder.path(), &plain("own")).is_ok());
    write("test-00000-of-00002.jsonl");
    let words = ["test-00002-of-00002.jsonl: has the number 2", "2 files"];
    says(&message(folder.path()), &words);
}
