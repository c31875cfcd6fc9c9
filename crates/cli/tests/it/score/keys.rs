//! Whether the answer key belongs to the logits, and which rows are left out of both.

use super::{Case, jsonl, key, key_args, refused, says, score, scored, shared};

/// What a command that succeeds says on stderr.
fn warnings(case: &Case, args: impl IntoIterator<Item = String>) -> String {
    let output = score(case.path(), args);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    stderr
}

#[test]
fn a_key_named_after_another_data_set_is_refused_unless_insisted_on() {
    let case = Case::new();
    let rows = jsonl(0..40, 6);
    case.write("m_emotion_10k_4_base_icl1.jsonl", &rows);
    case.write(
        "mmlu_10k.json",
        &key(0..40, |id| ["A", "B", "C", "D"][id % 4]),
    );
    let line = "--questions mmlu_10k.json --drop-ids none --logits m_emotion_10k_4_base_icl1.jsonl";
    let stderr = refused(case.path(), line.split(' '));
    says(
        &stderr,
        &[
            "m_emotion_10k_4_base_icl1.jsonl: these are logits of emotion_10k_4",
            "mmlu_10k.json has the answers of mmlu_10k",
            "hint: ",
            "--any-questions",
        ],
    );
    let insisted = format!("{line} --any-questions --output json");
    assert!(scored(case.path(), insisted.split(' ')).contains("\"files\""));

    // A file without a telling name, whose questions name their source.
    let named = key(0..40, |id| ["A", "B", "C", "D"][id % 4]);
    case.write(
        "key.json",
        &named.replace("\"id\"", "\"source\": \"MMLU\", \"id\""),
    );
    let args = key_args("--logits m_emotion_10k_4_base_icl1.jsonl");
    says(
        &refused(case.path(), args),
        &["key.json has the answers of mmlu"],
    );
}

#[test]
fn published_logits_do_not_pass_under_the_key_of_another_data_set() {
    let Some(shared) = shared("") else { return };
    let folder = tempfile::tempdir().unwrap();
    let key = shared.join("paper/mmlu_10k.json");
    let logits = shared.join("datasets/emotion/logits/Llama-2-7b-hf_emotion_10k_4_base_icl1.pkl");
    let args = |flags: &str| {
        let line = format!(
            "--questions {} --logits {} {flags}",
            key.display(),
            logits.display()
        );
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    says(&refused(folder.path(), args("")), &["--any-questions"]);
    let output = score(folder.path(), args("--any-questions"));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    says(
        &stderr,
        &[
            "warning: ",
            "no more than by guessing",
            "mmlu_10k.json belongs",
        ],
    );
}

#[test]
fn accuracy_that_is_that_of_guessing_is_a_warning() {
    let case = Case::new();
    case.write("a.jsonl", &jsonl(0..40, 6));
    case.write("b.jsonl", &jsonl(0..40, 6));
    let right = key_args("--logits a.jsonl b.jsonl");
    assert!(!warnings(&case, right).contains("guessing"));
    // Answers that the letters of the questions know nothing of.
    case.write(
        "key.json",
        &key(0..40, |id| ["A", "B", "C", "D"][(id / 4) % 4]),
    );
    let stderr = warnings(&case, key_args("--logits a.jsonl b.jsonl"));
    says(
        &stderr,
        &[
            "warning: a.jsonl, like all 2 files: 25.0 % of 40 questions have the right answer",
            "check that key.json belongs to these logits",
        ],
    );
    assert_eq!(stderr.matches("warning: ").count(), 1, "{stderr}");
}

#[test]
fn ids_that_name_nothing_are_told() {
    let case = Case::new();
    case.write("m.jsonl", &jsonl(0..40, 6));
    let line = "--questions key.json --logits m.jsonl --output csv --drop-ids";
    let with = |ids: &str| {
        format!("{line} {ids}")
            .split(' ')
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let stderr = warnings(&case, with("4,999,1000"));
    says(
        &stderr,
        &["warning: --drop-ids: the ids 999, 1000 name no question of key.json"],
    );
    says(
        &warnings(&case, with("999")),
        &["the id 999 names no question"],
    );
    assert_eq!(warnings(&case, with("4")), "");
    // The default is for the paper's files and may name nothing.
    case.write("few.json", &key(10..40, |id| ["A", "B", "C", "D"][id % 4]));
    case.write("few.jsonl", &jsonl(10..40, 6));
    let line = "--questions few.json --logits few.jsonl";
    assert_eq!(warnings(&case, line.split(' ').map(str::to_owned)), "");
}

#[test]
fn a_row_that_is_left_out_may_be_broken() {
    let case = Case::new();
    let rows = jsonl(0..40, 6);
    let broken = rows.replace(
        "\"id\": 7, \"logits\": [-0.25,",
        "\"id\": 7, \"logits\": [NaN,",
    );
    assert_ne!(rows, broken);
    case.write("m.jsonl", &broken);
    says(
        &refused(case.path(), key_args("--logits m.jsonl")),
        &["m.jsonl, line 8: ", "NaN", "--drop-ids"],
    );
    let line = "--questions key.json --drop-ids 7 --output json --logits m.jsonl";
    let result = super::json(&scored(case.path(), line.split(' ')));
    let file = &result["files"][0];
    assert_eq!(
        file["n_calibration"]
            .as_u64()
            .zip(file["n_test"].as_u64())
            .map(|(a, b)| a + b),
        Some(39)
    );
}

#[test]
fn a_gap_of_forty_nats_is_no_cliff_for_aps() {
    let Some(folder) = shared("cases/aps-certain") else {
        return;
    };
    let sizes = |protocol: &str| {
        ["sure", "nearly", "third-sure", "third-nearly"].map(|name| {
            let line = format!(
                "--protocol {protocol} --questions key.json --output json --logits {name}_mmlu_base_icl1.csv"
            );
            let output = score(&folder, line.split(' '));
            let text = String::from_utf8(output.stdout).unwrap();
            let size = super::json(&text)["files"][0]["aps"]["set_size"].as_f64().unwrap();
            (size, String::from_utf8(output.stderr).unwrap())
        })
    };
    let [sure, nearly, third_sure, third_nearly] = sizes("standard").map(|(size, _)| size);
    assert_eq!((sure, nearly), (1.0, 1.0));
    assert!(
        (third_sure - third_nearly).abs() < 1e-9,
        "{third_sure} {third_nearly}"
    );
    // The published figures stay; a note says what became of them.
    let [sure, nearly, ..] = sizes("paper");
    assert_eq!((sure.0, nearly.0), (4.0, 1.0));
    says(&sure.1, &["note: sure_mmlu_base_icl1.csv: ", "APS"]);
    assert!(!nearly.1.contains("APS"), "{}", nearly.1);
}
