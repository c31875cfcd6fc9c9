//! Parts of a run that version 0.1.0 began and this version ends.

use std::path::Path;

use sureness_conformal::SplitRule;
use sureness_store::{Reader, Store};

use super::{Case, ends_with, results_in, script, shard, text};

const RUN: &str = "run --model small --tasks qa --sample-size 60 --prompt-strategies base \
                   --allowed-failures 0.2";
const MERGE: &str = "--allowed-failures 0.2";

/// Makes the run of a shard one of version 0.1.0, which wrote no split rule down.
fn forget_the_rule(folder: &Path) {
    let path = folder.join("sureness.sqlite");
    let run = Reader::open(&path).unwrap().run(1).unwrap();
    let mut settings = run.settings.run().unwrap().clone();
    assert_eq!(settings.evaluation.split, SplitRule::Ordered);
    settings.evaluation.split = SplitRule::Hash;
    Store::open(&path)
        .unwrap()
        .amend_record(1, &settings)
        .unwrap();
}

#[test]
fn they_are_merged_under_the_rule_that_the_run_was_begun_with() {
    let case = Case::new(script());
    case.ask_shards(RUN, 3);
    let rule = |name: &str| {
        let results = results_in(&case.path(name));
        results["settings"]["evaluation"].get("split").cloned()
    };
    // If all parts are of this version, later parts keep its rule.
    let some = case.merge(&format!("ours shards/1 shards/3 --allow-missing {MERGE}"));
    ends_with(&some, 0);
    assert_eq!(rule("ours"), Some("ordered".into()));

    forget_the_rule(&case.path(shard(2)));
    for (name, order) in [
        ("ahead", "shards/2 shards/1 shards/3"),
        ("behind", "shards/1 shards/3 shards/2"),
    ] {
        let output = case.merge(&format!("{name} {order} {MERGE}"));
        ends_with(&output, 0);
        assert_eq!(rule(name), None);
        let stderr = text(&output.stderr);
        assert!(
            stderr.contains("Split rule: hash (version 0.1.0)"),
            "{stderr}"
        );
    }
    assert_eq!(case.figures("ahead"), case.figures("behind"));

    let output = case.merge(&format!("ours shards/2 {MERGE}"));
    ends_with(&output, 0);
    assert_eq!(rule("ours"), Some("ordered".into()));
    let model = &results_in(&case.path("ours"))["models"][0];
    assert_eq!(model["complete"], true);
}
