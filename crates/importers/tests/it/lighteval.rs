//! Details of lighteval: a real file, and made-up rows in the same layout (`lighteval.py`).

use sureness_importers::{Format, Options, Values};
use sureness_testkit::shared;

use super::common::{Folder, data, imported, named, noted, refused, with};

/// A copy of a made-up file where lighteval would write it.
fn written(folder: &Folder, name: &str) -> std::path::PathBuf {
    let bytes = std::fs::read(data(name)).unwrap();
    folder.write(&format!("details/org/small/2026-11-28T10/{name}"), bytes)
}

#[test]
fn a_real_file_has_its_own_accuracy() {
    let Some(folder) = shared("cases/logs/lighteval") else {
        return;
    };
    let import = &with(&folder, &named("m"))[0];
    assert_eq!(import.format, Format::Lighteval);
    assert_eq!(
        (import.task.as_str(), import.strategy.as_str()),
        ("toy_letters", "0-shot")
    );
    assert_eq!((import.rows.len(), import.answered()), (8, 8));
    assert_eq!(import.values, Values::Labels);
    let scores = import.rows[0].scores.as_ref().unwrap();
    assert_eq!(
        scores.logprobs[0].to_bits(),
        (-21.919_193_267_8_f64).to_bits()
    );
    assert_eq!(import.rows[0].question.right.only().unwrap(), 2);
    let check = import.check.as_ref().unwrap();
    assert!(check.agrees(), "{check:?}");
    assert_eq!(import.accuracy(), Some(check.theirs));
    let said = refused(&folder, &Options::default());
    assert!(said.contains("model's name is missing"), "{said}");
}

#[test]
fn every_metric_is_compared() {
    let folder = Folder::new();
    let imports = imported(&written(&folder, "lighteval_texts.parquet"));
    let import = &imports[0];
    assert_eq!(import.to_string(), "org/small, toy:texts, 5-shot");
    assert_eq!(import.values, Values::Continuations);
    let check = import.check.as_ref().unwrap();
    assert!(check.agrees() && check.metric == "acc", "{check:?}");
    assert_eq!(import.accuracy(), Some(1.0 / 3.0));
    // By character and by token all three are right in the file; the last row's tokens say otherwise.
    let [warning] = &import.warnings[..] else {
        panic!("{:?}", import.warnings);
    };
    assert_eq!(
        warning,
        "acc_norm_token is 66.67 % here and 100.00 % in the file"
    );
    assert!(
        import
            .notes
            .iter()
            .any(|note| note.contains("no comparison with the file's prob"))
    );
}

#[test]
fn cut_prompts_are_told() {
    let folder = Folder::new();
    let imports = imported(&written(&folder, "lighteval_cut.parquet"));
    let warnings = imports[0].warnings.join("\n");
    assert!(
        warnings.contains("cut the prompts of 1 of 2 questions"),
        "{warnings}"
    );
}

#[test]
fn bad_rows_are_named() {
    let folder = Folder::new();
    for (name, expected) in [
        (
            "lighteval_gold.parquet",
            "row 2, field \"doc.gold_index\": the answer 4 is not one of the 2 options",
        ),
        (
            "lighteval_nan.parquet",
            "row 2, field \"model_response.logprobs\": option B of question 1 has no finite log-likelihood, but NaN, an infinity or null",
        ),
        (
            "lighteval_twice.parquet",
            "row 2, field \"doc.id\": duplicate id 0, first seen in row 1",
        ),
        (
            "lighteval_short.parquet",
            "row 2, field \"model_response.logprobs\": expected one score per option, found 1 for 2 options",
        ),
        (
            "lighteval_text.parquet",
            "row 1, field \"model_response.logprobs\": the answer is text",
        ),
    ] {
        let said = refused(&written(&folder, name), &Options::default());
        assert!(said.contains(expected), "{name}: {said}");
    }
    let mut cut = std::fs::read(data("lighteval_texts.parquet")).unwrap();
    cut.truncate(cut.len() / 2);
    let said = refused(&folder.write("cut.parquet", cut), &named("m"));
    assert!(said.contains("cut off"), "{said}");
}

#[test]
fn of_two_dates_the_fuller_is_taken_or_else_the_newer() {
    let folder = Folder::new();
    let texts = std::fs::read(data("lighteval_texts.parquet")).unwrap();
    let cut = std::fs::read(data("lighteval_cut.parquet")).unwrap();
    let at = |date: &str| format!("details/m/{date}/details_toy_{date}.parquet");
    for (date, bytes) in [("2026-11-28T10", &texts), ("2026-11-29T10", &cut)] {
        folder.write(&at(date), bytes.clone());
    }
    let read = |folder: &Folder| {
        let imports = noted(folder.path(), &Options::default());
        assert_eq!(imports.groups.len(), 1);
        (
            imports.groups[0].files[0].name.clone(),
            imports.notes.join("\n"),
        )
    };
    let (name, notes) = read(&folder);
    assert_eq!(name, "details_toy_2026-11-28T10.parquet");
    assert!(notes.contains("has 3 answers, this one 2"), "{notes}");
    folder.write(&at("2026-11-30T10"), texts);
    let (name, notes) = read(&folder);
    assert_eq!(name, "details_toy_2026-11-30T10.parquet");
    assert!(notes.contains("is newer"), "{notes}");
}
