//! Runs that stop early, with workers on other machines.

use std::time::Duration;

use sureness_faultserver::{Capacity, Healthy, Script};
use sureness_testkit::{results_in, says};

use super::{Case, Process};

/// Two names for one model, which are equal in every figure.
const LINE: &str = "compare --models one two --tasks qa rc drs --shots 0 --prompt-strategies base \
                    --until settled --margin acc=25pp,size=1.5 --seed 5";

/// A server that answers to any model's name.
fn any_model() -> Script {
    Script {
        server: Healthy {
            check_model: false,
            ..Healthy::default()
        },
        ..Script::healthy().capacity(Capacity {
            base_ms: 15,
            ..Capacity::default()
        })
    }
}

/// A worker with a model.
fn worker(case: &Case, model: &str, run: &str) -> Process {
    let mut command = case.meeting("worker --give-up-after 60 --max-workers 2 --any-model");
    command.args(["--model", model, "--run-name", run]);
    command.args(["--api-base", &case.server.base()]);
    case.spawn(command, &format!("{run}-{model}"))
}

/// Two workers of either model.
fn workers(case: &Case, run: &str) -> Vec<Process> {
    ["one", "two", "one", "two"]
        .map(|model| worker(case, model, run))
        .into()
}

/// Questions that both models were asked together.
fn asked(case: &Case) -> usize {
    let settled = &results_in(&case.path("alone"))["settled"];
    let of = |model: &str| settled["asked"][model].as_u64().unwrap() as usize;
    of("one") + of("two")
}

#[test]
fn four_workers_come_to_the_verdicts_of_one_machine() {
    let Some(case) = Case::new(any_model()) else {
        return;
    };
    case.alone(&format!("{LINE} --any-model"), "alone");
    let settled = results_in(&case.path("alone"))["settled"].clone();
    assert_eq!(settled["stopped"], "settled");
    let of = settled["of"].as_u64().unwrap() as usize;
    assert!(asked(&case) < of, "{settled}");
    case.server.clear_log();
    let _workers = workers(&case, "first");
    let coordinator = case.coordinator(&format!("{LINE} --run-name first"), "together");
    assert_eq!(coordinator.end(), 0, "{}", case.said("coordinator"));
    case.alike("together", "alone");
    assert_eq!(case.questions().len(), asked(&case));
    let said = case.said("coordinator");
    says(&said, &["settled after"]);
    assert!(!said.contains("answered twice"), "{said}");
}

#[test]
fn a_killed_worker_and_a_killed_coordinator_change_no_verdict() {
    let Some(case) = Case::new(any_model()) else {
        return;
    };
    case.alone(&format!("{LINE} --any-model"), "alone");
    case.server.clear_log();
    let mut workers = workers(&case, "second");
    let line = format!("{LINE} --run-name second --unit-timeout 4 --give-up-after 60");
    let coordinator = case.coordinator(&line, "killed");
    let third = asked(&case) / 3;
    case.wait_for("answers", || case.questions().len() > third);
    workers.remove(0).kill();
    case.wait_for("more answers", || case.questions().len() > 2 * third);
    coordinator.kill();
    std::thread::sleep(Duration::from_millis(200));
    let coordinator = case.coordinator(&line, "killed");
    assert_eq!(coordinator.end(), 0, "{}", case.said("coordinator"));
    case.alike("killed", "alone");
    // What the killed worker held may be asked again.
    let twice = case.questions().len() - asked(&case);
    assert!(
        twice <= asked(&case) / 10,
        "{twice} of {} asked twice",
        asked(&case)
    );
}

#[test]
fn one_model_is_asked_until_its_intervals_are_narrow() {
    let Some(case) = Case::new(any_model()) else {
        return;
    };
    let line = "run --model one --tasks qa rc --shots 0 --prompt-strategies base \
                --until width acc=30pp --seed 2";
    case.alone(&format!("{line} --any-model"), "alone");
    case.server.clear_log();
    let _workers = [(); 4].map(|()| worker(&case, "one", "third"));
    let coordinator = case.coordinator(&format!("{line} --run-name third"), "together");
    assert_eq!(coordinator.end(), 0, "{}", case.said("coordinator"));
    case.alike("together", "alone");
    says(&case.said("coordinator"), &["narrow enough after"]);
}
