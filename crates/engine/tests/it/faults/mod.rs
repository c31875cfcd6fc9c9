//! Whole runs through a server that misbehaves in every way it knows.
//!
//! Whatever the server does, each question ends up with its own answer or with a reason, and no
//! question is asked again once its answer has arrived.

mod harness;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use self::harness::{Asking, POISON, TIMEOUT, check, connect, free_of_faults, go, plan};
use sureness_faultserver::{Dialect, Entry, Fault, FaultServer, Healthy, Rule, Script};

/// Every fault at once, on this share of the requests.
const SHARE: f64 = 0.3;
/// More than a client takes.
const HUGE: u64 = 20 << 20;

fn storm(seed: u64) -> Script {
    Script::healthy()
        .rule(Rule::containing(
            POISON,
            Fault::Status {
                status: 400,
                message: "this prompt is refused".into(),
            },
        ))
        .rule(Rule::chance(SHARE, seed, Fault::each(HUGE)))
}

async fn survives(questions: usize, seed: u64, asking: Asking) {
    let healthy = Healthy {
        dialect: asking.dialect,
        ..Healthy::default()
    };
    let plan = plan(questions);
    let server = FaultServer::start(Script::healthy().server(healthy.clone())).unwrap();
    let scorer = connect(&server, asking).await;
    server.clear_log();
    server.set_script(storm(seed).server(healthy));
    let run = go(&plan, scorer, asking, |_| {}).await;
    assert!(server.wait_until_idle(TIMEOUT * 4));
    println!("seed {seed}, {asking:?}: {:?}", run.summary.total());
    println!("  failed: {:?}", run.failures());
    println!("  {:?}", server.counts());
    let log = server.log();
    check(&plan, &run, &log);
    for fault in Fault::each(HUGE) {
        assert!(log.iter().any(|entry| played(entry, &fault)), "{fault:?}");
    }
    let without = free_of_faults(&plan, asking).await;
    assert_eq!(run.figures(&plan), without.figures_of(&plan, &run));
    // Redirects and poison are final and the rest is tried again: most questions get through.
    let answered = run.answered();
    assert!(answered * 100 > plan.len() * 93, "{answered} answered");
}

/// Whether a request met this fault. A delay is no more than noted beside what follows it.
fn played(entry: &Entry, fault: &Fault) -> bool {
    match fault {
        Fault::Delay { ms, up_to_ms } => {
            let span = Duration::from_millis(*ms)..=Duration::from_millis(up_to_ms.unwrap_or(*ms));
            span.contains(&entry.delay)
        }
        fault => entry.fault.as_ref() == Some(fault),
    }
}

const ONE_BY_ONE: Asking = Asking {
    dialect: Dialect::Vllm,
    chat: false,
    batch: 1,
    threads: false,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_mixed_up_one_by_one() {
    survives(2_000, 1, ONE_BY_ONE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_mixed_up_in_lists() {
    let asking = Asking {
        batch: 4,
        dialect: Dialect::LlamaCpp,
        ..ONE_BY_ONE
    };
    survives(2_000, 2, asking).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_mixed_up_by_chat_on_threads() {
    let asking = Asking {
        chat: true,
        threads: true,
        ..ONE_BY_ONE
    };
    survives(2_000, 3, asking).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes: 20,000 questions with each of ten seeds"]
async fn nothing_is_lost_or_mixed_up_ten_times_over() {
    for seed in 0..10 {
        // One by one and in lists, with tasks and with threads, of either server, by chat.
        let asking = Asking {
            batch: if seed % 2 == 0 { 1 } else { 8 },
            threads: seed % 3 == 2,
            chat: seed % 4 == 2,
            dialect: if seed < 5 {
                Dialect::Vllm
            } else {
                Dialect::LlamaCpp
            },
        };
        survives(20_000, seed, asking).await;
    }
}

/// Met once by every question, no fault but the redirect costs more than another attempt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_alone_is_survived_by_asking_again() {
    let plan = plan(8);
    for fault in Fault::each(HUGE) {
        let server = FaultServer::start(Script::healthy()).unwrap();
        let scorer = connect(&server, ONE_BY_ONE).await;
        server.clear_log();
        server.set_script(Script::with(Rule::always(fault.clone()).per_prompt(1)));
        let run = go(&plan, scorer, ONE_BY_ONE, |_| {}).await;
        assert!(server.wait_until_idle(TIMEOUT * 4));
        check(&plan, &run, &server.log());
        let answered = match fault {
            Fault::Redirect { .. } => 0,
            _ => plan.len(),
        };
        assert_eq!(run.answered(), answered, "{fault:?}: {:?}", run.failures());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_away_for_a_while_costs_nothing() {
    let plan = plan(600);
    let server = FaultServer::start(Script::healthy()).unwrap();
    let scorer = connect(&server, ONE_BY_ONE).await;
    server.clear_log();
    server.set_script(Script::with(Rule::always(Fault::Delay {
        ms: 5,
        up_to_ms: Some(20),
    })));
    let run = go(&plan, scorer, ONE_BY_ONE, |answered| {
        // At moments that hang on the run and not on the clock.
        if answered == 150 || answered == 400 {
            server.pause();
            std::thread::sleep(Duration::from_millis(150));
            server.resume().unwrap();
        }
    })
    .await;
    assert!(server.wait_until_idle(TIMEOUT * 4));
    check(&plan, &run, &server.log());
    assert_eq!(run.answered(), plan.len(), "{:?}", run.failures());
}

/// A check that nothing can fail would prove nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_check_notices_what_it_is_there_for() {
    let plan = plan(20);
    let server = FaultServer::start(Script::healthy()).unwrap();
    let ask = async || {
        server.clear_log();
        let run = go(
            &plan,
            connect(&server, ONE_BY_ONE).await,
            ONE_BY_ONE,
            |_| {},
        )
        .await;
        assert!(server.wait_until_idle(TIMEOUT));
        (run, server.log())
    };
    let complaint = |run: &harness::Run, log: &[sureness_faultserver::Entry]| {
        let checked = AssertUnwindSafe(|| check(&plan, run, log));
        let panic = std::panic::catch_unwind(checked).err()?;
        panic.downcast_ref::<String>().cloned()
    };
    let (sound, log) = ask().await;
    assert_eq!(complaint(&sound, &log), None);
    let (mut swapped, log) = ask().await;
    swapped.swap_two();
    assert!(
        complaint(&swapped, &log)
            .unwrap()
            .contains("its own answer")
    );
    let (mut incomplete, log) = ask().await;
    incomplete.lose_one();
    assert!(complaint(&incomplete, &log).unwrap().contains("is lost"));
    let (again, first) = ask().await;
    let twice = [first, ask().await.1].concat();
    assert!(complaint(&again, &twice).unwrap().contains("asked again"));
}
