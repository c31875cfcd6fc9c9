//! A judge of equivalence.

use serde_json::Value;
use sureness_faultserver::{
    Fault, FaultServer, Healthy, Key, Rule, Saying, Sayings, Script, When, Words,
};
use sureness_testkit::{Case, ends_with, results_in, says, text};

use super::{EXAMPLES, TASK, case_of, number, open, stem};

pub(super) const COUNT: usize = 100;

/// What is said to each question, with two wrong names that mean the same.
pub(super) fn sayings() -> Sayings {
    let says = |number: usize| {
        let say = |text: String, weight| Saying {
            spellings: vec![text],
            weight,
        };
        vec![
            say(format!("Keeper {number}"), 2.2),
            say(format!("Warden {number}"), 1.8),
            say(format!("The old warden {number}"), 1.8),
            say("Nobody".to_owned(), 0.6),
        ]
    };
    (0..COUNT + EXAMPLES)
        .map(|number| (stem(number), says(number)))
        .collect()
}

fn asked_case() -> Case {
    let script = Script {
        server: Healthy {
            key: Some("sk-model".to_owned()),
            open: Some(sayings()),
            words: Some(Words::default()),
            ..Healthy::default()
        },
        ..Script::default()
    };
    case_of(script, COUNT)
}

/// The first line of what the judge is asked.
fn asked(number: usize, first: &str, second: &str) -> String {
    format!(
        "Do the answers \"{first}\" and \"{second}\" to the question \"{}\" mean the same?",
        stem(number)
    )
}

/// The answers of a question as they are first spelled.
fn spellings(number: usize) -> Vec<String> {
    [
        format!("Keeper {number}"),
        format!("Warden {number}"),
        format!("The old warden {number}"),
        "Nobody".to_owned(),
    ]
    .iter()
    .flat_map(|text| [text.clone(), format!("{text}."), format!("**{text}**")])
    .collect()
}

/// A judge that says yes of both names of the warden, in one order or both, and no of all others.
pub(super) fn judge(yes_in_both_orders: bool, rules: Vec<Rule>) -> FaultServer {
    let say = |letter: &str| {
        vec![Saying {
            spellings: vec![letter.to_owned()],
            weight: 1.0,
        }]
    };
    let mut all = Vec::new();
    for number in 0..COUNT + EXAMPLES {
        for first in spellings(number) {
            for second in spellings(number) {
                let wardens = [&first, &second].map(|it| it.to_lowercase().contains("warden"));
                let yes = wardens == [true, true]
                    && (yes_in_both_orders || !first.to_lowercase().contains("old"));
                let letter = say(if yes { "A" } else { "B" });
                all.push((asked(number, &first, &second), letter));
            }
        }
    }
    let script = Script {
        server: Healthy {
            model: "judge-model".to_owned(),
            key: Some("sk-judge".to_owned()),
            open: Some(all.into_iter().collect()),
            words: Some(Words::default()),
            ..Healthy::default()
        },
        rules,
        ..Script::default()
    };
    FaultServer::start(script).unwrap()
}

/// Runs with a judge whose key is in a variable of its own.
fn run(case: &Case, judge: &FaultServer, more: &str) -> std::process::Output {
    let line = format!(
        "run --chat --answers sampled --samples 12 {TASK} --judge judge-model --judge-base {} {more}",
        judge.base()
    );
    let mut command = case.command(&line);
    command.env("SURENESS_API_KEY", "sk-model");
    command.env("SURENESS_JUDGE_API_KEY", "sk-judge");
    command.output().unwrap()
}

/// Comparisons that the judge was asked.
fn comparisons(judge: &FaultServer) -> usize {
    let log = judge.log();
    let prompts = log.iter().flat_map(|entry| entry.asked.prompts.iter());
    prompts
        .filter(|prompt| prompt.contains("mean the same?"))
        .count()
}

fn judged(results: &Value) -> &Value {
    &results["models"][0]["groups"][0]["judged"]
}

