//! Parts of a run that draws answers in words.

use std::collections::BTreeMap;

use sureness_faultserver::{Fault, Rule, Script, Unsaid, Words};
use sureness_store::Reader;

use super::{Case, ends_with, results_in, script, shard, slow, text};

/// Without `n`, each answer is a request of its own.
const SAMPLED: &str = "run --models small large --tasks qa rc --sample-size 40 \
                       --prompt-strategies base --allowed-failures 0.5 \
                       --answers sampled --api responses --samples 5";
const REASONED: &str = "run --models small large --tasks qa rc --sample-size 40 \
                        --prompt-strategies base --allowed-failures 0.5 \
                        --answers reasoned --thoughts 1";

/// A server whose answers depend on the prompt and on how often it was asked, so that parts draw what the
/// whole run draws. It refuses a few questions.
fn drawn(script: Script) -> Script {
    let refuses = Rule::matching(
        |asked| {
            let mut prompts = asked.prompts.iter();
            prompts.any(|prompt| prompt.contains("Answer:") && prompt.len() % 7 == 0)
        },
        Fault::Unsaid {
            how: Unsaid::Refusal,
        },
    );
    let mut script = script.rule(refuses);
    script.server.words = Some(Words {
        by_repeat: true,
        ..Words::default()
    });
    script
}

/// What a run stored of the answers to each question, by model, group and question; in no order, since
/// answers to one prompt arrive in any.
fn answers(case: &Case, name: &str) -> BTreeMap<(String, usize, String), Vec<String>> {
    let reader = Reader::open(&case.path(name).join("sureness.sqlite")).unwrap();
    let mut all = BTreeMap::new();
    for run in reader.runs().unwrap() {
        for group in 0..run.groups.len() {
            let mut ids = Vec::new();
            let rows = reader.rows(run.id, group, |row| ids.push(row.question.id.clone()));
            rows.unwrap();
            for id in ids {
                let place = &reader.locate(run.id, &id).unwrap();
                let place = place.iter().find(|place| place.group == group).unwrap();
                let stored = reader.answers(run.id, group, place.position).unwrap();
                let words = stored
                    .iter()
                    .filter_map(|stored| Some(&stored.answer.as_ref()?.0));
                let mut texts: Vec<String> = words.map(|words| format!("{words:?}")).collect();
                texts.sort();
                all.insert((run.model.name.clone(), group, id), texts);
            }
        }
    }
    all
}

#[test]
fn shards_of_drawn_answers_are_the_whole_run() {
    for line in [SAMPLED, REASONED] {
        let case = Case::new(drawn(script()));
        ends_with(&case.ask(line, "whole"), 0);
        case.server.clear_log();
        case.ask_shards(line, 5);
        ends_with(&case.merge("merged shards --allowed-failures 0.5"), 0);
        assert_eq!(case.figures("merged"), case.figures("whole"));
        assert_eq!(case.csv("merged"), case.csv("whole"));
        let stored = answers(&case, "merged");
        assert_eq!(stored, answers(&case, "whole"));
        assert_eq!(stored.len(), 160);
        // And again, into the same folder.
        let again = case.merge("merged shards --allowed-failures 0.5");
        let stderr = text(&again.stderr);
        assert!(stderr.contains("0 new questions"), "{stderr}");
        assert_eq!(case.figures("merged"), case.figures("whole"));
    }
}

#[test]
fn a_shard_that_was_killed_is_merged_with_what_it_has_and_completed() {
    let case = Case::new(drawn(slow()));
    let second = format!("{SAMPLED} --shard 2/2");
    case.kill_in_the_middle(&second, &shard(2), 60);
    ends_with(&case.ask(&format!("{SAMPLED} --shard 1/2"), &shard(1)), 0);
    let early = case.merge("merged shards --allowed-failures 1 --allow-missing");
    let stderr = text(&early.stderr);
    assert!(stderr.contains("1 of 2 shards"), "{stderr}");
    let count = |name: &str| {
        let group = results_in(&case.path(name))["models"][0]["groups"][0].clone();
        group["drawn"]["answers"].as_u64().unwrap()
    };
    assert!(count("merged") < 200, "some answers are missing");
    ends_with(&case.ask(&second, &shard(2)), 0);
    ends_with(&case.merge("merged shards --allowed-failures 0.5"), 0);
    assert_eq!(count("merged"), 200);
    // Those of a question that the server rejects are all missing.
    let stored = answers(&case, "merged");
    assert!(stored.values().all(|texts| matches!(texts.len(), 0 | 5)));
    assert!(stored.values().filter(|texts| texts.is_empty()).count() < 20);
}
