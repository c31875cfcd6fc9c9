//! Imported runs are complete, found again and never recorded twice.

use sureness_record::QuestionRecord;
use sureness_record::{Recorded, RunSettings};
use sureness_scorers::{ModelIdentity, OptionScores, ScoreError, Usage};
use sureness_store::{GroupImport, ImportOutcome, Reader, RowImport, RunImport, Store};

fn model(name: &str) -> ModelIdentity {
    ModelIdentity {
        name: name.into(),
        backend: "import".into(),
        details: std::collections::BTreeMap::default(),
    }
}

fn rows(first: f64) -> Vec<RowImport> {
    let question = |n: u8| QuestionRecord {
        id: format!("q{n}"),
        content: [n; 32],
        cluster: (n != 1).then_some([n / 2; 32]),
        category: (n == 1).then(|| "law".into()),
        options: 3,
        right: 2.into(),
        dont_know: None,
        none_of_the_above: Some(1),
    };
    vec![
        RowImport {
            question: question(0),
            outcome: Ok(OptionScores {
                logprobs: vec![first, -1.0, 12.5],
                observed: vec![true, true, false],
                mass: f64::NAN,
                usage: Usage::default(),
                words: None,
            }),
        },
        RowImport {
            question: question(1),
            outcome: Err(ScoreError::NoLogprobs),
        },
    ]
}

fn import(name: &str, groups: &[(&str, f64)]) -> RunImport {
    let group = |(task, first): &(&str, f64)| GroupImport {
        task: (*task).to_owned(),
        strategy: "5-shot".into(),
        source: serde_json::json!({"format": "lm-eval"}),
        rows: rows(*first),
    };
    RunImport {
        model: model(name),
        groups: groups.iter().map(group).collect(),
    }
}

#[test]
fn an_import_is_a_finished_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let mut store = Store::open(&path).unwrap();
    let runs = [
        import("a", &[("x", -2.0), ("y", -3.0)]),
        import("b", &[("x", -2.0)]),
    ];
    let outcomes = store.import_runs(&runs).unwrap();
    assert_eq!(
        outcomes,
        [ImportOutcome::New { run: 1 }, ImportOutcome::New { run: 2 }]
    );
    let reader = Reader::open(&path).unwrap();
    let runs = reader.runs().unwrap();
    assert_eq!(runs.len(), 2);
    assert!(runs.iter().all(|run| run.finished_at.is_some()));
    assert_eq!(runs[0].model, model("a"));
    assert_eq!(
        runs[0].groups,
        [("x".into(), "5-shot".into()), ("y".into(), "5-shot".into())]
    );
    let Recorded::Import(imported) = &runs[0].settings else {
        panic!("{:?}", runs[0].settings);
    };
    assert_eq!(imported.groups[1].source["format"], "lm-eval");
    assert_eq!(imported.groups[1].answered, 1);
    let mut read = Vec::new();
    reader.rows(1, 1, |row| read.push(row)).unwrap();
    assert_eq!(read.len(), 2);
    let scores = read[0].scores.as_ref().unwrap();
    assert_eq!(scores.logprobs, [-3.0, -1.0, 12.5]);
    assert_eq!(scores.observed, [true, true, false]);
    assert!(scores.mass.is_nan(), "what is not known stays so");
    assert_eq!(read[0].question.none_of_the_above, Some(1));
    assert_eq!(read[1].question.category.as_deref(), Some("law"));
    assert_eq!(read[0].question.cluster, Some([0; 32]));
    assert_eq!(read[1].question.cluster, None);
    assert_eq!(read[1].error, Some(ScoreError::NoLogprobs));
    // The next run of our own begins beside it.
    let record = sureness_record::RunRecord {
        model: model("a"),
        settings: RunSettings::default(),
    };
    assert_eq!(store.begin_run(&record, [("x", "base")]).unwrap(), 3);
}

#[test]
fn the_same_again_is_known_and_more_is_added() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let mut store = Store::open(&path).unwrap();
    let mut put = |groups: &[(&str, f64)]| store.import_runs(&[import("a", groups)]).unwrap()[0];
    assert_eq!(put(&[("x", -2.0)]), ImportOutcome::New { run: 1 });
    assert_eq!(put(&[("x", -2.0)]), ImportOutcome::Known { run: 1 });
    let added = ImportOutcome::Added { run: 1, groups: 1 };
    assert_eq!(put(&[("x", -2.0), ("y", -2.0)]), added);
    assert_eq!(put(&[("y", -2.0)]), ImportOutcome::Known { run: 1 });
    // Other answers to the same task cannot be in the same run.
    assert_eq!(
        put(&[("x", -2.5), ("z", -1.0)]),
        ImportOutcome::New { run: 2 }
    );
    assert_eq!(
        put(&[("x", -2.0), ("y", -2.0)]),
        ImportOutcome::Known { run: 1 }
    );
    assert_eq!(put(&[("z", -1.0)]), ImportOutcome::Known { run: 2 });
    let reader = Reader::open(&path).unwrap();
    let groups: Vec<usize> = reader
        .runs()
        .unwrap()
        .iter()
        .map(|run| run.groups.len())
        .collect();
    assert_eq!(groups, [2, 2]);
    let mut count = 0;
    reader.rows(1, 1, |_| count += 1).unwrap();
    assert_eq!(count, 2);
}
