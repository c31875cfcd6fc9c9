//! Saved logits: published files, files written by Python, and malicious ones in `hostile`.

mod corpus;
mod hostile;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sureness_hint::Hint;
use sureness_scorers::replay::{self, Kind, RecordedLogits, ReplayError};

const IDS: [i64; 5] = [0, 7, 300, 70_000, -2];
const ROWS: [[f32; 3]; 5] = [
    [1.5, -0.25, 10.0],
    [92.0, 2.0, 0.0],
    [-7.0, 0.5, 1024.0],
    [3.0, 13.0, -92.0],
    [-0.0625, 255.0, 128.0],
];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(format!("replay_{name}"))
}

fn read_as(extension: &str, contents: &[u8]) -> Result<RecordedLogits, ReplayError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("saved.{extension}"));
    fs::write(&path, contents).unwrap();
    replay::read(&path)
}

fn pickle(contents: &[u8]) -> Result<RecordedLogits, ReplayError> {
    read_as("pkl", contents)
}

/// The message without the file's name.
fn message(result: Result<RecordedLogits, ReplayError>) -> String {
    let error = result.expect_err("this must be refused");
    assert!(!error.hint().is_empty());
    let whole = error.to_string();
    let bare = whole.trim_start_matches(&*error.file.to_string_lossy());
    let bare = bare.strip_prefix(", ").or_else(|| bare.strip_prefix(": "));
    bare.unwrap_or_else(|| panic!("{whole}")).to_owned()
}

#[track_caller]
fn assert_rows(read: &RecordedLogits) {
    assert_eq!(read.ids, IDS);
    assert_eq!(read.width, 3);
    for (index, row) in ROWS.iter().enumerate() {
        assert_eq!(read.row(index), row, "row {index}");
    }
    assert_eq!(read.kind, Kind::Logits);
    assert_eq!(read.values64, None, "every value fits 32 bits");
}

