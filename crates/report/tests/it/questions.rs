//! Answers as Parquet: what is written reads back, here and in Python.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use proptest::prelude::*;
use sureness_analysis::{GroupId, GroupRows};
use sureness_conformal::{Covers, PredictionSet, Protocol, RightOptions, Row, Table};
use sureness_hint::Hint;
use sureness_report::questions::{
    Layout, QuestionWriter, QuestionsError, RowSets, ScoreKind, write_questions,
};

/// A question of a made-up group.
#[derive(Debug, Clone)]
struct Answered {
    logits: Vec<f64>,
    /// A bit for each right option.
    right: u32,
    category: Option<u32>,
    lac: Option<Vec<usize>>,
    test: bool,
}

fn set(options: &[usize]) -> PredictionSet {
    let mut set = PredictionSet::EMPTY;
    for &option in options {
        set.insert(option);
    }
    set
}

fn group(rows: &[Answered]) -> (GroupRows, RowSets) {
    let mut table = Table::new(6);
    let mut sets = RowSets::default();
    for (number, row) in rows.iter().enumerate() {
        let key = [number as u8; 32];
        let answered = Row {
            cluster: None,
            key: &key,
            logits: (&row.logits).into(),
            right: RightOptions::from_mask(row.right).unwrap(),
            dont_know: None,
            none_of_the_above: None,
        };
        table.push(key, &answered, row.category).unwrap();
        let lac = row.lac.as_deref().map(set);
        sets.lac.push(lac);
        sets.aps
            .push(lac.map(|_| PredictionSet::full(row.logits.len())));
        sets.test.push(row.test);
    }
    let group = GroupRows {
        drawn: Vec::new(),
        clustered: false,
        id: GroupId {
            task: "qa".into(),
            strategy: "base".into(),
        },
        title: "Question answering".into(),
        ids: (0..rows.len())
            .map(|number| format!("q/{number} é"))
            .collect(),
        table,
        categories: vec!["law".into(), "biology".into()],
        mass: vec![0.75; rows.len()],
        bounded: (0..rows.len()).map(|row| row % 2 == 1).collect(),
        planned: rows.len(),
    };
    (group, sets)
}

fn rows() -> Vec<Answered> {
    vec![
        Answered {
            logits: vec![-1.0, -2.0, -3.0, -4.0, -5.0, -6.0],
            right: 1,
            category: Some(1),
            lac: Some(vec![0, 1, 3]),
            test: true,
        },
        Answered {
            logits: vec![0.5, 0.5, -1.25],
            right: 0b100,
            category: None,
            lac: None,
            test: false,
        },
    ]
}

const SIX: Layout = Layout {
    options: 6,
    scores: &[ScoreKind::LogProbs],
    several_right: false,
};

fn write(path: &Path, rows: &[Answered]) -> u64 {
    let (group, sets) = group(rows);
    write_questions(path, SIX, |writer| {
        writer.write(
            "a model",
            &group,
            ScoreKind::LogProbs,
            &sets,
            Protocol::Standard,
        )
    })
    .unwrap()
}

/// All rows as lists of names and values.
fn read(path: &Path) -> Vec<Vec<(String, Field)>> {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| row.unwrap().into_columns()).collect()
}

fn get<'a>(row: &'a [(String, Field)], name: &str) -> &'a Field {
    let (_, field) = row.iter().find(|(column, _)| column == name).unwrap();
    field
}

fn words(text: &str) -> Field {
    Field::Str(text.to_owned())
}

