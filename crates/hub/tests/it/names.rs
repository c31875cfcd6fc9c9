//! From a name to files, and what is said where there are none.

use std::fs;

use serde_json::json;
use sureness_testkit::HubServer;

use crate::{REPO, fetch, hub, open, says, splits};

const CARD: &str = "---\nconfigs:\n- config_name: law\n  data_files:\n  - split: test\n    path: \
                    x/a-*.csv\n  - split: dev\n    path: x/few.csv\n- config_name: art\n  \
                    data_files: y.csv\n---\n";

#[test]
fn the_card_says_which_files_are_which_split() {
    let files = [
        ("README.md", CARD),
        ("x/a-1.csv", "1"),
        ("x/a-2.csv", "2"),
        ("x/few.csv", "f"),
        ("y.csv", "y"),
    ];
    let Some(server) = HubServer::with(REPO, &files) else {
        return;
    };
    let hub = hub(&server);
    let data = open(&hub, "hf:own/set:law").unwrap();
    assert_eq!(splits(&data), ["test", "dev"]);
    let paths = data.fetch(data.split("test").unwrap()).unwrap();
    let texts: Vec<_> = paths
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    assert_eq!(texts, ["1", "2"]);
    assert_eq!(
        data.source("test"),
        format!("hf:own/set@{}:law/test", HubServer::COMMIT)
    );
    says(
        open(&hub, "hf:own/set"),
        &["which configuration", "law, art", "hf:own/set:law"],
    );
    says(
        open(&hub, "hf:own/set:music"),
        &["no configuration \"music\"", "law, art"],
    );
    says(
        fetch(&hub, "hf:own/set:law", "train"),
        &["no split \"train\"", "test, dev", "hf:own/set:law/test"],
    );
    assert!(
        !server
            .requests()
            .iter()
            .any(|request| request.contains("y.csv"))
    );
}

#[test]
fn a_revision_is_a_branch_a_tag_or_a_commit() {
    let Some(server) = HubServer::with(REPO, &[("test.csv", "new")]) else {
        return;
    };
    let old = "1".repeat(40);
    server.put(REPO, &old, "test.csv", b"old");
    server.describe(
        REPO,
        json!({"refs": {"main": HubServer::COMMIT, "v1.0": old, "pr/1": old}}),
    );
    let hub = hub(&server);
    let text = |revision: &str| {
        let paths = fetch(&hub, &format!("hf:own/set@{revision}"), "test")?;
        Ok::<_, sureness_hub::HubError>(fs::read_to_string(&paths[0]).unwrap())
    };
    for (revision, expected) in [
        ("main", "new"),
        ("v1.0", "old"),
        ("pr/1", "old"),
        (&*old, "old"),
    ] {
        assert_eq!(text(revision).unwrap(), expected, "{revision}");
    }
    says(
        text("v2.0"),
        &["no revision v2.0", "leave the revision out"],
    );
    let gone = "2".repeat(40);
    says(text(&gone), &["no revision 2222"]);
    says(
        open(&hub, "hf:own/sett"),
        &["own/sett: ", "no such data set", "HF_TOKEN"],
    );
}

#[test]
fn a_restricted_data_set_needs_a_token_that_is_not_shown() {
    let Some(server) = HubServer::with(REPO, &[("test.csv", "1")]) else {
        return;
    };
    server.describe(REPO, json!({"gated": "manual"}));
    let page = format!("{}/datasets/own/set", server.endpoint);
    says(
        fetch(&hub(&server), "hf:own/set", "test"),
        &["restricted", &page, "then set HF_TOKEN"],
    );
    let with = |token| hub(&server).with_token(token).unwrap();
    says(
        fetch(&with("hf_wrong"), "hf:own/set", "test"),
        &["restricted", "with the account"],
    );
    assert!(fetch(&with(HubServer::TOKEN), "hf:own/set", "test").is_ok());
    says(
        hub(&server).with_token("hf_a b"),
        &["a character that no token has"],
    );
}

#[test]
fn a_program_is_not_run_but_its_converted_copy_is_read() {
    let Some(server) = HubServer::with(REPO, &[("set.py", "import os"), ("raw.csv", "raw")]) else {
        return;
    };
    says(
        open(&hub(&server), "hf:own/set"),
        &["set.py, which is not run"],
    );
    let copy = "3".repeat(40);
    for (file, text) in [
        ("all/test/0000.parquet", "t"),
        ("all/partial-train/0000.parquet", "p"),
    ] {
        server.put(REPO, &copy, file, text.as_bytes());
    }
    let refs = json!({"main": HubServer::COMMIT, "refs/convert/parquet": copy});
    server.describe(REPO, json!({"refs": refs}));
    let hub = hub(&server);
    let data = open(&hub, "hf:own/set").unwrap();
    assert!(data.is_converted());
    let source = data.source("test");
    assert_eq!(source, format!("hf:own/set@{copy}:all/test"));
    let stated = "hf:own/set@refs/convert/parquet:all";
    for name in ["hf:own/set:all", stated, &format!("hf:own/set@{copy}")] {
        assert_eq!(
            fs::read(&fetch(&hub, name, "test").unwrap()[0]).unwrap(),
            b"t",
            "{name}"
        );
        says(
            fetch(&hub, name, "train"),
            &["only the beginning of split train"],
        );
    }
    says(
        open(&hub, "hf:own/set@main"),
        &["set.py", "hf:own/set@refs/convert/parquet"],
    );
    let offline = hub.offline();
    assert_eq!(
        fs::read(&fetch(&offline, "hf:own/set:all", "test").unwrap()[0]).unwrap(),
        b"t"
    );
}

#[test]
fn files_that_may_hold_the_same_rows_are_refused() {
    let Some(server) = HubServer::with(REPO, &[("test.csv", "1"), ("test.jsonl", "1")]) else {
        return;
    };
    says(
        fetch(&hub(&server), "hf:own/set", "test"),
        &["two formats, test.csv and test.jsonl"],
    );
    server.describe("own/other", json!({}));
    server.put("own/other", HubServer::COMMIT, "pictures.zip", b"");
    says(
        open(&hub(&server), "hf:own/other"),
        &["own/other: holds no Parquet"],
    );
}
