//! Kills any process at any time: nothing is lost, and hardly a question is asked twice.

use std::time::Duration;

use sureness_faultserver::{Capacity, Script};

use super::{Case, PATIENCE, Process};

const RUN: &str = "run --unit-timeout 4 --give-up-after 60 --log-file c.jsonl";
/// All built-in questions in all strategies.
const QUESTIONS: u64 = 3 * 1292;

/// A number below `limit`; the next one is another.
fn draw(state: &mut u64, limit: u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % limit
}

/// Runs one round, which kills a coordinator, the NATS server twice and a worker, or those in `SURENESS_CHAOS_ROUNDS`, such as 20 or 7..9. `SURENESS_CHAOS_WHO`
/// selects the processes to kill: w(orkers), c(oordinator), n(ats-server). The folders of a failed
/// round are copied to `SURENESS_CHAOS_KEEP`.
#[test]
fn killed_at_random_moments_it_ends_with_the_same_figures() {
    let rounds = std::env::var("SURENESS_CHAOS_ROUNDS").unwrap_or_else(|_| "1..2".to_owned());
    let (first, end) = rounds.split_once("..").unwrap_or(("0", &rounds));
    let rounds: std::ops::Range<u64> = first.parse().unwrap()..end.parse().unwrap();
    let script = Script::healthy().capacity(Capacity {
        base_ms: 20,
        ..Capacity::default()
    });
    let Some(mut case) = Case::new(script) else {
        return;
    };
    case.alone("run", "alone");
    let (mut all, mut again) = (0, 0);
    for round in rounds.clone() {
        case.server.clear_log();
        let out = format!("together-{round}");
        let kills = play(&mut case, &out, round);
        case.alike(&out, "alone");
        // For the noise floor twenty questions are asked three times again.
        let results = std::fs::read_to_string(case.path(&out).join("results.json")).unwrap();
        let noise = if results.contains("largest_difference") {
            60
        } else {
            0
        };
        let twice = case.asked_twice().saturating_sub(noise);
        eprintln!("round {round}: killed {kills}; {twice} of {QUESTIONS} asked twice");
        if twice > QUESTIONS / 10 {
            keep(&case);
        }
        all += QUESTIONS;
        again += twice;
    }
    let share = again as f64 / all as f64;
    // In a round of a dozen seconds, chance decides who dies, and with it how much is asked twice;
    // on a busy machine, a worker that lives is taken for dead now and then, too.
    let most = if rounds.end - rounds.start < 10 {
        0.1
    } else {
        0.02
    };
    assert!(share < most, "{:.2} % were asked twice", 100.0 * share);
}

/// One run, during which someone is killed every now and then. Gives who was.
fn play(case: &mut Case, out: &str, round: u64) -> String {
    let mut chance = 77 + round;
    let mut workers: Vec<Process> = (0..4).map(|_| case.worker("workers")).collect();
    let mut coordinator = Some(case.coordinator(RUN, out));
    let mut kills = String::new();
    let share = QUESTIONS / 5;
    for kill in 1..=4 {
        let enough = kill * share - draw(&mut chance, share);
        // The run may end before, where all answers were on their way.
        let ended = |c: &mut Option<Process>| {
            c.as_mut()
                .is_some_and(|c| c.0.try_wait().unwrap().is_some())
        };
        let mut over = false;
        let server = &case.server;
        case.wait_for("progress", || {
            over = ended(&mut coordinator);
            over || server.counts().prompts_answered >= enough
        });
        if over {
            break;
        }
        let who = std::env::var("SURENESS_CHAOS_WHO").unwrap_or_else(|_| "wcn".to_owned());
        let who: Vec<char> = who.chars().collect();
        match who[draw(&mut chance, who.len() as u64) as usize] {
            'w' => {
                let victim = draw(&mut chance, workers.len() as u64) as usize;
                workers.remove(victim).kill();
                workers.push(case.worker("workers"));
                kills.push('w');
            }
            'c' => {
                coordinator.take().unwrap().kill();
                std::thread::sleep(Duration::from_millis(draw(&mut chance, 500)));
                coordinator = Some(case.coordinator(RUN, out));
                kills.push('c');
            }
            _ => {
                case.nats.kill();
                std::thread::sleep(Duration::from_millis(draw(&mut chance, 500)));
                case.nats.rise();
                kills.push('n');
            }
        }
    }
    let mut coordinator = coordinator.take().unwrap();
    let began = std::time::Instant::now();
    while coordinator.0.try_wait().unwrap().is_none() && began.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(20));
    }
    if coordinator.0.try_wait().unwrap().is_none() {
        // For the log.
        let status = case.meeting("status --output json").output().unwrap();
        eprintln!("it does not end: {}", super::text(&status.stdout));
        keep(case);
    }
    let code = coordinator
        .0
        .try_wait()
        .unwrap()
        .and_then(|status| status.code())
        .unwrap_or(-1);
    let said = [case.said("coordinator"), case.said("workers")].join("\nworkers: ");
    assert_eq!(code, 0, "round {round}, killed {kills}: {said}");
    kills
}

/// Copies what the round has written, where somebody wants to look at it.
fn keep(case: &Case) {
    if let Some(keep) = std::env::var_os("SURENESS_CHAOS_KEEP") {
        let copy = std::process::Command::new("cp")
            .arg("-r")
            .args([case.folder.path(), case.nats.folder.path()])
            .arg(keep)
            .status();
        eprintln!("kept: {copy:?}");
    }
}
