//! What is drawn at random: seeded, and by content instead of by place.

use std::collections::{HashMap, HashSet};

use crate::common::{Plain, load_dataset, load_text, plain};
use proptest::prelude::*;
use sureness_questions::{Dataset, LoadOptions, Question};

fn csv(rows: impl IntoIterator<Item = usize>) -> String {
    let rows = rows.into_iter().map(|row| {
        let letter = ["A", "B", "C", "D"][row % 4];
        let category = row % 7;
        format!("q{row},c{category},Number {row}?,a,b,c,d,{letter}\n")
    });
    let header = "id,category,question,A,B,C,D,answer\n".to_owned();
    std::iter::once(header).chain(rows).collect()
}

fn whole(rows: impl IntoIterator<Item = usize>) -> Dataset {
    load_dataset("x.csv", csv(rows), &plain("mine")).unwrap()
}

fn dataset(rows: impl IntoIterator<Item = usize>) -> Plain {
    whole(rows).into()
}

fn ids(questions: &[Question]) -> Vec<&str> {
    questions.iter().map(|row| row.id.as_str()).collect()
}

fn sampled(mut dataset: Dataset, n: usize, seed: u64) -> HashSet<String> {
    dataset.sample(n, seed).unwrap();
    dataset
        .questions
        .iter()
        .map(|row| row.unwrap().id)
        .collect()
}

#[test]
fn worked_examples_differ_in_category_and_answer_and_are_never_asked() {
    let dataset = dataset(0..200);
    assert_eq!((dataset.examples.len(), dataset.questions.len()), (5, 195));
    let categories: HashSet<_> = dataset.examples.iter().map(|row| &row.category).collect();
    assert_eq!(categories.len(), 5);
    let answers: HashSet<_> = dataset
        .examples
        .iter()
        .map(|row| row.right.only().unwrap())
        .collect();
    assert_eq!(answers.len(), 4);
    let asked: HashSet<_> = ids(&dataset.questions).into_iter().collect();
    assert!(
        dataset
            .examples
            .iter()
            .all(|row| !asked.contains(row.id.as_str()))
    );
}

#[test]
fn another_seed_draws_other_examples_and_another_sample() {
    let options = LoadOptions {
        seed: 1,
        ..plain("mine")
    };
    let other = load_text("x.csv", csv(0..200), &options).unwrap();
    assert_ne!(ids(&other.examples), ids(&dataset(0..200).examples));
    assert_ne!(sampled(whole(0..200), 50, 0), sampled(whole(0..200), 50, 1));
}

#[test]
fn copies_of_a_question_are_drawn_one_by_one() {
    // Drawn together, 100 rows out of 5 copies of 200 would hold 20 questions; one by one about
    // 200 · (1 − 0.9^5) = 82 of them.
    let questions = (0..200).flat_map(|row| {
        (0..5).map(move |copy| format!("q{row}-{copy},x,Number {row}?,a,b,c,d,A\n"))
    });
    let header = "id,category,question,A,B,C,D,answer\n".to_owned();
    let text: String = std::iter::once(header).chain(questions).collect();
    let mut dataset = load_dataset("x.csv", text, &plain("mine")).unwrap();
    dataset.sample(100, 3).unwrap();
    let dataset = Plain::from(dataset);
    let distinct: HashSet<_> = dataset.questions.iter().map(|row| &row.stem).collect();
    assert!((70..95).contains(&distinct.len()), "{}", distinct.len());
}

#[test]
fn a_sample_keeps_the_order_and_is_part_of_any_larger_one() {
    let mut small = whole(0..200);
    small.sample(20, 3).unwrap();
    let small = Plain::from(small);
    assert_eq!(small.questions.len(), 20);
    assert!(
        small
            .questions
            .is_sorted_by_key(|row| row.id[1..].parse::<usize>().unwrap())
    );
    let large = sampled(whole(0..200), 60, 3);
    assert!(small.questions.iter().all(|row| large.contains(&row.id)));
    assert_eq!(sampled(whole(0..200), 1000, 3).len(), 195);
}