#[test]
fn a_file_says_all_about_its_questions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("questions.parquet");
    assert_eq!(write(&path, &rows()), 2);
    let rows = read(&path);
    let names: Vec<&str> = rows[0].iter().map(|(name, _)| name.as_str()).collect();
    insta::assert_snapshot!("question_columns", names.join("\n"));
    for (name, value) in [
        ("model", words("a model")),
        ("task", words("qa")),
        ("strategy", words("base")),
        ("id", words("q/0 é")),
        ("category", words("biology")),
        ("split", words("test")),
        ("options", Field::Int(6)),
        ("answer_index", Field::Int(0)),
        ("answer", words("A")),
        ("top", words("A")),
        ("correct", Field::Bool(true)),
        ("tied", Field::Bool(false)),
        ("logprob_F", Field::Double(-6.0)),
        ("lac_set", words("ABD")),
        ("lac_size", Field::Int(3)),
        ("covered_lac", Field::Bool(true)),
        ("aps_set", words("ABCDEF")),
        ("aps_size", Field::Int(6)),
        ("mass", Field::Double(0.75)),
        ("bounded", Field::Bool(false)),
        ("key", words(&"00".repeat(32))),
        ("cluster", Field::Null),
    ] {
        assert_eq!(*get(&rows[0], name), value, "{name}");
    }
    for (name, value) in [
        ("category", Field::Null),
        ("split", words("calibration")),
        ("options", Field::Int(3)),
        ("answer", words("C")),
        ("correct", Field::Bool(false)),
        ("tied", Field::Bool(true)),
        ("logprob_C", Field::Double(-1.25)),
        ("logprob_D", Field::Null),
        ("prob_D", Field::Null),
        ("lac_set", Field::Null),
        ("lac_size", Field::Null),
        ("covered_lac", Field::Null),
        ("bounded", Field::Bool(true)),
    ] {
        assert_eq!(*get(&rows[1], name), value, "{name}");
    }
    // e^-1 / (e^-1 + … + e^-6) = (1 - e^-1) / (1 - e^-6)
    let Field::Double(first) = get(&rows[0], "prob_A") else {
        panic!("prob_A is a number");
    };
    let expected = (1.0 - (-1.0_f64).exp()) / (1.0 - (-6.0_f64).exp());
    assert!((first - expected).abs() < 1e-12, "{first} {expected}");
}

#[test]
fn many_rows_go_out_in_groups() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("questions.parquet");
    let (group, sets) = group(&vec![rows(); 100].concat());
    let written = write_questions(&path, SIX, |writer| {
        for model in 0..330 {
            writer.write(
                &format!("model {model}"),
                &group,
                ScoreKind::LogProbs,
                &sets,
                Protocol::Paper,
            )?;
        }
        Ok(())
    });
    assert_eq!(written.unwrap(), 66_000);
    let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
    let groups = reader.metadata().row_groups().iter();
    let sizes: Vec<i64> = groups
        .map(parquet::file::metadata::RowGroupMetaData::num_rows)
        .collect();
    assert_eq!(sizes, [65_536, 464]);
    let second = reader.get_row_group(1).unwrap();
    let rows: Vec<_> = second
        .get_row_iter(None)
        .unwrap()
        .map(|row| row.unwrap().into_columns())
        .collect();
    assert_eq!(*get(&rows[0], "model"), words("model 327"));
    assert_eq!(*get(&rows[0], "id"), words("q/136 é"));
    assert_eq!(*get(&rows[463], "model"), words("model 329"));
}

#[test]
fn what_does_not_fit_is_refused_and_no_file_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("questions.parquet");
    let (group, mut sets) = group(&rows());
    let narrow = Layout { options: 3, ..SIX };
    let error = write_questions(&path, narrow, |writer| {
        writer.write("m", &group, ScoreKind::LogProbs, &sets, Protocol::Standard)
    })
    .unwrap_err();
    assert!(error.to_string().contains("has 6 options"), "{error}");
    assert!(error.to_string().contains("questions.parquet"), "{error}");
    assert!(!error.hint().is_empty());
    sets.aps.pop();
    let mut writer = QuestionWriter::new(Vec::new(), SIX).unwrap();
    let error = writer
        .write("m", &group, ScoreKind::LogProbs, &sets, Protocol::Standard)
        .unwrap_err();
    assert!(
        matches!(
            error,
            QuestionsError::Length {
                list: "aps",
                found: 1,
                rows: 2
            }
        ),
        "{error}"
    );
    assert!(QuestionWriter::new(Vec::new(), Layout { options: 1, ..SIX }).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// pandas, Polars and `DuckDB` see the same rows; see the script for what they are asked.
#[test]
fn python_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("questions.parquet");
    write(&path, &rows());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    // `make verify` has them all; elsewhere the test makes do with what is there.
    let every = std::env::var_os("SURENESS_VERIFY_PYTHON");
    let script = root.join("scripts/verify/parquet.py");
    let mut command = Command::new(every.as_deref().unwrap_or("python3".as_ref()));
    command.arg(script).arg(&path);
    if every.is_some() {
        command.arg("--all");
    }
    let output = match command.output() {
        Ok(output) => output,
        Err(error) if every.is_some() => panic!("{error}"),
        Err(_) => {
            eprintln!("skipped: there is no python3");
            return;
        }
    };
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    // The script's code for: none of the libraries is here.
    if output.status.code() == Some(3) {
        eprintln!("skipped: {said}");
        return;
    }
    assert!(output.status.success(), "{said}");
}

