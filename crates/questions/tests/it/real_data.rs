//! The real data sets. Their counts were taken independently, with Python's csv and json modules.

use std::collections::HashSet;
use sureness_hint::Hint;
use sureness_testkit::shared;

use crate::common::{Plain, load, plain};
use sureness_questions::{Question, answers};

fn answer_counts(dataset: &Plain) -> Vec<usize> {
    let rows = || dataset.questions.iter().chain(&dataset.examples);
    let options = rows().map(|row| row.options.len()).max().unwrap_or(0);
    let count = |answer| {
        rows()
            .filter(|row| row.right.only().unwrap() == answer)
            .count()
    };
    (0..options).map(count).collect()
}

fn distinct(questions: &[Question]) -> usize {
    let ids: HashSet<_> = questions.iter().map(|row| &row.id).collect();
    ids.len()
}

#[test]
fn mmlu() {
    let Some(path) = shared("datasets/mmlu") else {
        return;
    };
    let dataset = load(&path, &plain("qa")).unwrap();
    assert_eq!(dataset.questions.len(), 14_042);
    assert_eq!(distinct(&dataset.questions), 14_042);
    let subjects: HashSet<_> = dataset.questions.iter().map(|row| &row.category).collect();
    assert_eq!(subjects.len(), 57);
    let mut counts = [0; 4];
    dataset
        .questions
        .iter()
        .for_each(|row| counts[row.right.only().unwrap()] += 1);
    assert_eq!(counts, [3222, 3462, 3582, 3776]);
    // Of 285 dev rows, 5 are repeated in the test split.
    assert_eq!(dataset.examples.len(), 280);
    let first: HashSet<_> = dataset.examples[..5]
        .iter()
        .map(|row| &row.category)
        .collect();
    assert_eq!(first.len(), 5);
    assert!(dataset.questions.iter().all(|row| row.options.len() == 4));
}

#[test]
fn cosmosqa() {
    let Some(path) = shared("datasets/cosmosqa/valid.csv") else {
        return;
    };
    let dataset = load(&path, &plain("rc")).unwrap();
    assert_eq!(dataset.questions.len() + dataset.examples.len(), 2985);
    assert_eq!(dataset.examples.len(), 5);
    assert_eq!(answer_counts(&dataset), [744, 729, 761, 751]);
    assert!(dataset.questions.iter().all(|row| row.context.is_some()));
}

#[test]
fn emotion() {
    let Some(path) = shared("datasets/emotion/emotion_10k_4.json") else {
        return;
    };
    let dataset = load(&path, &plain("emotion")).unwrap();
    assert_eq!(dataset.questions.len(), 9995);
    assert_eq!(answer_counts(&dataset), [3244, 3860, 1529, 1367, 0, 0]);
    let examples: Vec<_> = dataset.examples.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(examples, ["1", "3", "5", "7", "9"]);

    let keys = answers::read(&path).unwrap();
    assert_eq!(keys.len(), 10_000);
    assert!(keys.iter().all(|key| key.options == Some(6)
        && key.dont_know == Some(4)
        && key.none_of_the_above == Some(5)));
    for (key, question) in keys[10..].iter().zip(&dataset.questions[5..]) {
        assert_eq!(
            (key.id.to_string(), key.right.only().unwrap()),
            (question.id.clone(), question.right.only().unwrap())
        );
    }
}

#[test]
fn answer_key_of_the_paper() {
    let Some(path) = shared("paper/mmlu_10k.json") else {
        return;
    };
    let keys = answers::read(&path).unwrap();
    assert_eq!(keys.len(), 10_000);
    assert!(
        keys.iter()
            .zip(0..)
            .all(|(key, id)| key.id == id && key.options.is_none())
    );
    let letters: Vec<_> = keys[..6]
        .iter()
        .map(|key| key.right.only().unwrap())
        .collect();
    assert_eq!(letters, [0, 0, 1, 0, 0, 2]);

    let error = load(&path, &plain("qa")).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("ids and answers, but no questions"),
        "{error}"
    );
    assert!(error.hint().contains("sureness score"));
}

#[test]
fn a_sample_of_the_real_test_split_covers_most_subjects() {
    let Some(path) = shared("datasets/mmlu") else {
        return;
    };
    let mut dataset = sureness_questions::load(&path, &plain("qa")).unwrap();
    dataset.sample(1000, 7).unwrap();
    let dataset = Plain::from(dataset);
    assert_eq!(dataset.questions.len(), 1000);
    let subjects: HashSet<_> = dataset.questions.iter().map(|row| &row.category).collect();
    assert!(subjects.len() > 50, "{}", subjects.len());
}
