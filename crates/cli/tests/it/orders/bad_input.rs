//! What cannot be asked in several orders is refused before anything is asked.

use sureness_testkit::{says, text};

use super::*;

#[test]
fn what_has_no_orders_is_refused_with_a_reason() {
    let case = case(script(20), 20);
    let refused = |flags: &str, words: &[&str]| {
        let output = case.run(&format!("run {OWN} {flags}"));
        ends_with(&output, 2);
        says(&text(&output.stderr), words);
        assert!(case.questions().is_empty(), "{flags}");
    };
    refused(
        "--orders 0",
        &["--orders", "whole number from 1 on, or auto"],
    );
    refused(
        "--orders many",
        &["--orders", "whole number from 1 on, or auto"],
    );
    refused(
        "--orders 5",
        &[
            "no question of task own has more than 4 options of its own",
            "hint: give at most --orders 4",
        ],
    );
    for answers in ["sampled", "reasoned"] {
        refused(
            &format!("--orders 4 --answers {answers}"),
            &["--orders asks for letters", answers, "hint: "],
        );
    }
    refused(
        "--orders 4 --prior-share 0.2",
        &["--prior-share is about --orders auto"],
    );
    refused("--orders auto --prior-share 2", &["between 0 and 1"]);
    refused(
        "--orders 4 --models a b --until settled",
        &["--until does not work with --orders", "hint: "],
    );
    refused(
        "--orders 4 --dry-run --answers sampled",
        &["--orders asks for letters"],
    );

    let open = serde_json::json!({"id": 1, "question": "Who?", "answers": ["she"]});
    std::fs::write(case.path("open.jsonl"), format!("{open}\n")).unwrap();
    let line = "run --data facts=open.jsonl --shots 0 --orders 2 --answers sampled";
    let output = case.run(line);
    ends_with(&output, 2);
    let fixed = serde_json::json!({
        "id": 1, "question": "Which?", "options": ["one", "two", "all of the above"], "answer": "C",
    });
    std::fs::write(case.path("fixed.jsonl"), format!("{fixed}\n")).unwrap();
    for orders in ["2", "auto"] {
        let line = format!("run --data own=fixed.jsonl --shots 0 --orders {orders}");
        let output = case.run(&line);
        ends_with(&output, 2);
        says(
            &text(&output.stderr),
            &["can be shown in another order", "hint: "],
        );
    }
}
