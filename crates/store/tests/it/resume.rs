//! Readers and later runs see what a run wrote.

use std::path::Path;
use std::sync::Arc;

use sureness_engine::{Answer, AnswerSink, ItemId, Planned};
use sureness_questions::Question;
use sureness_record::{RunRecord, RunSettings};
use sureness_scorers::{ModelIdentity, OptionScores, RequestKey, ScoreError, Usage};
use sureness_store::{MergeInput, Reader, Store, StoreError, StoredRow};

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

pub(crate) fn key(n: u8) -> RequestKey {
    RequestKey([n; 32])
}

fn planned(n: u8) -> Planned {
    Planned {
        key: key(n),
        content: [n; 32],
        cluster: [n / 2; 32],
        question: Arc::new(Question {
            accepted: Vec::new(),
            id: format!("q{n}"),
            category: (n == 1).then(|| "law".into()),
            context: None,
            stem: "Which?".into(),
            options: vec!["one".into(), "None of the above".into(), "three".into()],
            right: 2.into(),
        }),
        draw: 0,
        turn: None,
    }
}

const GROUPS: [(&str, &str); 2] = [("qa", "base"), ("qa", "task_specific")];

/// Begins a run of three questions in two strategies; tells which of them are known.
pub(crate) fn begin(store: &mut Store) -> (i64, [Vec<bool>; 2]) {
    let run = store.begin_run(&record(), GROUPS).unwrap();
    (run, plan(store))
}

/// Notes the questions in two parts.
fn plan(store: &mut Store) -> [Vec<bool>; 2] {
    [0, 1].map(|group| {
        let mut known = store.plan(group, 0, &[planned(0), planned(1)]).unwrap();
        known.extend(store.plan(group, 2, &[planned(2)]).unwrap());
        known
    })
}

pub(crate) fn scores() -> OptionScores {
    OptionScores {
        logprobs: vec![-0.1, f64::MIN_POSITIVE.ln(), -2.5],
        observed: vec![true, false, true],
        mass: 0.99,
        usage: Usage {
            prompt_tokens: Some(12),
            cached_tokens: None,
            answer_tokens: None,
        },
        words: None,
    }
}

#[test]
fn answers_survive_and_an_unfinished_run_is_continued() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let mut store = Store::open(&path).unwrap();
    let (run, known) = begin(&mut store);
    assert_eq!(known, [[false; 3], [false; 3]]);
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
    let clusters = [0, 0, 1].map(|n| Some([n; 32]));
    assert!(rows.iter().map(|row| row.question.cluster).eq(clusters));
    assert!(rows[2].scores.is_none() && rows[2].error.is_none());
    assert_eq!(
        reader.run(run).unwrap().groups[1],
        ("qa".into(), "task_specific".into())
    );

    // The same key serves the other group, and the next process.
    drop(store);
    let mut store = Store::open(&path).unwrap();
    let (again, known) = begin(&mut store);
    assert_eq!(again, run, "the unfinished run is continued");
    assert_eq!(known, [[true, false, false]; 2]);
    let mut count = 0;
    reader
        .rows(run, 1, |row| count += usize::from(row.scores.is_some()))
        .unwrap();
    assert_eq!(count, 1);
    store.finish_run(run).unwrap();
    assert_ne!(begin(&mut store).0, run, "a finished run is not");
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
    let answer = |n: u8, outcome: Result<OptionScores, ScoreError>| Answer {
        item: ItemId {
            group: 0,
            question: n.into(),
        },
        key: key(n),
        outcome,
    };
    let mut store = Store::open(&path).unwrap();
    let (first, _) = begin(&mut store);
    store
        .write(&[answer(0, Ok(scores())), answer(1, Ok(scores()))])
        .unwrap();
    store.finish_run(first).unwrap();

    let second = store.begin_run(&record(), GROUPS).unwrap();
    store.ignore_earlier_runs();
    assert_eq!(plan(&mut store)[0], [false; 3]);
    let mut other = scores();
    other.mass = 0.5;
    let failed = Err(ScoreError::TimedOut { seconds: 1 });
    store
        .write(&[answer(0, Ok(other.clone())), answer(1, failed)])
        .unwrap();
    let mut rows = Vec::new();
    let reader = Reader::open(&path).unwrap();
    reader.rows(second, 0, |row| rows.push(row)).unwrap();
    assert_eq!(rows[0].scores, Some(other));
    assert_eq!(rows[1].scores, None);
    assert!(rows[1].error.is_some());

    // Continued, the run knows its own answers and no others.
    assert_eq!(store.begin_run(&record(), GROUPS).unwrap(), second);
    assert_eq!(plan(&mut store)[0], [true, false, false]);
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
    let answer = |n: u8| Answer {
        item: ItemId {
            group: 0,
            question: n.into(),
        },
        key: key(n),
        outcome: Ok(scores()),
    };

    let mut store = Store::open(&path).unwrap();
    let (first, _) = begin(&mut store);
    store.write(&[answer(0), answer(1)]).unwrap();
    store.finish_run(first).unwrap();
    set_back("answers SET answered_at = answered_at");
    // Answers from the future are still those of an earlier run.
    let second = store.begin_run(&record(), GROUPS).unwrap();
    store.ignore_earlier_runs();
    assert_eq!(plan(&mut store)[0], [false; 3]);

    set_back("runs SET started_at = started_at");
    // A run that is older than its beginning still knows what it has answered itself.
    store.write(&[answer(1)]).unwrap();
    let mut store = Store::open(&path).unwrap();
    assert_eq!(store.begin_run(&record(), GROUPS).unwrap(), second);
    store.ignore_earlier_runs();
    assert_eq!(plan(&mut store)[0], [false, true, false]);
}

