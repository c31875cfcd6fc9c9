//! Which models of saved logits an analysis takes, and which it compares.

use super::*;

const WITH_KEY: &str = "--questions key.json --drop-ids none";

/// The words of an analysis, without line breaks.
fn words(folder: &tempfile::TempDir, line: &str) -> String {
    let (stdout, _) = done(folder.path(), line);
    stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_model_that_is_not_selected_is_not_judged() {
    let folder = folder(&[
        ("a1_t_base.csv", &plain()),
        ("b_t_base.csv", "not logits"),
        ("key.json", &key(letter)),
    ]);
    let line = format!("analyze a1_t_base.csv b_t_base.csv {WITH_KEY} --models");
    done(folder.path(), &format!("{line} a1"));
    says(
        &refused(folder.path(), &format!("{line} zzz")),
        &["no model name contains \"zzz\"", "choose among a1, b"],
    );
}

#[test]
fn models_with_different_answers_are_not_compared() {
    let shifted = |id| letter(id + usize::from(id == 5)).to_owned();
    let folder = folder(&[
        ("a_t_base.csv", &table("answer", |id| letter(id).to_owned())),
        ("b_t_base.csv", &table("answer", shifted)),
    ]);
    done(
        folder.path(),
        "import a_t_base.csv b_t_base.csv --output-dir both",
    );
    says(
        &refused(folder.path(), "analyze both"),
        &[
            "id 5 of t has the right answer B for a, but C for b",
            "--models",
        ],
    );
    done(folder.path(), "analyze both --models a");
}

#[test]
fn zero_shot_and_few_shot_files_are_two_strategies() {
    let plain = plain();
    let folder = folder(&[
        ("a_t_base_icl0.csv", &plain),
        ("a_t_base_icl1.csv", &plain),
        ("b_t_base_icl1.csv", &plain),
        ("key.json", &key(letter)),
    ]);
    let two = words(
        &folder,
        &format!("analyze a_t_base_icl0.csv b_t_base_icl1.csv {WITH_KEY}"),
    );
    says(
        &two,
        &[
            "The models cannot be compared: they have no question in common in the same task",
            "base-0-shot",
        ],
    );
    let one = words(
        &folder,
        &format!("analyze a_t_base_icl0.csv a_t_base_icl1.csv {WITH_KEY}"),
    );
    says(&one, &["base-0-shot"]);
}

#[test]
fn models_with_other_numbers_of_options_are_not_compared() {
    let wide = table("E,F", |_| "-8,-9".to_owned());
    let folder = folder(&[
        ("a_t_base_icl1.csv", &plain()),
        ("b_t_base_icl1.csv", &wide),
        ("key.json", &key(letter)),
    ]);
    let line = format!("analyze a_t_base_icl1.csv b_t_base_icl1.csv {WITH_KEY}");
    says(
        &words(&folder, &line),
        &["The models are not compared: a had 4 options and b had 6"],
    );
}
