//! The adaptive limit against simulated servers, in virtual time.
//!
//! Each file in `scenarios/` states a load, a server and what is expected, with the reason. The
//! test finds the best fixed limit by trying them all, then lets the controller play the same
//! scenario with several seeds. `cargo test -p sureness-engine --test limit -- --nocapture` prints
//! the table of `docs/concurrency.md`.

#[path = "limit/random.rs"]
mod random;
#[path = "limit/scenario.rs"]
mod scenario;
#[path = "limit/server.rs"]
mod server;
#[path = "limit/world.rs"]
mod world;

use std::num::NonZeroUsize;
use std::path::Path;

use scenario::Scenario;
use sureness_engine::limit::Workers;
use world::{Played, play};

const FIXED: [usize; 20] = [
    1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 56, 64, 80, 96, 128, 256,
];
const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];

fn fixed(scenario: &Scenario, limit: usize, seed: u64) -> Played {
    play(
        scenario,
        Workers::Fixed(NonZeroUsize::new(limit).unwrap()),
        seed,
    )
}

fn scenarios() -> Vec<(String, Scenario)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut all: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let scenario = toml::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
            (name, scenario)
        })
        .filter(|(name, _)| name.contains(&only))
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

#[test]
fn auto_is_as_good_as_the_best_fixed_setting() {
    let trace = std::env::var("TRACE").is_ok();
    let all = scenarios();
    let queue = std::sync::Mutex::new(all.iter());
    std::thread::scope(|s| {
        for _ in 0..2 {
            s.spawn(|| {
                loop {
                    let Some((name, scenario)) = queue.lock().unwrap().next() else {
                        return;
                    };
                    let clock = std::time::Instant::now();
                    let fixeds: Vec<(Played, usize)> = FIXED
                        .iter()
                        .map(|&n| (fixed(&scenario, n, 1), n))
                        .filter(|(p, _)| {
                            !p.abandoned && p.rejected as f64 <= 0.02 * p.attempts as f64
                        })
                        .collect();
                    let mut sweep: Vec<(f64, usize)> =
                        fixeds.iter().map(|(p, n)| (p.throughput(), *n)).collect();
                    sweep.sort_by(|a, b| b.0.total_cmp(&a.0));
                    let after = scenario.server.changes.first().map_or(0.0, |change| {
                        let mut changed = scenario.clone();
                        changed.server.size = change.size;
                        changed.server.changes.clear();
                        changed.load.groups[0].questions = 2000;
                        FIXED
                            .iter()
                            .map(|&n| fixed(&changed, n, 1))
                            .filter(|p| {
                                !p.abandoned && p.rejected as f64 <= 0.02 * p.attempts as f64
                            })
                            .map(|p| p.throughput())
                            .fold(0.0, f64::max)
                    });
                    let spent = clock.elapsed();
                    let mut worst = f64::INFINITY;
                    let mut line = String::new();
                    for seed in SEEDS {
                        let best = sweep
                            .iter()
                            .take(3)
                            .map(|&(_, n)| fixed(&scenario, n, seed))
                            .filter(|p| !p.abandoned)
                            .max_by(|a, b| a.throughput().total_cmp(&b.throughput()))
                            .unwrap();
                        let auto = play(&scenario, Workers::default(), seed);
                        let share = auto.throughput() / best.throughput();
                        worst = worst.min(share);
                        let rejected = auto.rejected as f64 / auto.attempts as f64;
                        line += &format!(
                            " {:.3}/{:.1}%/{}",
                            share,
                            rejected * 100.0,
                            auto.final_limit()
                        );
                        for change in &scenario.server.changes {
                            line += &format!(
                                "[{:.3}]",
                                auto.between(change.at_s + 60.0, change.at_s + 90.0) / after
                            );
                        }
                        if trace && std::env::var("SEED").map_or(true, |s| s == seed.to_string()) {
                            let shown: Vec<String> = auto
                                .limits
                                .iter()
                                .map(|(t, n)| format!("{t:.2}:{n}"))
                                .collect();
                            println!("{}", shown.join(" "));
                        }
                    }
                    let Some(top) = sweep.first() else {
                        println!("{name}: nothing eligible");
                        continue;
                    };
                    println!(
                        "{name:26} best {:3} {:7.1}/s worst {worst:.3} |{line}  ({:?}, {:?})",
                        top.1,
                        top.0,
                        spent,
                        clock.elapsed()
                    );
                    if trace {
                        println!(
                            "{:?}",
                            sweep
                                .iter()
                                .map(|(t, n)| format!("{n}:{t:.1}"))
                                .collect::<Vec<_>>()
                        );
                    }
                }
            });
        }
    });
}