/// FNV-1a over ids and values, as an independent reader computed it.
fn checksum(read: &RecordedLogits) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bytes: &[u8]| {
        for &byte in bytes {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for (index, id) in read.ids.iter().enumerate() {
        add(&id.to_le_bytes());
        for value in read.row(index) {
            add(&value.to_le_bytes());
        }
    }
    hash
}

/// Checksums of the published files, computed with Python's pickle and numpy.
const REAL: [(&str, u64); 24] = [
    (
        "Llama-2-7b-hf_emotion_10k_4_base_icl0",
        0x7069_157d_8f9e_08b5,
    ),
    (
        "Llama-2-7b-hf_emotion_10k_4_base_icl1",
        0x0c18_8021_ada3_8d9b,
    ),
    (
        "Llama-2-7b-hf_emotion_10k_4_shared_icl0",
        0xd661_2d69_5a4c_0d3a,
    ),
    (
        "Llama-2-7b-hf_emotion_10k_4_shared_icl1",
        0xf325_b462_f170_0131,
    ),
    (
        "Llama-2-7b-hf_emotion_10k_4_task_icl0",
        0x8790_87bd_7795_cf66,
    ),
    (
        "Llama-2-7b-hf_emotion_10k_4_task_icl1",
        0xa694_9074_1e04_403c,
    ),
    ("Qwen-7B_emotion_10k_4_base_icl0", 0x8f80_4648_a4c1_efba),
    ("Qwen-7B_emotion_10k_4_base_icl1", 0x669d_283b_90ca_b239),
    ("Qwen-7B_emotion_10k_4_shared_icl0", 0xb859_58bf_e92e_8ca3),
    ("Qwen-7B_emotion_10k_4_shared_icl1", 0x4e3d_e3d3_6c0a_ed75),
    ("Qwen-7B_emotion_10k_4_task_icl0", 0x34fc_6620_f4d0_63bf),
    ("Qwen-7B_emotion_10k_4_task_icl1", 0x2ae4_25d0_3c6d_02a3),
    ("Llama-2-7b-hf_mmlu_10k_base_icl1", 0x6599_e44f_5b47_4999),
    ("Llama-2-7b-hf_mmlu_10k_shared_icl1", 0xa41d_062f_a69c_8925),
    ("Llama-2-7b-hf_mmlu_10k_task_icl1", 0x62cb_7058_a9bb_b3ae),
    ("Yi-34B_mmlu_10k_base_icl1", 0x92c5_3ae1_94b1_5916),
    ("Yi-34B_mmlu_10k_shared_icl1", 0x3ebc_70d6_67a5_a5d7),
    ("Yi-34B_mmlu_10k_task_icl1", 0x9d74_526a_6eba_3b9b),
    ("falcon-7b_mmlu_10k_base_icl1", 0x5d81_2d15_c9b0_407d),
    ("falcon-7b_mmlu_10k_shared_icl1", 0x65e7_e453_f2b0_4c5a),
    ("falcon-7b_mmlu_10k_task_icl1", 0xaf66_372a_b9f7_b5f5),
    ("internlm-7b_mmlu_10k_base_icl1", 0x8b68_1041_e5cb_9de4),
    ("internlm-7b_mmlu_10k_shared_icl1", 0x5121_3c39_f453_94c6),
    ("internlm-7b_mmlu_10k_task_icl1", 0xac83_d7b2_ac49_154b),
];

#[test]
fn real_files_are_read_as_python_reads_them() {
    let Some(shared) = crate::shared() else {
        return;
    };
    for (stem, expected) in REAL {
        let folder = if stem.contains("emotion") {
            "datasets/emotion/logits"
        } else {
            "paper/logits"
        };
        let read = replay::read(&shared.join(folder).join(format!("{stem}.pkl"))).unwrap();
        assert_eq!((read.ids.len(), read.width), (10_000, 6), "{stem}");
        assert_eq!((read.kind, &read.values64), (Kind::Logits, &None), "{stem}");
        assert_eq!(checksum(&read), expected, "{stem}");
        if stem == "Yi-34B_mmlu_10k_base_icl1" {
            assert_eq!(read.row(0), [24.125, 17.625, 18.0, 17.75, 17.375, 16.375]);
        }
    }
}

#[test]
fn every_protocol_of_current_python_and_numpy() {
    for protocol in 0..6 {
        for style in ["f4", "f8_big_endian", "list", "scalars"] {
            let name = format!("{style}_protocol{protocol}.pkl");
            let read = replay::read(&fixture(&name)).unwrap_or_else(|error| panic!("{error}"));
            assert_rows(&read);
        }
    }
}

#[test]
fn other_ways_to_write_the_rows() {
    for name in [
        "f2.pkl",
        "f2_big_endian.pkl",
        "tuples.pkl",
        "optional_fields.pkl",
        "list.parquet",
        "columns.parquet",
    ] {
        let read = replay::read(&fixture(name)).unwrap_or_else(|error| panic!("{error}"));
        assert_rows(&read);
    }
}

#[test]
fn whole_number_arrays_become_floats() {
    for dtype in ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"] {
        let read = replay::read(&fixture(&format!("{dtype}_array.pkl"))).unwrap();
        assert_eq!(read.ids, [0, 1, 2]);
        assert_eq!(read.row(2), [2.0, 98.0, 127.0], "{dtype}");
    }
}

#[test]
fn doubles_are_kept_beside_their_rounding() {
    let read = replay::read(&fixture("logprobs.pkl")).unwrap();
    assert_eq!(read.kind, Kind::LogProbs);
    let expected = [0.5_f64.ln(), 0.25_f64.ln(), 0.2_f64.ln()];
    assert_eq!(read.values64.as_ref().unwrap()[3..], expected);
    assert_eq!(read.row(1), expected.map(|value| value as f32));
}

