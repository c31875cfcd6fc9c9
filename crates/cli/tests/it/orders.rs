//! Questions in several orders of their options, asked of a model with a known preference for letters.
#![cfg(unix)]

mod auto;
mod bad_input;
mod kept;

use std::fmt::Write;

use serde_json::Value;
use sureness_faultserver::{Beliefs, Capacity, Healthy, Script};
use sureness_testkit::{Case, ends_with, results_in, text};

use super::sampled::unit;

/// Of the questions in a file, those that are kept as few-shot examples and never asked.
const EXAMPLES: u64 = 5;
/// What each letter adds to the logit of the option beside it.
const BIAS: [f64; 4] = [1.2, 0.1, -0.4, -0.9];
const OWN: &str = "--data own=own.jsonl --prompt-strategies base --shots 0 --progress none";

/// A question's stem, the logits of its options without a letter, and the right one.
fn question(number: u64) -> (String, [f64; 4], usize) {
    let answer = (unit(number, 9) * 4.0) as usize;
    let mut beliefs = [0, 1, 2, 3].map(|option| 2.0 * unit(number, option));
    beliefs[answer] += 0.9;
    (
        format!("Which item has the number {number}?"),
        beliefs,
        answer,
    )
}

fn option(number: u64, option: usize) -> String {
    format!("entry {number}-{option}")
}

/// A model that knows the options of `count` questions.
fn script(count: u64) -> Script {
    let of_question = |number| {
        let (_, beliefs, _) = question(number);
        let beliefs = beliefs.into_iter().enumerate();
        beliefs.map(move |(index, logit)| (option(number, index), logit))
    };
    let abstentions = ["I don't know", "None of the above"].map(|it| (it.to_owned(), -2.0));
    let beliefs: Beliefs = (0..count + EXAMPLES)
        .flat_map(of_question)
        .chain(abstentions)
        .collect();
    Script {
        server: Healthy {
            beliefs: Some(beliefs),
            letter_bias: BIAS.into(),
            ..Healthy::default()
        },
        ..Script::default()
    }
}

fn slow(count: u64) -> Script {
    script(count).capacity(Capacity {
        base_ms: 10,
        ..Capacity::default()
    })
}

/// A case with a file of `count` questions.
fn case(script: Script, count: u64) -> Case {
    let case = Case::new(script);
    let mut lines = String::new();
    for number in 0..count + EXAMPLES {
        let (stem, _, answer) = question(number);
        let options: Vec<String> = (0..4).map(|index| option(number, index)).collect();
        let answer = ["A", "B", "C", "D"][answer];
        let row = serde_json::json!({
            "id": number, "question": stem, "options": options, "answer": answer,
        });
        let _ = writeln!(lines, "{row}");
    }
    std::fs::write(case.path("own.jsonl"), lines).unwrap();
    case
}

/// What the model answers to the questions, by hand.
struct ByHand {
    /// Share of questions whose answer is not the same in all orders.
    changed: f64,
    /// Accuracy in order 1, and by the mean probabilities.
    accuracy: [f64; 2],
    /// In the order that shows the right option at each letter.
    by_letter: [f64; 4],
}

/// Probabilities of the options in the order of the question, when they are turned by so many places.
fn shown(number: u64, places: usize) -> [f64; 6] {
    let (_, beliefs, _) = question(number);
    let mut weights = [(-2.0_f64).exp(); 6];
    for (index, belief) in beliefs.into_iter().enumerate() {
        weights[index] = (belief + BIAS[(index + 4 - places) % 4]).exp();
    }
    let sum: f64 = weights.iter().sum();
    weights.map(|weight| weight / sum)
}

fn top(probabilities: &[f64]) -> usize {
    let mut best = 0;
    for (index, value) in probabilities.iter().enumerate() {
        if *value > probabilities[best] {
            best = index;
        }
    }
    best
}

fn by_hand(asked: &[u64]) -> ByHand {
    let n = asked.len() as f64;
    let mut found = ByHand {
        changed: 0.0,
        accuracy: [0.0; 2],
        by_letter: [0.0; 4],
    };
    for &number in asked {
        let (_, _, right) = question(number);
        let orders = [0, 1, 2, 3].map(|places| shown(number, places));
        let tops = orders.each_ref().map(|order| top(order));
        let mean: Vec<f64> = (0..6)
            .map(|option| orders.iter().map(|order| order[option]).sum())
            .collect();
        found.changed += f64::from(u8::from(tops.iter().any(|it| *it != tops[0]))) / n;
        found.accuracy[0] += f64::from(u8::from(tops[0] == right)) / n;
        found.accuracy[1] += f64::from(u8::from(top(&mean) == right)) / n;
        for (letter, share) in found.by_letter.iter_mut().enumerate() {
            let places = (right + 4 - letter) % 4;
            *share += f64::from(u8::from(tops[places] == right)) / n;
        }
    }
    found
}

