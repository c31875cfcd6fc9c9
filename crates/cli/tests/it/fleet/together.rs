//! Nothing goes wrong, or nothing that cannot be planned for.

use std::time::Duration;

use serde_json::Value;
use sureness_faultserver::{Capacity, Fault, FaultServer, Rule, Script};

use super::{Case, Process, ends_with, text};

const RUN: &str = "run --tasks qa rc drs --sample-size 60";
const QUESTIONS: u64 = 540;

fn steady() -> Script {
    Script::healthy().capacity(Capacity {
        base_ms: 10,
        ..Capacity::default()
    })
}

#[test]
fn three_workers_end_with_the_figures_of_one_machine() {
    let Some(case) = Case::new(steady()) else {
        return;
    };
    case.alone(RUN, "alone");
    case.server.clear_log();
    let workers: Vec<_> = ["w1", "w2", "w3"].map(|name| case.worker(name)).into();
    let coordinator = case.coordinator(RUN, "together");
    assert_eq!(coordinator.end(), 0, "{}", case.said("coordinator"));
    case.alike("together", "alone");
    for worker in workers {
        assert_eq!(worker.end(), 0);
    }
    // The end of a run is no outage.
    assert!(!case.said("coordinator").contains("unreachable"));
    // All had a share, and each says how large it was.
    let shares = ["w1", "w2", "w3"].map(|name| {
        let said = case.said(name);
        assert!(!said.contains("unreachable"), "{said}");
        let (_, after) = said.split_once("has ended: ").unwrap();
        after.split(' ').next().unwrap().parse::<u64>().unwrap()
    });
    assert!(shares.iter().all(|share| *share > 20), "{shares:?}");
    // The run asks twenty of them three times again, for the noise floor.
    assert_eq!(shares.iter().sum::<u64>(), QUESTIONS + 60, "{shares:?}");
}

#[test]
fn workers_answer_several_orders_of_the_options_as_one_machine_does() {
    let Some(case) = Case::new(steady()) else {
        return;
    };
    let line = "run --tasks qa --sample-size 60 --prompt-strategies base --orders 3";
    case.alone(line, "alone");
    let workers: Vec<_> = ["w1", "w2"].map(|name| case.worker(name)).into();
    assert_eq!(case.coordinator(line, "together").end(), 0);
    case.alike("together", "alone");
    assert!(case.figures("together").contains("base/averaged"));
    for worker in workers {
        assert_eq!(worker.end(), 0);
    }
}

#[test]
fn failures_are_carried_over_with_their_type() {
    let odd = Rule::matching(
        |asked| {
            let prompt = asked.prompts.first().map(ToString::to_string);
            prompt.is_some_and(|prompt| prompt.contains("Answer:") && prompt.len() % 23 == 0)
        },
        Fault::Status {
            status: 400,
            message: "not this one".to_owned(),
        },
    );
    let Some(case) = Case::new(steady().rule(odd)) else {
        return;
    };
    let line = format!("{RUN} --allowed-failures 1");
    case.alone(&line, "alone");
    let _worker = case.worker("w1");
    assert_eq!(case.coordinator(&line, "together").end(), 0);
    case.alike("together", "alone");
    assert!(case.figures("together").contains("not this one"));
}

#[test]
fn a_worker_with_another_model_is_sent_away() {
    let Some(case) = Case::new(steady()) else {
        return;
    };
    let mut other = Script::healthy();
    other.server.model = "another-model".to_owned();
    let other = FaultServer::start(other).unwrap();
    let _first = case.worker("w1");
    let coordinator = case.coordinator(RUN, "together");
    case.wait_for("a worker", || case.said("coordinator").contains("+ "));
    let mut wrong = case.meeting("worker");
    wrong.args(["--api-base", &other.base()]);
    let output = wrong.output().unwrap();
    ends_with(&output, 2);
    let said = text(&output.stderr);
    assert!(
        said.contains("refuses this worker")
            && said.contains("fault-model")
            && said.contains("hint:"),
        "{said}"
    );
    assert_eq!(coordinator.end(), 0);
    assert!(case.said("coordinator").contains("another-model"));
}

