//! Runs `sureness data`, each test with its own home folder.

use assert_cmd::Command;
use assert_cmd::assert::Assert;
use predicates::prelude::*;
use predicates::str::contains;
use tempfile::TempDir;

const CSV: &str = "id,category,question,A,B,answer\n\
                   1,x,Is water wet?,yes,no,A\n\
                   2,x,Is fire cold?,yes,no,B\n\
                   3,y,Is ice warm?,yes,no,B\n\
                   4,y,Is snow white?,yes,no,A\n";

struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn data(&self, arguments: &[&str]) -> Assert {
        Command::new(assert_cmd::cargo::cargo_bin!("sureness"))
            .env("SURENESS_HOME", self.0.path())
            .current_dir(self.0.path())
            .arg("data")
            .args(arguments)
            .assert()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.0.path().join(name), content).unwrap();
    }

    fn kept(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path().join("data"))
            .into_iter()
            .flatten();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.path().join("data").join(name)).unwrap()
    }
}

/// A shared data set, if present.
fn shared(name: &str) -> Option<String> {
    let path = sureness_testkit::shared(&format!("datasets/{name}"))?;
    Some(path.to_str().unwrap().to_owned())
}

#[test]
fn a_fresh_machine_asks_the_built_in_pack() {
    let home = Home::new();
    let list = home.data(&["list"]).success();
    let text = String::from_utf8(list.get_output().stdout.clone()).unwrap();
    for task in ["qa ", "rc ", "ci ", "drs ", "ds "] {
        let line = text.lines().find(|line| line.starts_with(task)).unwrap();
        assert!(line.ends_with("built-in pack"), "{line}");
    }
    assert_eq!(home.kept(), [""; 0]);
}

#[test]
fn own_questions_come_and_go() {
    let home = Home::new();
    home.write("wet.csv", CSV);
    home.write(
        "shown.jsonl",
        "{\"question\":\"Is it?\",\"options\":[\"yes\",\"no\"],\"answer\":0}\n",
    );
    home.data(&["import", "Wet", "wet.csv", "--examples", "shown.jsonl"])
        .success()
        .stdout("")
        .stderr(contains("task wet").and(contains("4 questions, 1 few-shot example\n")))
        .stderr(contains("sureness run --tasks wet"));
    assert_eq!(home.kept(), ["wet.json", "wet.jsonl"]);

    let origin: serde_json::Value = serde_json::from_str(&home.read("wet.json")).unwrap();
    assert_eq!(origin["source"], "wet.csv");
    assert_eq!(origin["examples_source"], "shown.jsonl");
    assert_eq!(origin["format"], "csv");
    assert_eq!(origin["questions"], 4);
    assert_eq!(
        origin["source_blake3"],
        blake3::hash(CSV.as_bytes()).to_hex().as_str()
    );

    home.data(&["list"])
        .success()
        .stdout(contains("wet ").and(contains("wet.csv (csv), imported 20")));
    // The stored file is itself a valid data set.
    home.data(&["check", "data/wet.jsonl"])
        .success()
        .stdout(contains("jsonl, detected").and(contains("2: x 2, y 2")));

    home.data(&["import", "wet", "wet.csv"])
        .success()
        .stderr(contains("replaced wet.csv"));
    home.data(&["import", "--remove", "wet"])
        .success()
        .stderr(contains("task wet no longer exists"));
    assert_eq!(home.kept(), [""; 0]);
    home.data(&["import", "wet", "--remove"])
        .code(2)
        .stderr(contains("has no imported data set"));
}

#[test]
fn a_task_of_the_benchmark_can_be_asked_twice_under_two_names() {
    let home = Home::new();
    home.write("wet.csv", CSV);
    home.data(&["import", "mmlu", "wet.csv"])
        .success()
        .stderr(contains("task qa now uses "));
    home.data(&["import", "qa", "wet.csv", "--as", "qa-own"])
        .success();
    assert_eq!(
        home.kept(),
        ["qa-own.json", "qa-own.jsonl", "qa.json", "qa.jsonl"]
    );
    let origin: serde_json::Value = serde_json::from_str(&home.read("qa-own.json")).unwrap();
    assert_eq!(origin["task"]["background"], "none", "asked like qa");
    home.data(&["import", "qa", "wet.csv", "--as", "rc"])
        .code(2)
        .stderr(contains("is already a name of task rc"));
    home.data(&["import", "qa", "--remove"])
        .success()
        .stderr(contains("built-in pack again"));
}