#[test]
fn arrays_that_are_not_a_row_of_numbers() {
    let message = |name: &str| message(replay::read(&fixture(name)));
    assert_eq!(
        message("matrix.pkl"),
        "row 1: field `logits_options` is an array of shape (1, 3), not of one dimension"
    );
    assert!(message("object_array.pkl").contains("the numpy type `O8`"));
    assert_eq!(message("null_id.parquet"), "row 2: field `id` is empty");
    assert_eq!(
        message("null_value.parquet"),
        "row 2: field `logits` is empty"
    );
    assert!(message("long_list.parquet").contains("there are 200000 values"));
}

#[test]
fn rows_that_do_not_fit() {
    let cases = [
        (
            "{\"id\":1,\"logits\":[1,2]}\n\n{\"id\":2,\"logits\":[1,2,3]}",
            "line 3: there are 3 values, but the rows before have 2",
        ),
        (
            "{\"id\":1,\"logits\":[1]}",
            "line 1: there is 1 value, but a question has 2 to 26 options",
        ),
        (
            "{\"id\":2,\"logits\":[1,2]}\n{\"id\":1,\"logits\":[1,2]}\n{\"id\":2,\"logits\":[1,2]}",
            "line 3: id 2 occurs a second time",
        ),
        (
            "{\"id\":1,\"logits\":[1,2]}\n{\"id\":2,\"logprobs\":[-1,-2]}",
            "line 2: logits and log-probabilities are mixed",
        ),
        (
            "{\"id\":1,\"logits\":[1,2],\"logprobs\":[-1,-2]}",
            "line 1: columns `logits` and `logprobs` both hold scores of an option",
        ),
        (
            "{\"id\":1,\"logprobs\":[-1,0.5]}",
            "line 1: value 2 is 0.5, but a log-probability is never above 0",
        ),
        (
            "{\"id\":1,\"logits\":[1,1e39]}",
            "line 1: value 2 is 1e39, not a finite 32-bit number",
        ),
        ("{\"logits\":[1,2]}", "line 1: field `id` is missing"),
        (
            "{\"id\":\"7\",\"logits\":[1,2]}",
            "line 1: field `id` is a string, not a whole number",
        ),
        (
            "{\"id\":7.5,\"logits\":[1,2]}",
            "line 1: field `id` is a fraction, not a whole number",
        ),
        ("{\"id\":7}", "line 1: field `logits` is missing"),
        (
            "{\"id\":7,\"logits\":{\"A\":1}}",
            "line 1: field `logits` is an object, not a list of numbers",
        ),
        (
            "{\"id\":7,\"logits\":[1,null]}",
            "line 1: field `logits` has null as value 2, not a number",
        ),
        (
            "[1,2]",
            "line 1: expected an object with `id` and `logits`, found a list",
        ),
        ("", "the file holds no rows"),
        ("\n \n", "the file holds no rows"),
    ];
    for (text, expected) in cases {
        assert_eq!(
            message(read_as("jsonl", text.as_bytes())),
            expected,
            "{text}"
        );
    }
    for (word, value) in [("NaN", "NaN"), ("-Infinity", "-inf")] {
        let line = format!("{{\"id\": 7, \"logits\": [1.0, {word}]}}");
        let expected = format!("line 1: value 2 is {value}, not a finite 32-bit number");
        assert_eq!(message(read_as("jsonl", line.as_bytes())), expected);
    }
    let elsewhere = b"{\"id\": 7, \"logits\": [1.0, 2.0], \"note\": NaN}";
    assert_eq!(read_as("jsonl", elsewhere).unwrap().ids, [7]);
    let broken = message(read_as("jsonl", b"{\"id\": 7, \"logits\": [1.0, 2.0"));
    assert!(broken.starts_with("line 1: not valid JSON: "), "{broken}");
}

#[test]
fn decimal_text_is_rounded_once() {
    // Halfway between two 32-bit numbers but for the last digits.
    let text = "1.00000005960464477540";
    let wide: f64 = text.parse().unwrap();
    for (extension, contents) in [
        ("jsonl", format!("{{\"id\":1,\"logits\":[{text},0.1]}}")),
        ("csv", format!("id,A,B\n1,{text},0.1\n")),
    ] {
        let read = read_as(extension, contents.as_bytes()).unwrap();
        assert_eq!(read.values64.as_deref(), Some([wide, 0.1].as_slice()));
        assert_eq!(read.row(0), [wide as f32, 0.1]);
    }
}