#[test]
fn ids_and_categories_do_not_enter_the_digest() {
    let mut question = dataset(0..20).questions.remove(0);
    let digest = question.content_digest();
    question.id = "other".to_owned();
    question.category = None;
    assert_eq!(question.content_digest(), digest);
    question.options.swap(0, 1);
    assert_ne!(question.content_digest(), digest);
}

proptest! {
    #[test]
    fn row_order_changes_no_draw(order in Just((0..60).collect::<Vec<usize>>()).prop_shuffle()) {
        let straight = dataset(0..60);
        let shuffled = dataset(order.clone());
        prop_assert_eq!(ids(&straight.examples), ids(&shuffled.examples));
        prop_assert_eq!(sampled(whole(0..60), 20, 5), sampled(whole(order), 20, 5));
    }

    #[test]
    fn more_rows_only_displace(more in 1_usize..60) {
        let (mut before, mut after) = (whole(0..100), whole(0..100 + more));
        // The examples may change with the rows; the draw of the sample is what is tested.
        for dataset in [&mut before, &mut after] {
            for example in &dataset.examples {
                dataset.questions.push(example).unwrap();
            }
        }
        let before = sampled(before, 30, 9);
        for id in sampled(after, 30, 9) {
            let old = id[1..].parse::<usize>().unwrap() < 100;
            prop_assert!(!old || before.contains(&id));
        }
    }
}

fn halueval(rows: impl IntoIterator<Item = usize>) -> HashMap<String, Vec<String>> {
    let lines: Vec<_> = rows
        .into_iter()
        .map(|row| {
            format!(
                r#"{{"document": "Document {row}", "right_summary": "Right {row}", "hallucinated_summary": "Wrong {row}"}}"#
            )
        })
        .collect();
    let dataset = load_text("x.jsonl", lines.join("\n"), &plain("ds")).unwrap();
    let rows = dataset.questions.into_iter().chain(dataset.examples);
    rows.map(|row| (row.context.unwrap(), row.options))
        .collect()
}

#[test]
fn drawn_options_hang_on_content() {
    let all = halueval(0..400);
    assert_eq!(all, halueval((0..400).rev()), "row order");
    let more = halueval(0..420);
    let same = all
        .iter()
        .filter(|(context, options)| more[*context] == **options);
    // Twenty of 420 rows are new; each drawn option has about a 5 % chance of a new neighbour.
    assert!(
        same.count() > 330,
        "added rows must leave most questions as they were"
    );
}

#[test]
fn drawn_options_are_all_over_the_set_and_answers_all_over_the_letters() {
    let all = halueval(0..2000);
    let mut letters = [0_usize; 4];
    let mut strangers = HashSet::new();
    for (context, options) in &all {
        let number = context.strip_prefix("Document ").unwrap();
        let right = format!("Right {number}");
        letters[options.iter().position(|option| *option == right).unwrap()] += 1;
        strangers.extend(
            options
                .iter()
                .filter(|option| !option.ends_with(&format!(" {number}"))),
        );
    }
    // Binomial(2000, 1/4): mean 500, standard deviation 19.4; the bound is five of them.
    assert!(
        letters.iter().all(|count| count.abs_diff(500) < 97),
        "{letters:?}"
    );
    // 4000 draws from 4000 texts with unequal gaps: half of them or so come at least once.
    assert!(strangers.len() > 1500, "{}", strangers.len());
}

#[test]
fn equal_texts_of_a_pair_are_one_option() {
    let mut lines: Vec<_> = (0..4)
        .map(|row| format!(r#"{{"dialogue_history": "D{row}", "right_response": "R{row}", "hallucinated_response": "W{row}"}}"#))
        .collect();
    lines.push(
        r#"{"dialogue_history": "same", "right_response": "S", "hallucinated_response": "S"}"#
            .to_owned(),
    );
    let dataset = load_text("x.jsonl", lines.join("\n"), &plain("drs")).unwrap();
    for row in dataset.questions.iter().chain(&dataset.examples) {
        let distinct: HashSet<_> = row.options.iter().collect();
        assert_eq!(distinct.len(), 4);
    }
}
