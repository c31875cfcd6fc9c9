//! What is written is there again, for readers and for the next run.

use sureness_engine::{Answer, AnswerSink, ItemId};
use sureness_scorers::{ModelIdentity, OptionScores, RequestKey, ScoreError, Usage};
use sureness_store::{GroupRows, Reader, RunRecord, Store, StoreError, StoredQuestion};

fn record() -> RunRecord {
    RunRecord {
        model: ModelIdentity {
            name: "m".into(),
            backend: "test".into(),
            details: std::collections::BTreeMap::default(),
        },
        settings: serde_json::json!({"alpha": 0.1}),
    }
}

fn question(n: u8) -> (RequestKey, StoredQuestion) {
    let question = StoredQuestion {
        id: format!("q{n}"),
        content: [n; 32],
        category: (n == 1).then(|| "law".into()),
        options: 3,
        answer: 2,
        dont_know: None,
        none_of_the_above: Some(1),
    };
    (RequestKey([n; 32]), question)
}

fn begin(store: &mut Store) -> i64 {
    let items = || Box::new((0..3).map(question));
    store
        .begin_run(
            &record(),
            [
                GroupRows {
                    task: "qa",
                    strategy: "base",
                    items: items(),
                },
                GroupRows {
                    task: "qa",
                    strategy: "task_specific",
                    items: items(),
                },
            ],
        )
        .unwrap()
}

fn scores() -> OptionScores {
    OptionScores {
        logprobs: vec![-0.1, f64::MIN_POSITIVE.ln(), -2.5],
        observed: vec![true, false, true],
        mass: 0.99,
        usage: Usage {
            prompt_tokens: Some(12),
            cached_tokens: None,
        },
    }
}

#[test]
fn answers_survive_and_an_unfinished_run_is_continued() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let mut store = Store::open(&path).unwrap();
    let run = begin(&mut store);
    let key = |n| RequestKey([n; 32]);
    let at = |question| ItemId { group: 0, question };
    store
        .write(&[
            Answer {
                item: at(0),
                key: key(0),
                outcome: Ok(scores()),
            },
            Answer {
                item: at(1),
                key: key(1),
                outcome: Err(ScoreError::TimedOut { seconds: 3 }),
            },
        ])
        .unwrap();
    // A reader sees it while the writer is still there.
    let reader = Reader::open(&path).unwrap();
    let mut rows = Vec::new();
    reader.rows(run, 0, |row| rows.push(row)).unwrap();
    assert_eq!(rows[0].scores.as_ref(), Some(&scores()));
    assert_eq!(rows[1].error, Some(ScoreError::TimedOut { seconds: 3 }));
    assert_eq!(rows[1].question.category.as_deref(), Some("law"));
    assert!(rows[2].scores.is_none() && rows[2].error.is_none());
    assert_eq!(
        reader.run(run).unwrap().groups[1],
        ("qa".into(), "task_specific".into())
    );

    // The same key serves the other group, and the next process.
    drop(store);
    let mut store = Store::open(&path).unwrap();
    assert_eq!(
        store.known(&[key(0), key(1), key(9)]).unwrap(),
        [true, false, false]
    );
    assert_eq!(begin(&mut store), run, "the unfinished run is continued");
    let mut count = 0;
    reader
        .rows(run, 1, |row| count += usize::from(row.scores.is_some()))
        .unwrap();
    assert_eq!(count, 1);
    store.finish_run(run).unwrap();
    assert_ne!(begin(&mut store), run, "a finished run is not");
    assert_eq!(reader.runs().unwrap().len(), 2);
}

#[test]
fn files_of_others_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.sqlite");
    std::fs::write(
        &text,
        "not a database, and longer than a header of one hundred bytes ".repeat(4),
    )
    .unwrap();
    assert!(matches!(Store::open(&text), Err(StoreError::Sqlite { .. })));

    let other = folder.path().join("other.sqlite");
    let connection = rusqlite::Connection::open(&other).unwrap();
    connection.execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(matches!(Store::open(&other), Err(StoreError::NotAStore(_))));

    let newer = folder.path().join("newer.sqlite");
    drop(Store::open(&newer).unwrap());
    rusqlite::Connection::open(&newer)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    assert!(matches!(
        Store::open(&newer),
        Err(StoreError::TooNew { found: 99, .. })
    ));
    assert!(Reader::open(&folder.path().join("none.sqlite")).is_err());
}