#[test]
fn answers_that_mean_the_same_are_one_meaning() {
    let case = asked_case();
    let line = format!("run --chat --answers sampled --samples 12 {TASK}");
    let mut command = case.command(&line);
    command.env("SURENESS_API_KEY", "sk-model");
    ends_with(&command.output().unwrap(), 0);
    let exact = results_in(&case.results());
    let judge = judge(true, Vec::new());
    let output = run(&case, &judge, "");
    ends_with(&output, 0);
    let results = results_in(&case.results());
    let (before, after) = (open(&exact), open(&results));
    // The answers are those of the first run, from the cache.
    assert_eq!(results["models"][0]["timing"]["asked"], 0);
    assert!(
        number(before, "meanings") > number(after, "meanings") + 0.7,
        "{before} {after}"
    );
    assert!(number(before, "semantic_entropy") > number(after, "semantic_entropy") + 0.2);
    // The wardens together are more frequent than the keeper.
    assert!(
        number(before, "acc") > number(after, "acc") + 0.05,
        "{before} {after}"
    );
    let same = judged(&results)["same"].as_u64().unwrap();
    assert!((70..=100).contains(&same), "{}", judged(&results));
    assert_eq!(judged(&results)["undecided"], 0);
    let settings = &results["settings"]["judge"];
    assert_eq!(settings["model"]["name"], "judge-model");
    assert_eq!(settings["pairs"], 45);
    let timing = &results["models"][0]["timing"]["judge"];
    let asked = comparisons(&judge);
    assert_eq!(timing["asked"], asked);
    assert!(timing["spent"]["prompt_tokens"].as_u64().unwrap() > 1000);
    // Every yes takes a second request; nothing else does.
    assert_eq!(
        asked as u64,
        judged(&results)["compared"].as_u64().unwrap() + same
    );
    let log = judge.log();
    assert!(log.iter().all(|entry| entry.asked.key == Key::Right));
    let of_model = case.server.log();
    assert!(of_model.iter().all(|entry| entry.asked.key != Key::Wrong));
    // The model's own tokens are counted without the judge's.
    let own = |results: &Value| results["models"][0]["timing"]["spent"]["prompt_tokens"].clone();
    assert_eq!(own(&results), 0);
    says(
        &text(&output.stderr),
        &["the judge compared", "mean the same"],
    );

    // Asked again, everything is known; figures are equal, and so are those of an analysis.
    judge.clear_log();
    ends_with(&run(&case, &judge, ""), 0);
    let again = results_in(&case.results());
    assert_eq!(comparisons(&judge), 0);
    assert_eq!(open(&again), after);
    let line = "analyze results --output-dir out --formats json";
    ends_with(&case.sureness(line).output().unwrap(), 0);
    let document = std::fs::read_to_string(case.path("out/report.json")).unwrap();
    says(&document, &["grouped by the judge judge-model"]);
    assert!(document.contains(&after["semantic_entropy"].to_string()));
    // What a question's set and meanings are shown with.
    let shown = text(&case.sureness("show results 7").output().unwrap().stdout);
    let entropy = text(&case.sureness("show results#1 7").output().unwrap().stdout);
    assert_ne!(shown, entropy);
}

#[test]
fn a_yes_in_one_order_alone_is_a_no() {
    let case = asked_case();
    let judge = judge(false, Vec::new());
    ends_with(&run(&case, &judge, ""), 0);
    let results = results_in(&case.results());
    assert_eq!(judged(&results)["same"], 0, "{}", judged(&results));
    assert!(judged(&results)["compared"].as_u64().unwrap() > 100);
}