#[test]
fn answers_are_found_in_another_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("there.sqlite");
    let mut there = Store::open(&path).unwrap();
    begin(&mut there);
    let answer = |n: u8| Answer {
        item: ItemId {
            group: 0,
            question: n.into(),
        },
        key: key(n),
        outcome: Ok(scores()),
    };
    // The last one is no question of the run that looks.
    there.write(&[answer(0), answer(2), answer(9)]).unwrap();
    let here_path = folder.path().join("here.sqlite");
    let mut here = Store::open(&here_path).unwrap();
    let run = here.begin_run(&record(), [("qa", "base")]).unwrap();
    here.also_look_in(&path).unwrap();
    assert_eq!(plan(&mut here)[0], [true, false, true]);
    let mut found = Vec::new();
    let reader = Reader::open(&here_path).unwrap();
    reader.rows(run, 0, |row| found.push(row.scores)).unwrap();
    assert_eq!(found, [Some(scores()), None, Some(scores())]);

    let stranger = folder.path().join("stranger");
    std::fs::write(&stranger, "no store").unwrap();
    here.also_look_in(&stranger).unwrap_err();
    here.also_look_in(&folder.path().join("absent"))
        .unwrap_err();
}

#[test]
fn a_file_of_the_first_version_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let mut store = Store::open(&path).unwrap();
    let (run, _) = begin(&mut store);
    let item = ItemId {
        group: 0,
        question: 1,
    };
    let outcome = Ok(scores());
    let answer = Answer {
        item,
        key: key(1),
        outcome,
    };
    store.write(&[answer]).unwrap();
    store.finish_run(run).unwrap();
    drop(store);
    turn_back(&path, include_str!("../data/to_version_1.sql"));

    assert!(matches!(Reader::open(&path), Err(StoreError::TooOld(_))));
    let mut store = Store::open(&path).unwrap();
    assert!(clusters(&path, run).iter().all(Option::is_none));
    let (again, known) = begin(&mut store);
    assert_eq!(known[0], [false, true, false]);
    assert_eq!(clusters(&path, again), [0, 0, 1].map(|n| Some([n; 32])));
}

/// Makes a file one of an older version.
#[test]
fn a_file_of_the_third_version_is_read_and_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let mut store = Store::open(&path).unwrap();
    let (run, _) = begin(&mut store);
    drop(store);
    let known = clusters(&path, run);
    turn_back(&path, include_str!("../data/to_version_3.sql"));

    assert_eq!(clusters(&path, run), known);
    drop(Store::open(&path).unwrap());
    assert_eq!(clusters(&path, run), known);
    let file = rusqlite::Connection::open(&path).unwrap();
    for table in ["draws", "words"] {
        assert!(file.table_exists(None, table).unwrap(), "{table}");
    }
}

fn turn_back(path: &Path, sql: &str) {
    let old = rusqlite::Connection::open(path).unwrap();
    old.execute_batch(sql).unwrap();
}

fn clusters(path: &Path, run: i64) -> Vec<Option<[u8; 32]>> {
    let mut clusters = Vec::new();
    let reader = Reader::open(path).unwrap();
    let visit = |row: StoredRow| clusters.push(row.question.cluster);
    reader.rows(run, 0, visit).unwrap();
    clusters
}

#[test]
fn a_file_of_the_second_version_is_read_as_it_is_and_brought_up_to_date_by_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let mut store = Store::open(&path).unwrap();
    let (run, _) = begin(&mut store);
    let item = ItemId {
        group: 0,
        question: 1,
    };
    let outcome = Ok(scores());
    let answer = Answer {
        item,
        key: key(1),
        outcome,
    };
    store.write(&[answer]).unwrap();
    drop(store);
    turn_back(&path, include_str!("../data/to_version_2.sql"));

    assert_eq!(clusters(&path, run), [None; 3]);
    // Answers and questions are copied from it, and what is not known stays so.
    let here = folder.path().join("here.sqlite");
    let mut store = Store::open(&here).unwrap();
    store.also_look_in(&path).unwrap();
    assert_eq!(begin(&mut store).1[0], [false, true, false]);
    let merged = folder.path().join("merged.sqlite");
    let mut store = Store::open(&merged).unwrap();
    let whole = store.merged_run(&record(), GROUPS).unwrap();
    let from = |path: &Path| MergeInput {
        path: path.to_owned(),
        run,
    };
    store.merge_runs(whole, 2, &[from(&path)]).unwrap();
    assert_eq!(clusters(&merged, whole), [None; 3]);
    // Another part may tell.
    store.merge_runs(whole, 2, &[from(&here)]).unwrap();
    let known = [0, 0, 1].map(|n| Some([n; 32]));
    assert_eq!(clusters(&merged, whole), known);

    let mut store = Store::open(&path).unwrap();
    assert_eq!(clusters(&path, run), [None; 3]);
    assert_eq!(
        begin(&mut store),
        (run, [[false, true, false]; 2].map(Vec::from))
    );
    assert_eq!(clusters(&path, run), known);
}

#[test]
fn the_newest_run_with_some_settings_is_found_whatever_its_model() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("store.sqlite")).unwrap();
    let settings = record().settings;
    let newest = |store: &Store, finished| store.newest_run(&settings, finished).unwrap();
    assert_eq!((newest(&store, true), newest(&store, false)), (None, None));
    let (first, _) = begin(&mut store);
    store.finish_run(first).unwrap();
    let mut other = record();
    other.model.name = "n".into();
    let second = store.begin_run(&other, GROUPS).unwrap();
    assert_eq!(newest(&store, true), Some(first));
    assert_eq!(newest(&store, false), Some(second));
    let others = RunSettings {
        abstention: false,
        ..RunSettings::default()
    };
    assert_eq!(store.newest_run(&others, true).unwrap(), None);
}