/// The numbers of the questions that the server was asked, each once.
fn numbers(case: &Case) -> Vec<u64> {
    let prompts = case.questions();
    let number = |prompt: &String| {
        let (_, rest) = prompt.rsplit_once("Which item has the number ")?;
        rest.split_once('?')?.0.parse().ok()
    };
    let mut numbers: Vec<u64> = prompts.iter().filter_map(number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// How many different prompts the server was asked. It may see some again, to measure its noise.
fn prompts(case: &Case) -> u64 {
    let mut prompts = case.questions();
    prompts.sort_unstable();
    prompts.dedup();
    prompts.len() as u64
}

/// The tables of an analysis of `results`, by their ids: for each row its cells by column.
fn tables(case: &Case, results: &str, flags: &str) -> Value {
    let line = format!("analyze {results} --modes order --formats json --output-dir out {flags}");
    let output = case.sureness(&line).output().unwrap();
    ends_with(&output, 0);
    let text = std::fs::read_to_string(case.path("out/report.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let mut tables = serde_json::Map::new();
    for table in document["sections"][0]["tables"].as_array().unwrap() {
        let columns = table["columns"].as_array().unwrap();
        let row = |row: &Value| -> Value {
            let cells = columns.iter().zip(row.as_array().unwrap());
            let named = cells.map(|(column, cell)| {
                let key = column["key"].as_str().unwrap().to_owned();
                (key, cell.clone())
            });
            Value::Object(named.collect())
        };
        let rows: Vec<Value> = table["rows"].as_array().unwrap().iter().map(row).collect();
        tables.insert(table["id"].as_str().unwrap().to_owned(), rows.into());
    }
    tables.into()
}

/// The value of a figure's cell.
fn value(cell: &Value) -> f64 {
    let figure = cell.pointer("/figure/value").or_else(|| cell.get("value"));
    figure
        .and_then(Value::as_f64)
        .unwrap_or_else(|| panic!("no figure: {cell}"))
}

fn close(one: f64, other: f64) {
    assert!((one - other).abs() < 1e-6, "{one} and {other}");
}

#[test]
fn all_orders_together_have_no_letter_and_figures_are_those_computed_by_hand() {
    const COUNT: u64 = 400;
    let case = case(script(COUNT), COUNT);
    ends_with(&case.run(&format!("run {OWN} --orders 4")), 0);
    let asked = numbers(&case);
    assert_eq!(asked.len() as u64, COUNT);
    assert_eq!(prompts(&case), 4 * COUNT);
    let hand = by_hand(&asked);

    let results = results_in(&case.results());
    assert_eq!(results["settings"]["orders"]["each"], 4);
    let model = &results["models"][0];
    let strategies: Vec<&str> = model["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["strategy"].as_str().unwrap())
        .collect();
    assert_eq!(
        strategies,
        ["base", "base/2", "base/3", "base/4", "base/averaged"]
    );
    // The headline is that of all orders together.
    assert_eq!(
        model["mean"]["acc"],
        model["groups"][4]["evaluation"]["acc"]
    );
    assert_eq!(model["tasks"][0]["strategies"], 1);

    let tables = tables(&case, "results", "");
    let changes = &tables["order-changes"][0];
    close(value(&changes["changed"]), hand.changed);
    assert!(
        hand.changed > 0.3,
        "the bias moves answers: {}",
        hand.changed
    );
    let letters = tables["order-letters"].as_array().unwrap();
    assert_eq!(letters.len(), 6);
    for (letter, share) in letters.iter().zip(hand.by_letter) {
        close(value(&letter["acc_orders"]), share);
    }
    let weighted = |key: &str| -> f64 {
        let parts = letters.iter().take(4);
        let sum: f64 = parts.map(|it| value(&it[key]) * value(&it["n"])).sum();
        sum / COUNT as f64
    };
    close(weighted("acc"), hand.accuracy[0]);
    close(weighted("acc_together"), hand.accuracy[1]);
    let spread = |key: &str| {
        let shares = letters.iter().take(4).map(|it| value(&it[key]));
        let (low, high) = shares.fold((1.0_f64, 0.0_f64), |(low, high), share| {
            (low.min(share), high.max(share))
        });
        high - low
    };
    // Letters matter before and not after; what is left is the luck of a hundred questions each.
    assert!(spread("acc") > 0.4, "{}", spread("acc"));
    assert!(spread("acc_orders") > 0.4, "{}", spread("acc_orders"));
    assert!(spread("acc_together") < 0.2, "{}", spread("acc_together"));

    // The prior of the letters is that of the server, and a correction by it gives the same answers.
    let weights = BIAS.map(f64::exp);
    let sum: f64 = weights.iter().sum();
    for (row, weight) in tables["order-prior"]
        .as_array()
        .unwrap()
        .iter()
        .zip(weights)
    {
        close(value(&row["prior"]), weight / sum);
    }
    let error = &tables["order-pride"][0];
    close(value(&error["prior_n"]), 40.0);
    assert!(
        value(&error["corrected_moved"]) < 0.3 * value(&error["moved"]),
        "{error}"
    );
    assert!(
        value(&error["corrected_answers"]) < 0.1 * value(&error["answers"]),
        "{error}"
    );
    let figures = tables["order-figures"].as_array().unwrap();
    assert_eq!(figures.len(), 6, "each order, averaged, corrected");
    assert_eq!(tables["order-differences"].as_array().unwrap().len(), 2);
}