#[test]
fn a_judge_that_was_stopped_goes_on_where_it_was() {
    let case = asked_case();
    let judge = judge(true, Vec::new());
    ends_with(&run(&case, &judge, ""), 0);
    let whole = results_in(&case.results());
    let all = comparisons(&judge);
    // The same answers without the judge's, in a store of their own.
    let mut command = case.asking(
        &format!("run --chat --answers sampled --samples 12 {TASK} --cache-from results"),
        "again",
    );
    command.env("SURENESS_API_KEY", "sk-model");
    ends_with(&command.output().unwrap(), 0);
    judge.clear_log();
    let part = |more: &str| {
        let line = format!(
            "run --chat --answers sampled --samples 12 {TASK} --judge judge-model --judge-base {} {more}",
            judge.base()
        );
        let mut command = case.asking(&line, "again");
        command.env("SURENESS_API_KEY", "sk-model");
        command.env("SURENESS_JUDGE_API_KEY", "sk-judge");
        command.output().unwrap()
    };
    let output = part("--max-tokens-total 4000");
    ends_with(&output, 1);
    says(&text(&output.stderr), &["4000", "larger limit"]);
    let before = comparisons(&judge);
    assert!(before > 0 && before < all, "{before} of {all}");
    ends_with(&part(""), 0);
    assert_eq!(comparisons(&judge), all, "nothing was asked twice");
    let resumed = results_in(&case.path("again"));
    assert_eq!(open(&resumed), open(&whole));
    assert_eq!(judged(&resumed), judged(&whole));
}

#[test]
fn a_bound_on_pairs_is_kept_and_told() {
    let case = asked_case();
    let judge = judge(true, Vec::new());
    let output = run(&case, &judge, "--judge-pairs 1");
    ends_with(&output, 0);
    let results = results_in(&case.results());
    assert!(judged(&results)["compared"].as_u64().unwrap() <= COUNT as u64);
    assert!(judged(&results)["cut"].as_u64().unwrap() > 20);
    says(&text(&output.stderr), &["left apart by --judge-pairs"]);
}

#[test]
fn a_judge_that_fails_leaves_answers_apart_and_says_so() {
    let case = asked_case();
    let refusal = Fault::Status {
        status: 400,
        message: "the prompt was filtered".to_owned(),
    };
    let no = Rule::new(When::Contains("mean the same?".into()), [refusal]);
    let judge = judge(true, vec![no]);
    let output = run(&case, &judge, "");
    ends_with(&output, 0);
    let results = results_in(&case.results());
    let judged = judged(&results);
    assert_eq!(judged["same"], 0, "{judged}");
    assert_eq!(judged["compared"], judged["undecided"], "{judged}");
    says(
        &text(&output.stderr),
        &[
            "warning: judge judge-model",
            "without an answer",
            "the prompt was filtered",
            "hint: ",
        ],
    );
}

#[test]
fn what_a_judge_cannot_do_is_refused_before_anything_is_asked() {
    let case = asked_case();
    let judge = judge(true, Vec::new());
    let base = judge.base();
    let refused = |line: &str, parts: &[&str]| {
        let mut command = case.command(line);
        command.env("SURENESS_API_KEY", "sk-model");
        command.env("SURENESS_JUDGE_API_KEY", "sk-judge");
        let output = command.output().unwrap();
        ends_with(&output, 2);
        says(&text(&output.stderr), parts);
    };
    refused(
        &format!("run --judge judge-model --judge-base {base} --sample-size 5 --progress none"),
        &["no task has any", "hint: leave out --judge"],
    );
    let open = format!("run --chat --answers sampled --samples 2 {TASK} --judge-base {base}");
    refused(
        &format!("{open} --judge other-model"),
        &["--judge: ", "other-model"],
    );
    refused(
        &format!(
            "run --chat --answers sampled --samples 2 {TASK} --judge j --judge-base http://127.0.0.1:1/v1"
        ),
        &[
            "--judge: cannot reach",
            "that --judge-base names its address",
        ],
    );
    refused(
        &format!("{open} --judge judge-model --max-cost 1 --price-in 1 --price-out 1"),
        &["no price of the judge's tokens", "--judge-price-in"],
    );
    assert_eq!(case.questions().len(), 0, "nothing was asked");
    // A dry run tells how much a judge may add.
    let output = case
        .command(&format!("{open} --judge judge-model --dry-run"))
        .output()
        .unwrap();
    ends_with(&output, 0);
    says(&text(&output.stdout), &["Judge: 200 comparisons at most"]);
}