fn any_row() -> impl Strategy<Value = Answered> {
    (
        prop::collection::vec(-30.0..30.0_f64, 2..=6),
        1..64_u32,
        prop::option::of(0..2_u32),
        prop::option::of(prop::collection::btree_set(0..6_usize, 0..6)),
        any::<bool>(),
    )
        .prop_map(|(logits, right, category, lac, test)| Answered {
            right: (right & ((1 << logits.len()) - 1)).max(1),
            lac: lac.map(|set| set.into_iter().filter(|&o| o < logits.len()).collect()),
            logits,
            category,
            test,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn any_rows_read_back(
        rows in prop::collection::vec(any_row(), 0..40),
        covers in prop::sample::select(vec![Covers::Any, Covers::All]),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("questions.parquet");
        let (group, mut sets) = group(&rows);
        sets.covers = covers;
        let layout = Layout { several_right: true, ..SIX };
        write_questions(&path, layout, |writer| {
            writer.write("a", &group, ScoreKind::LogProbs, &sets, Protocol::Standard)
        }).unwrap();
        let back = read(&path);
        prop_assert_eq!(back.len(), rows.len());
        for (back, row) in back.iter().zip(&rows) {
            let mut total = 0.0;
            for (option, letter) in ('A'..='F').enumerate() {
                let score = get(back, &format!("logprob_{letter}"));
                let expected = row.logits.get(option).map_or(Field::Null, |&x| Field::Double(x));
                prop_assert_eq!(score, &expected);
                if let Field::Double(p) = get(back, &format!("prob_{letter}")) {
                    total += p;
                }
            }
            prop_assert!((total - 1.0).abs() < 1e-9);
            let best = row.logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let right: Vec<usize> = (0..6).filter(|option| row.right >> option & 1 == 1).collect();
            let correct = right.iter().any(|&option| row.logits[option].total_cmp(&best).is_eq());
            let correct = Field::Bool(correct);
            if get(back, "tied") == &Field::Bool(false) {
                prop_assert_eq!(get(back, "correct"), &correct);
            }
            let letters = row.lac.as_ref().map_or(Field::Null, |set| {
                words(&set.iter().map(|&o| char::from(b'A' + o as u8)).collect::<String>())
            });
            prop_assert_eq!(get(back, "lac_set"), &letters);
            let covered = row.lac.as_ref().map_or(Field::Null, |set| {
                let holds = |option: &usize| set.contains(option);
                Field::Bool(match covers {
                    Covers::Any => right.iter().any(holds),
                    Covers::All => right.iter().all(holds),
                })
            });
            let index = match right[..] {
                [only] => Field::Int(i32::from(only as u8)),
                _ => Field::Null,
            };
            prop_assert_eq!(get(back, "answer_index"), &index);
            let named: Vec<String> = right.iter().map(|&o| char::from(b'A' + o as u8).to_string()).collect();
            prop_assert_eq!(get(back, "answer"), &words(&named.join(", ")));
            prop_assert_eq!(get(back, "covered_lac"), &covered);
            let split = if row.test { "test" } else { "calibration" };
            prop_assert_eq!(get(back, "split"), &words(split));
        }
    }
}
