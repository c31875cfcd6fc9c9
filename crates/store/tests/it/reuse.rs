//! Cached answers are known before a run begins, and can be excluded.

use std::path::Path;
use std::sync::Arc;

use sureness_conformal::Config;
use sureness_engine::{Answer, AnswerSink, ItemId, Planned};
use sureness_questions::Question;
use sureness_record::{RunRecord, RunSettings};
use sureness_scorers::{ModelIdentity, OptionScores, RequestKey, Usage};
use sureness_store::{Reader, Store};

fn record(alpha: f64) -> RunRecord {
    RunRecord {
        model: ModelIdentity {
            name: "m".into(),
            backend: "test".into(),
            details: std::collections::BTreeMap::default(),
        },
        settings: RunSettings {
            evaluation: Config {
                alpha,
                ..Config::default()
            },
            ..RunSettings::default()
        },
    }
}

fn key(n: u8) -> RequestKey {
    RequestKey([n; 32])
}

fn planned(n: u8) -> Planned {
    Planned {
        key: key(n),
        content: [n; 32],
        cluster: [n; 32],
        question: Arc::new(Question {
            accepted: Vec::new(),
            id: format!("q{n}"),
            category: None,
            context: None,
            stem: "Which?".into(),
            options: vec!["one".into(), "two".into()],
            right: 1.into(),
        }),
        draw: 0,
        turn: None,
    }
}

fn scores(first: f64) -> OptionScores {
    OptionScores {
        logprobs: vec![first, -2.0],
        observed: vec![true, false],
        mass: 0.9,
        usage: Usage::default(),
        words: None,
    }
}

fn begin(store: &mut Store, record: &RunRecord) -> i64 {
    store.begin_run(record, [("qa", "base")]).unwrap()
}

fn plan(store: &mut Store) -> Vec<bool> {
    store.plan(0, 0, &[planned(0), planned(1)]).unwrap()
}

fn answer(store: &mut Store, n: u8, first: f64) {
    let answer = Answer {
        item: ItemId {
            group: 0,
            question: n.into(),
        },
        key: key(n),
        outcome: Ok(scores(first)),
    };
    store.write(&[answer]).unwrap();
}

/// The first log-probability of each question's answer from an earlier run.
fn earlier(store: &mut Store, record: &RunRecord) -> [Option<f64>; 2] {
    let found = store.earlier_answers(record, &[key(0), key(1)]).unwrap();
    let first = |n: usize| found[n].as_ref().map(|answer| answer.scores.logprobs[0]);
    [first(0), first(1)]
}

/// A finished run with answers to both questions.
fn finished(path: &Path) -> Store {
    let mut store = Store::open(path).unwrap();
    let run = begin(&mut store, &record(0.1));
    plan(&mut store);
    answer(&mut store, 0, -0.25);
    answer(&mut store, 1, -0.5);
    store.finish_run(run).unwrap();
    store
}

#[test]
fn answers_of_an_interrupted_run_are_its_own_and_earlier_ones_for_others() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("store.sqlite")).unwrap();
    let run = begin(&mut store, &record(0.1));
    plan(&mut store);
    answer(&mut store, 0, -0.25);
    assert_eq!(earlier(&mut store, &record(0.1)), [None, None]);
    assert_eq!(earlier(&mut store, &record(0.2)), [Some(-0.25), None]);
    store.finish_run(run).unwrap();
    assert_eq!(earlier(&mut store, &record(0.1)), [Some(-0.25), None]);
    store.ignore_earlier_runs();
    assert_eq!(earlier(&mut store, &record(0.1)), [None, None]);
}

#[test]
fn answers_in_other_files_are_earlier_ones_and_keep_their_age() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("there.sqlite");
    drop(finished(&there));
    let connection = rusqlite::Connection::open(&there).unwrap();
    connection
        .execute("UPDATE answers SET answered_at = 1000 + id", [])
        .unwrap();
    let mut here = Store::open(&folder.path().join("here.sqlite")).unwrap();
    here.also_look_in(&there).unwrap();
    let found = here.earlier_answers(&record(0.1), &[key(1)]).unwrap();
    assert_eq!(found[0].as_ref().unwrap().answered_at, 1002);
    let answered_at = here.answered_at();
    assert_eq!(answered_at.range(), None);
    begin(&mut here, &record(0.1));
    assert_eq!(plan(&mut here), [true, true]);
    assert_eq!(answered_at.range(), Some((1001, 1002)));
}

#[test]
fn what_is_forgotten_stays_so_when_the_run_is_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let mut store = finished(&path);
    store.forget_earlier_runs();
    let run = begin(&mut store, &record(0.1));
    assert_eq!(plan(&mut store), [false, false]);
    answer(&mut store, 0, -3.0);
    drop(store);

    let mut store = Store::open(&path).unwrap();
    assert_eq!(earlier(&mut store, &record(0.1)), [None, None]);
    assert_eq!(begin(&mut store, &record(0.1)), run);
    assert_eq!(plan(&mut store), [true, false]);
    // The earlier run's figures are as they were.
    let mut first = Vec::new();
    let reader = Reader::open(&path).unwrap();
    reader.rows(1, 0, |row| first.push(row.scores)).unwrap();
    assert_eq!(first, [Some(scores(-0.25)), Some(scores(-0.5))]);
}