#[test]
fn a_worker_that_is_asked_to_go_gives_back_what_it_has() {
    let Some(case) = Case::new(steady()) else {
        return;
    };
    case.alone(RUN, "alone");
    case.server.clear_log();
    let leaving = case.worker("w1");
    let coordinator = case.coordinator(RUN, "together");
    case.wait_for("an answer", || case.server.counts().prompts_answered > 60);
    leaving.signal("-TERM");
    assert_eq!(leaving.end(), 130);
    assert!(case.said("w1").contains("went back"));
    let _other = case.worker("w2");
    assert_eq!(coordinator.end(), 0);
    case.alike("together", "alone");
    assert!(!case.said("coordinator").contains("answered twice"));
}

#[test]
fn a_stopped_coordinator_goes_on_where_it_was() {
    let Some(case) = Case::new(steady()) else {
        return;
    };
    case.alone(RUN, "alone");
    case.server.clear_log();
    let _worker = case.worker("w1");
    let coordinator = case.coordinator(RUN, "together");
    case.wait_for("an answer", || case.server.counts().prompts_answered > 100);
    coordinator.signal("-INT");
    assert_eq!(coordinator.end(), 130);
    // Meanwhile the worker finishes what had been given out.
    std::thread::sleep(Duration::from_millis(800));
    assert_eq!(case.coordinator(RUN, "together").end(), 0);
    assert!(
        case.said("coordinator")
            .contains("Continuing after an earlier coordinator")
    );
    case.alike("together", "alone");
    assert!(!case.said("coordinator").contains("answered twice"));
}

#[test]
fn whoever_asks_is_told_how_it_goes() {
    let Some(case) = Case::new(steady()) else {
        return;
    };
    let _workers = ["w1", "w2"].map(|name| case.worker(name));
    let coordinator = case.coordinator(RUN, "together");
    case.wait_for("two workers", || {
        case.said("coordinator").matches("+ ").count() >= 2
    });
    let output = case.meeting("status --output json").output().unwrap();
    ends_with(&output, 0);
    let status: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(status["workers"].as_array().unwrap().len(), 2);
    assert_eq!(status["lanes"][0]["model"], "fault-model");
    let output = case.meeting("status").output().unwrap();
    ends_with(&output, 0);
    assert!(text(&output.stdout).contains("2 workers"));
    // A second coordinator would ask everything twice.
    let second = case.meeting(RUN).output().unwrap();
    ends_with(&second, 2);
    assert!(text(&second.stderr).contains("--run-name"));
    assert_eq!(coordinator.end(), 0);
    let output = case.meeting("status").output().unwrap();
    ends_with(&output, 2);
    assert!(text(&output.stderr).contains("no coordinator answers"));
}

/// Two models, the second of which has a worker.
fn one_of_two() -> Option<(Case, FaultServer, Process)> {
    let case = Case::new(steady())?;
    let mut other = steady();
    "another-model".clone_into(&mut other.server.model);
    let other = FaultServer::start(other).unwrap();
    let mut worker = case.meeting("worker");
    worker.args(["--api-base", &other.base()]);
    let worker = case.spawn(worker, "w2");
    Some((case, other, worker))
}

const TWO: &str = "compare --models fault-model another-model --tasks qa --sample-size 40";

#[test]
fn two_models_are_measured_at_the_same_time() {
    let Some((case, _other, _second)) = one_of_two() else {
        return;
    };
    let coordinator = case.coordinator(TWO, "together");
    // The second has got to its end before the first has a worker.
    case.wait_for("the second model", || {
        let said = case.said("coordinator");
        said.matches("another-model: qa/").count() == 3
    });
    let _first = case.worker("w1");
    assert_eq!(coordinator.end(), 0, "{}", case.said("coordinator"));
    let figures: Value = serde_json::from_str(&case.figures("together")).unwrap();
    assert_eq!(figures["models"][0]["name"], "fault-model");
    assert_eq!(figures["models"][1]["name"], "another-model");
    assert_eq!(figures["models"][1]["groups"][0]["answered"], 40);
}

#[test]
fn a_model_without_workers_costs_the_others_nothing() {
    let Some((case, _other, _second)) = one_of_two() else {
        return;
    };
    let coordinator = case.coordinator(&format!("{TWO} --give-up-after 2"), "together");
    assert_eq!(coordinator.end(), 2);
    let said = case.said("coordinator");
    let reason = "gave up after 2 s without a worker with the model fault-model";
    assert!(said.contains(reason), "{said}");
    let figures: Value = serde_json::from_str(&case.figures("together")).unwrap();
    assert_eq!(figures["models"].as_array().unwrap().len(), 1);
    assert_eq!(figures["models"][0]["name"], "another-model");
}
