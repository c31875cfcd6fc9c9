//! Thoughts that are cut, refused, filtered or lost before the letters are scored.

use serde_json::Value;
use sureness_faultserver::{Asked, Entry, Fault, Rule, Unsaid};
use sureness_testkit::{Case, results_in, text};

use super::{PRICES, count, playing, requests};
use crate::sampled::{OWN, case};

const QUESTIONS: u64 = 20;
const THOUGHTS: u64 = 4;

/// Whether a request asks for a thought about a question.
fn thinks(asked: &Asked) -> bool {
    let prompt = asked.prompts.first().map_or("", |prompt| prompt);
    prompt.contains("Which item") && prompt.trim_end().ends_with("step by step.")
}

/// Every third request for a thought.
fn some_thoughts(fault: Fault) -> Rule {
    Rule::matching(|asked| thinks(asked) && asked.number % 3 == 0, fault)
}

fn reasoned(rule: Rule, flags: &str) -> (Case, Value) {
    let case = case(playing(rule), QUESTIONS);
    let output = case.run(&format!(
        "run {flags} --answers reasoned --thoughts {THOUGHTS} --think-tokens 32 --retry-delay 0.01 --max-retries 20 \
         --allowed-failures 0.5 {PRICES} {OWN}"
    ));
    assert!(output.status.success(), "{flags}: {}", text(&output.stderr));
    let results = results_in(&case.results());
    (case, results)
}

/// The requests for thoughts, and those for letters.
fn parts(case: &Case) -> (Vec<Entry>, Vec<Entry>) {
    requests(case)
        .into_iter()
        .partition(|entry| thinks(&entry.asked))
}

fn faults(entries: &[Entry]) -> u64 {
    entries.iter().filter(|entry| entry.fault.is_some()).count() as u64
}

#[test]
fn cut_and_empty_thoughts_are_followed_by_letters() {
    for flags in ["", "--chat"] {
        for how in [Unsaid::Cut, Unsaid::Thinking, Unsaid::Empty] {
            let (case, results) = reasoned(some_thoughts(Fault::Unsaid { how }), flags);
            let (thoughts, letters) = parts(&case);
            assert!(faults(&thoughts) > 10, "{flags} {how:?}");
            assert_eq!(count(&results, "thoughts"), QUESTIONS * THOUGHTS);
            assert_eq!(thoughts.len(), letters.len(), "{flags} {how:?}");
            assert_eq!(thoughts.len() as u64, QUESTIONS * THOUGHTS);
        }
    }
}

#[test]
fn a_thought_that_is_withheld_has_no_letters() {
    let withheld = [Unsaid::Filtered, Unsaid::Withheld].map(|how| Fault::Unsaid { how });
    for flags in ["", "--chat"] {
        for fault in withheld.iter().cloned().chain([Fault::ContentFilter]) {
            let (case, results) = reasoned(some_thoughts(fault.clone()), flags);
            let (thoughts, letters) = parts(&case);
            let refused = faults(&thoughts);
            assert!(refused > 10, "{flags} {fault:?}");
            assert_eq!(count(&results, "refused"), refused, "{flags} {fault:?}");
            assert_eq!(count(&results, "thoughts"), QUESTIONS * THOUGHTS - refused);
            assert_eq!(letters.len() as u64, QUESTIONS * THOUGHTS - refused);
        }
    }
}

#[test]
fn a_thought_is_kept_until_its_letters_are_scored() {
    for flags in ["", "--chat"] {
        let rule = Rule::matching(
            |asked| {
                let prompt = asked.prompts.first().map_or("", |prompt| prompt);
                prompt.contains("Which item") && !thinks(asked) && asked.number % 3 == 0
            },
            Fault::InternalError,
        );
        let (case, results) = reasoned(rule, flags);
        let (thoughts, letters) = parts(&case);
        let failed = faults(&letters);
        assert!(failed > 10, "{flags}");
        assert_eq!(count(&results, "thoughts"), QUESTIONS * THOUGHTS);
        assert_eq!(
            thoughts.len() as u64,
            QUESTIONS * THOUGHTS,
            "{flags}: none is paid for twice"
        );
        assert_eq!(
            letters.len() as u64,
            QUESTIONS * THOUGHTS + failed,
            "{flags}"
        );
        let told: u64 = thoughts.iter().map(|entry| entry.tokens.answer).sum();
        let spent = &results["models"][0]["timing"]["spent"];
        assert_eq!(spent["answer_tokens"], told, "{flags}: {spent}");
        let prompts = thoughts.iter().chain(&letters);
        let told: u64 = prompts.map(|entry| entry.tokens.prompt).sum();
        assert_eq!(spent["prompt_tokens"], told, "{flags}: {spent}");
    }
}