#[test]
fn csv_columns_and_errors() {
    let read = read_as(
        "csv",
        b"\xef\xbb\xbfB, id ,A,answer\n2,7.0,1,C\n4,8,3,\"D\"\n",
    )
    .unwrap();
    assert_eq!(
        (read.ids.as_slice(), read.kind),
        ([7, 8].as_slice(), Kind::Logits)
    );
    assert_eq!(
        (read.row(0), read.row(1)),
        ([1.0, 2.0].as_slice(), [3.0, 4.0].as_slice())
    );

    let cases = [
        (
            "A,B\n1,2\n",
            "line 1: column `id` is missing; the columns are: A, B",
        ),
        (
            "id,A,C\n1,2,3\n",
            "line 1: column `B` is missing; the columns are: id, A, C",
        ),
        ("id,A,B\n1,2,x\n", "line 2: field `B` is `x`, not a number"),
        (
            "id,A,B\n1,2,3\n2,,3\n",
            "line 3: field `A` is empty, not a number",
        ),
        (
            "id,A,B\n1.5,2,3\n",
            "line 2: field `id` is `1.5`, not a whole number",
        ),
        (
            "id,A,B\n1,2\n",
            "line 2: expected as many fields as the header has, found 2 instead of 3",
        ),
        (
            "id,A,B\n1,nan,3\n",
            "line 2: value 1 is NaN, not a finite 32-bit number",
        ),
        (
            "id,logprob_A,logprob_B\n1,-1,3\n",
            "line 2: value 2 is 3, but a log-probability is never above 0",
        ),
        ("id,A,B\n", "the file holds no rows"),
    ];
    for (text, expected) in cases {
        assert_eq!(message(read_as("csv", text.as_bytes())), expected, "{text}");
    }
}

#[test]
fn probabilities_are_not_taken_for_logits() {
    let refused = |text: &str| {
        let error = read_as("csv", text.as_bytes()).unwrap_err();
        (error.problem.to_string(), error.hint().into_owned())
    };
    let table = |header: &str, cells: &str| {
        let rows = [0, 1, 2, 3, 4].map(|id| format!("{id},{cells}\n")).concat();
        format!("{header}\n{rows}")
    };
    for cells in ["0.9,0.1", "90.04,9.96", "1,0", "0.3,0.6"] {
        let (said, hint) = refused(&table("id,A,B", cells));
        assert_eq!(said, "these are probabilities, not logits");
        assert!(hint.contains("logarithm") && hint.contains("logprob_A"));
        let (said, hint) = refused(&table("id,logprob_A,logprob_B", cells));
        assert_eq!(said, "these are probabilities, not log-probabilities");
        assert!(!hint.contains("may be logits"), "{hint}");
    }
    let (_, hint) = refused(&table("id,prob_A,prob_B", "0.9,0.1"));
    assert!(hint.contains("logarithm"), "{hint}");
    // Four rows may be chance; of six, one other row makes them logits, and of ten it does not.
    let text = table("id,A,B", "0.9,0.1");
    let four = text.trim_end().rsplit_once('\n').unwrap().0;
    assert!(read_as("csv", four.as_bytes()).is_ok());
    assert!(read_as("csv", format!("{text}9,0.9,1.2\n").as_bytes()).is_ok());
    let four = "5,0.9,0.1\n6,0.9,0.1\n7,0.9,0.1\n8,0.9,0.1\n";
    refused(&format!("{text}{four}9,0.9,1.2\n"));
}

#[test]
fn csv_may_be_separated_by_tabs_and_semicolons() {
    for separator in [";", "\t"] {
        let text = "id,A,B\n7,1,2\n8,3,4\n".replace(',', separator);
        let read = read_as("csv", text.as_bytes()).unwrap();
        assert_eq!((read.ids.as_slice(), read.width), ([7, 8].as_slice(), 2));
        assert_eq!(read.row(1), [3.0, 4.0]);
    }
}

