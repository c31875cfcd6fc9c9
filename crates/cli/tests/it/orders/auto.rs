//! `--orders auto`: the prior of the letters from a part of the questions.

use super::*;

#[test]
fn a_part_of_the_questions_gives_the_prior_that_is_taken_out_of_all() {
    const COUNT: u64 = 400;
    let case = case(script(COUNT), COUNT);
    ends_with(&case.run(&format!("run {OWN} --orders auto")), 0);
    // Each question once, and a tenth in three more orders.
    assert_eq!(prompts(&case), COUNT + 3 * 40);
    let asked = numbers(&case);
    let results = results_in(&case.results());
    assert_eq!(results["settings"]["orders"]["auto"]["share"], 0.1);
    let model = &results["models"][0];
    let groups = model["groups"].as_array().unwrap();
    let planned: Vec<u64> = groups
        .iter()
        .map(|group| group["planned"].as_u64().unwrap())
        .collect();
    assert_eq!(planned, [COUNT, 40, 40, 40, COUNT]);
    assert_eq!(groups[4]["strategy"], "base/corrected");
    assert_eq!(model["mean"]["acc"], groups[4]["evaluation"]["acc"]);

    let tables = tables(&case, "results", "");
    let weights = BIAS.map(f64::exp);
    let sum: f64 = weights.iter().sum();
    for (row, weight) in tables["order-prior"]
        .as_array()
        .unwrap()
        .iter()
        .zip(weights)
    {
        close(value(&row["prior"]), weight / sum);
        close(value(&row["n"]), 40.0);
    }
    // Without the letters' factors the most probable option is the one that the model believes in,
    // unless an abstention option is.
    let believed = |number: u64| {
        let (_, beliefs, right) = question(number);
        let own = shown(number, 0);
        let total: f64 = own[..4].iter().sum();
        let sum: f64 = beliefs.iter().map(|it| it.exp()).sum();
        let corrected: Vec<f64> = beliefs
            .iter()
            .map(|it| total * it.exp() / sum)
            .chain([own[4], own[5]])
            .collect();
        top(&corrected) == right
    };
    let right = asked.iter().filter(|number| believed(**number)).count();
    let letters = tables["order-letters"].as_array().unwrap();
    let parts = letters.iter().take(4);
    let sum: f64 = parts
        .map(|it| value(&it["acc_together"]) * value(&it["n"]))
        .sum();
    close(sum, right as f64);

    // A run in all orders has the answers of the part.
    ends_with(&case.run(&format!("run {OWN} --orders 4 --recheck 0")), 0);
    let timing = &results_in(&case.results())["models"][0]["timing"];
    assert_eq!(timing["asked"], 3 * (COUNT - 40));
}

/// The tenth that is asked in further orders has too few questions for a threshold of its own; the
/// headline figures do not come from it.
#[test]
fn a_list_of_runs_tells_of_the_figures_that_it_shows() {
    const COUNT: u64 = 100;
    let case = case(script(COUNT), COUNT);
    ends_with(&case.run(&format!("run {OWN} --orders auto")), 0);
    let output = case.sureness("runs results").output().unwrap();
    ends_with(&output, 0);
    let table = text(&output.stdout);
    assert!(!table.contains("full sets"), "{table}");
    assert!(table.contains("100 (130 prompts)"), "{table}");
}
