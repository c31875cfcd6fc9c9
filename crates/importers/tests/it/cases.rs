//! Logs of real tools and small inputs that version 0.1.0 read wrongly, each with the right figures.

use std::collections::HashSet;

use sureness_importers::{AccuracyCheck, Imported, ImportedRow, Options, Values};
use sureness_testkit::shared;

use super::common::{Folder, named, noted, refused, with};

/// Questions, answered ones, and right ones.
fn figures(import: &Imported) -> (usize, usize, usize) {
    let answered = import.answered();
    let right = import.accuracy().unwrap_or(0.0) * answered as f64;
    (import.rows.len(), answered, right.round() as usize)
}

fn dropping(ids: &[&str]) -> Options {
    Options {
        drop_ids: Some(
            ids.iter()
                .map(|id| (*id).to_owned())
                .collect::<HashSet<_>>(),
        ),
        ..named("m")
    }
}

#[test]
fn answers_of_inspect() {
    for (log, expected) in [
        ("inspect-article-a/log", (5, 5, 4)),
        ("inspect-joined-punctuation/close", (5, 5, 4)),
        ("inspect-joined-punctuation/colon", (5, 5, 4)),
        ("inspect-joined-punctuation/dot", (5, 5, 4)),
        ("inspect-joined-punctuation/log", (5, 5, 4)),
        ("inspect-joined-punctuation/round", (5, 5, 4)),
        ("inspect-last-answer/log", (5, 5, 4)),
        ("inspect-prose-behind-mark/echo", (5, 5, 4)),
        ("inspect-prose-behind-mark/log", (5, 5, 4)),
        ("inspect-small-letter/log", (5, 5, 4)),
        ("logs/inspect/plain", (8, 0, 0)),
        // A grammar forced these answers, which are not always the likeliest.
        ("logs/inspect/gcot", (8, 8, 2)),
        ("logs/inspect/glower", (8, 8, 1)),
        ("logs/inspect/ghidden", (8, 8, 0)),
    ] {
        let Some(path) = shared(&format!("cases/{log}.json")) else {
            return;
        };
        let import = &with(&path, &Options::default())[0];
        assert_eq!(figures(import), expected, "{log}");
        let forced = log.ends_with("gcot") || log.ends_with("glower");
        let agrees = import.check.as_ref().is_none_or(AccuracyCheck::agrees);
        assert!(agrees || forced, "{log}");
        // Without the scorer's word, the text says the same, or nothing.
        let text = std::fs::read_to_string(&path).unwrap();
        let mut log: serde_json::Value = serde_json::from_str(&text).unwrap();
        for sample in log["samples"].as_array_mut().unwrap() {
            sample.as_object_mut().unwrap().remove("scores");
        }
        let folder = Folder::new();
        let path = folder.write("log.json", log.to_string());
        let bare = sureness_importers::import(&[path], &Options::default());
        for row in bare
            .iter()
            .flat_map(|it| &it.groups)
            .flat_map(|it| &it.rows)
        {
            let same = import
                .rows
                .iter()
                .find(|it| it.question.id == row.question.id);
            if let (Ok(bare), Ok(whole)) = (&row.scores, &same.unwrap().scores) {
                assert_eq!(bare.top(), whole.top());
            }
        }
    }
}

#[test]
fn several_answers_of_inspect_are_refused() {
    let Some(path) = shared("cases/logs/inspect/gmsingle.json") else {
        return;
    };
    let said = refused(&path, &Options::default());
    assert!(said.contains("multiple_correct"), "{said}");
}

#[test]
fn lists_and_rows_of_the_harness() {
    let Some(list) = shared("cases/lm-eval-list") else {
        return;
    };
    let found = noted(&list, &Options::default());
    assert_eq!(found.groups.len(), 1);
    assert_eq!(figures(&found.groups[0]), (6, 6, 4));
    assert_eq!(
        (&*found.groups[0].model.name, &*found.groups[0].task),
        ("m", "mmlu")
    );
    assert!(found.notes[0].contains("skipped"), "{:?}", found.notes);
    for name in [
        "pretrained__m_mmlu_anatomy.jsonl",
        "samples_mmlu_anatomy_2024-02-01T00-00-00.0.json",
    ] {
        let import = &with(&list.join(name), &Options::default())[0];
        assert_eq!(figures(import), (6, 6, 4), "{name}");
    }
    let Some(nan) = shared("cases/lm-eval-nan-row") else {
        return;
    };
    assert!(refused(&nan, &named("m")).contains("line 5"));
    for id in ["4", "anatomy/4"] {
        assert_eq!(with(&nan, &dropping(&[id]))[0].rows.len(), 5);
    }
    let Some(sound) = shared("cases/drop-ids-names-nothing") else {
        return;
    };
    for id in ["4", "anatomy/4"] {
        assert_eq!(with(&sound, &dropping(&[id]))[0].rows.len(), 5);
    }
    let said = refused(&sound, &dropping(&["999", "4"]));
    assert!(
        said.contains("--drop-ids: no question is called 999"),
        "{said}"
    );
}

#[test]
fn folders_of_the_harness() {
    let Some(logs) = shared("cases/logs/lm-eval") else {
        return;
    };
    let read = |folder: &str| noted(&logs.join(folder), &Options::default());

    let chat = read("chat").groups;
    let of = |import: &Imported| (import.model.clone(), import.strategy.clone());
    let ((one, chats), (other, plain)) = (of(&chat[1]), of(&chat[0]));
    assert_eq!((one, &*chats, &*plain), (other, "2-shot-chat", "0-shot"));

    let limited = read("limited");
    let [import] = &*limited.groups else {
        panic!("{}", limited.groups.len());
    };
    // 0.15, 0.1, 0.25 and 0.45 of 40 each.
    assert_eq!(figures(import), (160, 160, 38));
    assert_eq!((limited.notes.len(), import.planned), (1, None));
    assert!(
        limited.notes[0].contains("has more questions"),
        "{:?}",
        limited.notes
    );

    let mixed = read("mixed");
    let tasks: Vec<&str> = mixed.groups.iter().map(|it| &*it.task).collect();
    assert_eq!(tasks, ["tarc", "ttfqa_mc1", "ttfqa_mc2"]);
    assert_eq!(mixed.groups[0].planned, Some(60));
    // The harness's own share of probability of the right options, and several of these.
    let mc2 = &mixed.groups[2];
    let check = mc2.check.as_ref().unwrap();
    assert!(check.agrees(), "{check:?}");
    assert!(check.theirs.fract() > 0.0, "{check:?}");
    let several = |row: &&ImportedRow| row.question.right.only().is_none();
    assert!(mc2.rows.iter().filter(several).count() > 0);
    let generated = |note: &String| note.contains("tleaderboard_gen");
    assert!(mixed.notes.iter().any(generated), "{:?}", mixed.notes);

    let norm = &read("smallnorm").groups[0];
    assert_eq!(figures(norm), (20, 20, 9));
    let check = norm.check.as_ref().unwrap();
    assert!(check.agrees() && check.metric == "acc_norm" && norm.values == Values::Continuations);
}