#[test]
fn bad_files_are_refused_by_line_and_field_and_replace_nothing() {
    let home = Home::new();
    home.write("t.csv", CSV);
    home.data(&["import", "t", "t.csv"]).success();
    let before = (home.read("t.json"), home.read("t.jsonl"));
    let cases = [
        (
            CSV.replace("no,B\n3", "no,C\n3"),
            "t.csv, line 3, field \"answer\": the answer is \"C\"",
        ),
        (
            CSV.replace(",answer", ",reply"),
            "t.csv, line 1, field \"answer\": missing",
        ),
        (CSV.replace("\n4,y", "\n1,y"), "t.csv, line 5, field \"id\""),
        (
            CSV.replace("Is ice warm?", ""),
            "t.csv, line 4, field \"question\": empty",
        ),
        (
            "no such layout\n".to_owned(),
            "t.csv, line 1: unknown layout",
        ),
        (String::new(), "t.csv: contains no questions"),
    ];
    for (content, message) in cases {
        home.write("t.csv", content);
        home.data(&["check", "t.csv"])
            .code(2)
            .stdout("")
            .stderr(contains(message));
        home.data(&["import", "t", "t.csv"])
            .code(2)
            .stderr(contains(message));
    }
    home.write("t.csv", b"\xff\xfe");
    home.data(&["check", "t.csv"])
        .code(2)
        .stderr(contains("UTF-8").and(contains("hint: ")));
    home.data(&["check", "nowhere.csv"])
        .code(2)
        .stderr(contains("check the path"));
    assert_eq!((home.read("t.json"), home.read("t.jsonl")), before);
}

#[test]
fn names_and_formats_are_checked_before_anything_is_read() {
    let home = Home::new();
    home.data(&["import", "../x", "nowhere.csv"])
        .code(2)
        .stderr(contains("cannot be the name of a task").and(contains("hint: ")));
    home.data(&["check", "nowhere.csv", "--format", "xml"])
        .code(2)
        .stderr(contains("hellaswag"));
    home.data(&["import", "qa"]).code(2);
}

#[test]
fn a_damaged_import_is_shown_and_can_be_replaced() {
    let home = Home::new();
    home.write("t.csv", CSV);
    home.data(&["import", "t", "t.csv"]).success();
    home.write("data/t.json", "{");
    home.data(&["list"])
        .success()
        .stdout(contains("damaged; import it again").and(contains("built-in")));
    home.data(&["import", "t", "t.csv"]).success();
    home.data(&["list"])
        .success()
        .stdout(contains("t.csv (csv)"));
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let home = Home::new();
    home.write("t.csv", CSV.replace("water", "\u{1b}[2Jwater"));
    let check = home.data(&["check", "t.csv"]).success();
    check.stdout(contains("\u{1b}").not());
}

#[test]
fn real_data_sets_are_checked_and_imported() {
    let home = Home::new();
    let (Some(cosmosqa), Some(mmlu), Some(emotion)) = (
        shared("cosmosqa/valid.csv"),
        shared("mmlu"),
        shared("emotion/emotion_10k_4.json"),
    ) else {
        return;
    };
    home.data(&["check", &cosmosqa])
        .success()
        .stdout(contains("rc (Reading comprehension)").and(contains("2,980")))
        .stdout(contains("  | Context: ").and(contains("  | F. None of the above\n  | Answer:\n")));
    home.data(&["check", &mmlu])
        .success()
        .stdout(contains("14,042").and(contains("57: professional_law 1,534")));
    home.data(&["check", &emotion, "--task", "sentiment"])
        .success()
        .stdout(
            contains("sentiment")
                .and(contains("9,995"))
                .and(contains("none are added")),
        );

    home.data(&["import", "qa", &mmlu]).success();
    home.data(&["import", "sentiment", &emotion]).success();
    home.data(&["list"]).success().stdout(
        contains("mmlu (mmlu), imported")
            .and(contains("14,042"))
            .and(contains("sentiment")),
    );
}
