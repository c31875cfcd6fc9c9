//! Runs that were evaluated under other settings.

use sureness_faultserver::Script;
use sureness_testkit::{Case, ends_with, says, text};

const RUN: &str =
    "run --tasks qa --sample-size 60 --prompt-strategies base --shots 0 --progress none";

#[test]
fn the_settings_are_those_of_the_runs_that_are_chosen() {
    let case = Case::new(Script::healthy());
    for (folder, rate) in [("a", "0.3"), ("b", "0.1")] {
        let line = format!("{RUN} --error-rate {rate}");
        ends_with(&case.asking(&line, folder).output().unwrap(), 0);
    }
    let analyze = |flags: &str| {
        let output = case
            .sureness(&format!("analyze x=a y=b {flags}"))
            .output()
            .unwrap();
        ends_with(&output, 0);
        text(&output.stdout) + &text(&output.stderr)
    };
    let both = analyze("--modes basic");
    says(
        &both,
        &[
            "α 0.3",
            "x and y were evaluated apart (error rate 0.3 and 0.1)",
        ],
    );
    let one = analyze("--modes basic --models y");
    says(&one, &["α 0.1"]);
    assert!(!one.contains("evaluated apart"), "{one}");
}