#[test]
fn a_row_that_is_left_out_need_not_be_whole() {
    let drop = BTreeSet::from([2, 9]);
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str, contents: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, contents).unwrap();
        replay::read_without(&path, &drop)
    };
    let row = |scores: &str| format!("{{\"id\":1,\"logits\":[1,2]}}\n{{\"id\":2,{scores}}}");
    let mut files = Vec::new();
    for scores in [
        "\"logits\":[NaN,2]",
        "\"logits\":[null]",
        "\"logits\":null",
        "\"note\":-Infinity",
        "\"logits\":[1,2],\"logprobs\":[-1,-2]",
    ] {
        files.push(("x.jsonl", row(scores).into_bytes()));
    }
    for cells in ["nan,2", ",", "x,1", "1"] {
        files.push(("x.csv", format!("id,A,B\n1,1,2\n2,{cells}\n").into_bytes()));
    }
    for scores in ["Fnan\nF1.0\n", "NN", "F1.0\n"] {
        let row = |id: u8, scores: &str| format!("(dS'id'\nI{id}\nsS'logits'\n({scores}lsa");
        let text = format!("(l{}{}.", row(1, "F1.0\nF2.0\n"), row(2, scores));
        files.push(("x.pkl", text.into_bytes()));
    }
    files.push((
        "x.parquet",
        fs::read(fixture("null_value.parquet")).unwrap(),
    ));
    for (name, contents) in files {
        let text = String::from_utf8_lossy(&contents).into_owned();
        let whole = read_as(name.rsplit('.').next().unwrap(), &contents);
        assert!(whole.is_err(), "{name}: {text}");
        let read = read(name, &contents).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(read.dropped, BTreeSet::from([2]), "{text}");
        assert!(!read.ids.contains(&2), "{text}");
    }
    let twice = read("x.csv", b"id,A,B\n1,1,2\n2,1,2\n2,1,2\n").unwrap_err();
    assert!(
        twice
            .to_string()
            .ends_with("x.csv, line 4: id 2 occurs a second time"),
        "{twice}"
    );
    let none = read("x.csv", b"id,A,B\n2,1,2\n").unwrap_err();
    assert_eq!(none.problem.to_string(), "every row is left out");
    assert!(!none.hint().is_empty());
}

#[test]
fn the_file_is_named_and_unknown_kinds_are_refused() {
    let missing = replay::read(Path::new("no/such/file.pkl")).unwrap_err();
    assert!(
        missing
            .to_string()
            .starts_with("no/such/file.pkl: cannot be read: "),
        "{missing}"
    );
    assert_eq!(
        message(read_as("txt", b"hello")),
        "not a pickle, JSONL, CSV or Parquet file"
    );
    assert!(
        message(read_as("parquet", b"PAR1 but no more than that"))
            .to_lowercase()
            .contains("parquet")
    );
    // Recognised by its first bytes.
    assert_rows(&read_as("saved", &fs::read(fixture("f4_protocol4.pkl")).unwrap()).unwrap());
    assert_rows(&read_as("saved", &fs::read(fixture("list.parquet")).unwrap()).unwrap());
}

proptest! {
    #[test]
    fn whole_numbers_and_values_survive_jsonl(
        rows in prop::collection::btree_map(any::<i64>(), prop::collection::vec(-1e30..1e30_f64, 4), 1..20)
    ) {
        let text: String = rows
            .iter()
            .map(|(id, values)| serde_json::json!({"id": id, "logits": values}).to_string() + "\n")
            .collect();
        let read = read_as("jsonl", text.as_bytes()).unwrap();
        let wide = read.values64.unwrap_or_else(|| read.values.iter().copied().map(f64::from).collect());
        prop_assert_eq!(read.ids, rows.keys().copied().collect::<Vec<_>>());
        prop_assert_eq!(wide, rows.values().flatten().copied().collect::<Vec<_>>());
    }
}
