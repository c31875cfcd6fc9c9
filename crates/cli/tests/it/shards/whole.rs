//! All parts are there: the merge is the run that one process would have made.

use sureness_faultserver::{FaultServer, Script};

use super::{Case, ends_with, figures_in, results_in, script, shard, slow, text};

const RUN: &str = "run --models small large --tasks qa rc --sample-size 96 \
                   --prompt-strategies base task_specific --allowed-failures 0.2 \
                   --max-workers 4";
/// The one with questions enough for each of few parts.
const SHORT: &str = "run --models small large --tasks qa rc --sample-size 40 \
                     --prompt-strategies base --allowed-failures 0.2";

#[test]
fn sixteen_shards_of_which_three_are_killed_and_started_again_are_the_whole_run() {
    let case = Case::new(slow());
    ends_with(&case.ask(RUN, "whole"), 0);
    case.server.clear_log();
    for index in 1..=16 {
        let line = format!("{RUN} --shard {index}/16");
        match index {
            // In the first model, at its end or in the second one, whatever the shard's size.
            3 => case.kill_in_the_middle(&line, &shard(index), 5),
            8 => case.kill_in_the_middle(&line, &shard(index), 18),
            16 => case.kill_in_the_middle(&line, &shard(index), 30),
            _ => ends_with(&case.ask(&line, &shard(index)), 0),
        }
    }
    // A model that a shard never came to is missing there, and so said.
    let early = case.merge("merged shards --allowed-failures 0.2");
    ends_with(&early, 1);
    let stderr = text(&early.stderr);
    for name in ["3 (shards/3 is unfinished)", "8", "16"] {
        assert!(stderr.contains(name), "{stderr}");
    }
    assert!(!case.path("merged").exists());

    for index in [16, 3, 8] {
        let line = format!("{RUN} --shard {index}/16");
        ends_with(&case.ask(&line, &shard(index)), 0);
    }
    ends_with(&case.merge("merged shards --allowed-failures 0.2"), 0);
    assert_eq!(case.figures("merged"), case.figures("whole"));
    assert_eq!(case.csv("merged"), case.csv("whole"));
    // The run has failed questions to carry over, not only answers.
    assert!(case.figures("whole").contains("rejected"));

    // Merging again changes nothing, in whatever order and however often an input is named.
    let store = std::fs::read(case.path("merged/sureness.sqlite")).unwrap();
    let again = "merged shards/7 shards/3 shards shards/3/sureness.sqlite --allowed-failures 0.2";
    let output = case.merge(again);
    ends_with(&output, 0);
    assert!(text(&output.stderr).contains("0 new questions"));
    assert_eq!(case.figures("merged"), case.figures("whole"));
    let after = std::fs::read(case.path("merged/sureness.sqlite")).unwrap();
    assert_eq!(store.len(), after.len());
}

#[test]
fn the_published_split_depends_on_the_order_and_finds_it_restored() {
    for flags in [
        "--protocol paper",
        "--protocol paper --seed 7 --error-rate 0.2",
    ] {
        let line = format!("{SHORT} {flags}");
        let case = Case::new(script());
        ends_with(&case.ask(&line, "whole"), 0);
        case.ask_shards(&line, 5);
        ends_with(&case.merge("merged shards --allowed-failures 0.2"), 0);
        assert_eq!(case.figures("merged"), case.figures("whole"), "{flags}");
    }
}

#[test]
fn a_merge_takes_what_comes_later_and_what_was_merged_before() {
    let case = Case::new(script());
    ends_with(&case.ask(SHORT, "whole"), 0);
    case.ask_shards(SHORT, 4);
    let merge = |line: &str| {
        ends_with(&case.merge(&format!("{line} --allowed-failures 0.2")), 0);
    };
    // Into the same folder, the later ones first.
    merge("out shards/4 shards/2 --allow-missing");
    assert_ne!(case.figures("out"), case.figures("whole"));
    merge("out shards/1 shards/3");
    assert_eq!(case.figures("out"), case.figures("whole"));
    // And as a tree.
    merge("left shards/1 shards/2 --allow-missing");
    merge("right shards/3 shards/4 --allow-missing");
    merge("tree left right");
    assert_eq!(case.figures("tree"), case.figures("whole"));
    // A run into a merge's folder finds its answers there.
    case.server.clear_log();
    merge("part shards/1 shards/2 shards/3 --allow-missing");
    ends_with(&case.ask(SHORT, "part"), 0);
    assert_eq!(case.figures("part"), case.figures("whole"));
    merge("part shards/4");
    assert_eq!(case.figures("part"), case.figures("whole"));
}

#[test]
fn every_shard_asks_other_questions_and_all_of_them_ask_each_once() {
    let case = Case::new(script());
    let count = |case: &Case| {
        let mut prompts: Vec<String> = case
            .server
            .log()
            .iter()
            .flat_map(|entry| entry.asked.prompts.iter().map(ToString::to_string))
            .filter(|prompt| prompt.contains("Answer:"))
            .collect();
        prompts.sort();
        prompts
    };
    ends_with(&case.ask(SHORT, "whole"), 0);
    let whole = count(&case);
    case.server.clear_log();
    case.ask_shards(SHORT, 7);
    assert_eq!(count(&case), whole);
}

#[test]
fn there_may_be_more_shards_than_questions() {
    let line = "run --tasks qa --sample-size 6 --prompt-strategies base --allowed-failures 1";
    let case = Case::new(script());
    ends_with(&case.ask(line, "whole"), 0);
    case.ask_shards(line, 16);
    ends_with(&case.merge("merged shards --allowed-failures 1"), 0);
    assert_eq!(case.figures("merged"), case.figures("whole"));
}

#[test]
fn a_shards_figures_are_shown_as_what_they_are() {
    let case = Case::new(script());
    let line = format!("{SHORT} --shard 1+1/3");
    let mut command = case.sureness(&format!("{line} --progress plain --output-dir part"));
    let output = command
        .args(["--api-base", &case.server.base()])
        .output()
        .unwrap();
    ends_with(&output, 0);
    let stderr = text(&output.stderr);
    assert!(
        stderr.contains("this is shard 2/3: ") && stderr.contains(" of 80"),
        "{stderr}"
    );
    assert!(
        stderr.contains("shard 2/3: these figures cover only part"),
        "{stderr}"
    );
    let results = results_in(&case.path("part"));
    assert_eq!(results["settings"]["shard"]["index"], 2);
    assert_eq!(results["settings"]["shard"]["of"], 3);
    let analysis = case.sureness("analyze part").output().unwrap();
    ends_with(&analysis, 0);
    let told = text(&analysis.stderr) + &text(&analysis.stdout);
    assert!(told.contains("is shard 2/3, only part"), "{told}");
}

#[test]
fn each_shard_may_have_a_server_of_its_own() {
    let case = Case::new(script());
    let line = "run --model small --tasks qa --sample-size 40 --prompt-strategies base \
                --allowed-failures 0.2";
    ends_with(&case.ask(line, "whole"), 0);
    for index in 1..=2 {
        let script: Script = script();
        let server = FaultServer::start(script).unwrap();
        let mut command = case.sureness(&format!("{line} --shard {index}/2 --progress none"));
        command.args(["--output-dir", &shard(index), "--api-base", &server.base()]);
        ends_with(&command.output().unwrap(), 0);
    }
    ends_with(&case.merge("merged shards --allowed-failures 0.2"), 0);
    let groups = |name: &str| results_in(&case.path(name))["models"][0]["groups"].clone();
    assert_eq!(groups("merged"), groups("whole"));
    assert!(!figures_in(&case.path("merged")).is_empty());
}
