//! Options that were shown in another order.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use sureness_engine::{Answer, AnswerSink, ItemId, Planned};
use sureness_questions::{Question, Turn};
use sureness_record::{RunRecord, RunSettings};
use sureness_scorers::{ModelIdentity, OptionScores, RequestKey, Usage};
use sureness_store::{MergeInput, Reader, Store, StoredRow};

const GROUPS: [(&str, &str); 3] = [("qa", "base"), ("qa", "base/2"), ("qa", "base/3")];

fn record() -> RunRecord {
    RunRecord {
        model: ModelIdentity {
            name: "m".into(),
            backend: "test".into(),
            details: std::collections::BTreeMap::default(),
        },
        settings: RunSettings::default(),
    }
}

/// A question of which two have the same options in another order: what shows the one in order 2 shows
/// the other as it is.
fn planned(question: u8, order: u32) -> Planned {
    let mut options = ["one", "two", "three"].map(str::to_owned);
    options.rotate_left(question.into());
    let question = Question {
        accepted: Vec::new(),
        id: format!("q{question}"),
        category: None,
        context: None,
        stem: "Which?".into(),
        options: options.into(),
        right: 0.into(),
    }
    .with_abstention();
    let turn = Turn::of(&question, NonZeroU32::new(order).unwrap());
    let mut key = [0; 32];
    key[..3].copy_from_slice(&turn.shown(&question).options.concat().as_bytes()[..3]);
    Planned {
        key: RequestKey(key),
        content: question.content_digest(),
        cluster: question.content_digest(),
        question: Arc::new(question),
        draw: 0,
        turn: Some(turn),
    }
}

fn scores(logprobs: [f64; 5]) -> OptionScores {
    OptionScores {
        logprobs: logprobs.into(),
        observed: vec![true, true, false, true, true],
        mass: 0.9,
        usage: Usage::default(),
        words: None,
    }
}

fn by_id(rows: Vec<StoredRow>) -> Vec<(String, Vec<f64>, Vec<bool>, usize)> {
    let rows = rows.into_iter().map(|row| {
        let scores = row.scores.unwrap();
        let places = row.turn.unwrap().places();
        (row.question.id, scores.logprobs, scores.observed, places)
    });
    rows.collect()
}

fn read(path: &Path, run: i64, group: usize) -> Vec<(String, Vec<f64>, Vec<bool>, usize)> {
    let mut rows = Vec::new();
    let reader = Reader::open(path).unwrap();
    reader.rows(run, group, |row| rows.push(row)).unwrap();
    by_id(rows)
}

#[test]
fn an_answer_serves_two_questions_that_show_the_same_and_is_read_in_the_order_of_each() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let mut store = Store::open(&path).unwrap();
    let run = store.begin_run(&record(), GROUPS).unwrap();
    for group in 0..3_u32 {
        let both = [0, 1].map(|question| planned(question, group + 1));
        store.plan(group, 0, &both).unwrap();
    }
    // The letters' values say which order was shown.
    let told = |group: u32, value: f64| Answer {
        item: ItemId { group, question: 0 },
        key: planned(0, group + 1).key,
        outcome: Ok(scores([value, value - 1.0, value - 2.0, -9.0, -8.0])),
    };
    store
        .write(&[told(0, -0.1), told(1, -0.2), told(2, -0.3)])
        .unwrap();
    store.settle_copies(run).unwrap();

    let q0 = |group: usize| read(&path, run, group).swap_remove(0);
    let q1 = |group: usize| read(&path, run, group).swap_remove(1);
    assert_eq!(q0(0).1, [-0.1, -1.1, -2.1, -9.0, -8.0]);
    // In order 2 the first letter had the second option.
    assert_eq!(q0(1).1, [-2.2, -0.2, -1.2, -9.0, -8.0]);
    assert_eq!(q0(1).2, [false, true, true, true, true]);
    assert_eq!(q0(1).3, 1);
    assert_eq!(q0(2).1, [-1.3, -2.3, -0.3, -9.0, -8.0]);
    // The other question as it is shows what the first shows in order 2.
    assert_eq!(q1(0).1, [-0.2, -1.2, -2.2, -9.0, -8.0]);
    assert_eq!(q1(2).1, [-1.1, -2.1, -0.1, -9.0, -8.0]);

    let mut together = Vec::new();
    let reader = Reader::open(&path).unwrap();
    reader
        .rows_together(run, &[0, 2], |rows| together.push(by_id(rows)))
        .unwrap();
    assert_eq!(together, [[q0(0), q0(2)], [q1(0), q1(2)]]);

    // A merge keeps what was shown.
    let merged = folder.path().join("merged.sqlite");
    let mut whole = Store::open(&merged).unwrap();
    let to = whole.merged_run(&record(), GROUPS).unwrap();
    let inputs = [MergeInput {
        path: path.clone(),
        run,
    }];
    whole.merge_runs(to, 3, &inputs).unwrap();
    for group in 0..3 {
        assert_eq!(read(&merged, to, group), read(&path, run, group));
    }
}

#[test]
fn a_file_of_the_fourth_version_is_read_and_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let mut store = Store::open(&path).unwrap();
    let run = store.begin_run(&record(), GROUPS).unwrap();
    store.plan(0, 0, &[planned(0, 1)]).unwrap();
    drop(store);
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../data/to_version_4.sql"))
        .unwrap();
    drop(old);
    let turns = || {
        let mut turns = Vec::new();
        let reader = Reader::open(&path).unwrap();
        reader.rows(run, 0, |row| turns.push(row.turn)).unwrap();
        turns
    };
    assert_eq!(turns(), [None]);
    let mut store = Store::open(&path).unwrap();
    assert_eq!(turns(), [None]);
    store.begin_run(&record(), GROUPS).unwrap();
    store.plan(0, 0, &[planned(0, 1)]).unwrap();
    assert_eq!(turns(), [planned(0, 1).turn]);
}