#[test]
fn an_earlier_answer_can_be_ignored_and_does_not_hide_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let key = |n| RequestKey([n; 32]);
    let answer = |n: u8, outcome: Result<OptionScores, ScoreError>| Answer {
        item: ItemId {
            group: 0,
            question: n.into(),
        },
        key: key(n),
        outcome,
    };
    let mut store = Store::open(&path).unwrap();
    let first = begin(&mut store);
    store
        .write(&[answer(0, Ok(scores())), answer(1, Ok(scores()))])
        .unwrap();
    store.finish_run(first).unwrap();

    let second = begin(&mut store);
    store.ignore_earlier_runs();
    assert_eq!(store.known(&[key(0), key(1)]).unwrap(), [false, false]);
    let mut other = scores();
    other.mass = 0.5;
    let failed = Err(ScoreError::TimedOut { seconds: 1 });
    store
        .write(&[answer(0, Ok(other.clone())), answer(1, failed)])
        .unwrap();
    assert_eq!(store.known(&[key(0), key(1)]).unwrap(), [true, false]);
    let mut rows = Vec::new();
    let reader = Reader::open(&path).unwrap();
    reader.rows(second, 0, |row| rows.push(row)).unwrap();
    assert_eq!(rows[0].scores, Some(other));
    assert_eq!(rows[1].scores, None);
    assert!(rows[1].error.is_some());
}

#[test]
fn a_clock_that_jumps_changes_nothing_about_what_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let hour = 3_600_000;
    // As if the clock had been set back by an hour since what is in the file was written.
    let set_back = |what: &str| {
        let shift = format!("UPDATE {what} + {hour}");
        let connection = rusqlite::Connection::open(&path).unwrap();
        assert!(connection.execute(&shift, []).unwrap() > 0);
    };
    let keys = [RequestKey([0; 32]), RequestKey([1; 32])];
    let answer = |n: u8| Answer {
        item: ItemId {
            group: 0,
            question: n.into(),
        },
        key: keys[usize::from(n)],
        outcome: Ok(scores()),
    };

    let mut store = Store::open(&path).unwrap();
    let first = begin(&mut store);
    store.write(&[answer(0), answer(1)]).unwrap();
    store.finish_run(first).unwrap();
    set_back("answers SET answered_at = answered_at");
    // Answers from the future are still those of an earlier run.
    let second = begin(&mut store);
    store.ignore_earlier_runs();
    assert_eq!(store.known(&keys).unwrap(), [false, false]);

    set_back("runs SET started_at = started_at");
    // A run that is older than its beginning still knows what it has answered itself.
    assert_eq!(begin(&mut store), second);
    store.write(&[answer(1)]).unwrap();
    let mut store = Store::open(&path).unwrap();
    assert_eq!(begin(&mut store), second);
    store.ignore_earlier_runs();
    assert_eq!(store.known(&keys).unwrap(), [false, true]);
}

#[test]
fn answers_are_taken_from_another_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut there = Store::open(&folder.path().join("there.sqlite")).unwrap();
    begin(&mut there);
    let answer = |n: u8| Answer {
        item: ItemId {
            group: 0,
            question: n.into(),
        },
        key: RequestKey([n; 32]),
        outcome: Ok(scores()),
    };
    // The last one is no question of the run that takes.
    there.write(&[answer(0), answer(2), answer(9)]).unwrap();
    let mut here = Store::open(&folder.path().join("here.sqlite")).unwrap();
    begin(&mut here);
    assert_eq!(here.take_from(there.path()).unwrap(), 2);
    assert_eq!(here.take_from(there.path()).unwrap(), 0);
    let keys = [0, 1, 2, 9].map(|n| RequestKey([n; 32]));
    assert_eq!(here.known(&keys).unwrap(), [true, false, true, false]);

    let stranger = folder.path().join("stranger");
    std::fs::write(&stranger, "no store").unwrap();
    here.take_from(&stranger).unwrap_err();
    here.take_from(&folder.path().join("absent")).unwrap_err();
}
