//! The adaptive limit against simulated servers, in virtual time.
//!
//! Each file in `scenarios/` states a load, a server and what is expected, with the reason. The
//! test finds the best fixed limit by trying them all, then lets the controller play the same
//! scenario with several seeds. It prints the table of `docs/concurrency.md` with
//! `cargo test -p sureness-engine --no-default-features --test it limit -- --nocapture`.
//!
//! The controller's constants were tuned on the seeds 101 to 140 and, for the short scenarios, 1001
//! to 1300. `SEEDS=101..141` in the environment plays those, or any others, instead of the test's
//! own.

mod properties;
mod random;
mod scenario;
mod server;
mod world;

use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use self::scenario::{Change, Scenario};
use self::world::{Played, play};
use sureness_engine::limit::Workers;

const FIXED: [usize; 20] = [
    1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 56, 64, 80, 96, 128, 256,
];
/// Not to be looked at while tuning.
const SEEDS: Range<u64> = 501..511;
/// Chance decides more in a run of so few questions, which is also played faster.
const FEW_QUESTIONS: usize = 400;
const SEEDS_WITH_FEW_QUESTIONS: Range<u64> = 501..541;
/// A changed capacity must be found again within so many seconds; the throughput is then measured
/// over so many more.
const FOUND_WITHIN_S: f64 = 60.0;
const MEASURED_FOR_S: f64 = 30.0;

#[test]
fn auto_is_as_good_as_the_best_fixed_setting() {
    let scenarios = scenarios();
    assert!(scenarios.len() >= 31, "scenario files are missing");
    println!(
        "| scenario | best fixed | answers a second | auto: mean share | worst seed | most rejected | mean limit | after the change |\n|---|--:|--:|--:|--:|--:|--:|--:|"
    );
    let mut complaints = Vec::new();
    for ((name, scenario), measured) in scenarios.iter().zip(measure_all(&scenarios)) {
        println!("| `{name}` | {measured}");
        complaints.extend(
            measured
                .complaints(scenario)
                .into_iter()
                .map(|complaint| format!("{name}: {complaint} ({})", scenario.why)),
        );
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn the_same_seed_plays_the_same_run() {
    let (_, scenario) = &scenarios()[0];
    let play = || play(scenario, Workers::default(), 7);
    assert_eq!(play().answered, play().answered);
}

/// The seeds to play: those in the environment, else the test's own.
fn seeds(scenario: &Scenario) -> Range<u64> {
    let Ok(text) = std::env::var("SEEDS") else {
        let questions: usize = scenario.load.groups.iter().map(|g| g.questions).sum();
        return if questions <= FEW_QUESTIONS {
            SEEDS_WITH_FEW_QUESTIONS
        } else {
            SEEDS
        };
    };
    let (from, to) = text.split_once("..").expect("SEEDS is like 101..141");
    from.parse().unwrap()..to.parse().unwrap()
}

/// All scenarios, on all cores.
fn measure_all(scenarios: &[(String, Scenario)]) -> Vec<Measured> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut measured = Vec::new();
        while let index = next.fetch_add(1, Ordering::Relaxed)
            && let Some((_, scenario)) = scenarios.get(index)
        {
            measured.push((index, measure(scenario)));
        }
        measured
    };
    let workers = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut measured: Vec<_> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        handles
            .into_iter()
            .flat_map(|handle| handle.join().unwrap())
            .collect()
    });
    measured.sort_by_key(|(index, _)| *index);
    measured.into_iter().map(|(_, measured)| measured).collect()
}

/// What several seeds gave.
struct Measured {
    best_fixed: usize,
    best_throughput: f64,
    /// Auto's throughput as a share of the best fixed setting's, by seed.
    shares: Vec<f64>,
    rejected: f64,
    /// Share of the new best a minute after a change, by seed.
    found: Vec<f64>,
    /// Mean limit over the run, by seed.
    limits: Vec<f64>,
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn worst(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn measure(scenario: &Scenario) -> Measured {
    let seeds = seeds(scenario);
    let mut sweep = sweep(scenario, seeds.start);
    sweep.sort_by(|a, b| b.1.total_cmp(&a.1));
    let (best_fixed, best_throughput) = sweep[0];
    let mut measured = Measured {
        best_fixed,
        best_throughput,
        shares: Vec::new(),
        rejected: 0.0,
        found: Vec::new(),
        limits: Vec::new(),
    };
    let change = scenario.server.changes.first();
    let new_best = change.map(|change| (change.at_s, best_after(scenario, change, seeds.start)));
    for seed in seeds {
        // Another seed's best is among the best of the first.
        let best = sweep
            .iter()
            .take(3)
            .map(|&(limit, _)| fixed(scenario, limit, seed))
            .filter(|played| !played.abandoned)
            .map(|played| played.throughput())
            .fold(0.0, f64::max);
        let auto = play(scenario, Workers::default(), seed);
        assert_eq!(auto.answered.len(), auto.questions, "all are answered");
        measured.shares.push(auto.throughput() / best);
        measured.rejected = measured.rejected.max(auto.rejected_share());
        measured.limits.push(auto.mean_limit());
        if let Some((at, best)) = new_best {
            let from = at + FOUND_WITHIN_S;
            assert!(
                auto.took > from + MEASURED_FOR_S,
                "the run is too short to tell"
            );
            let found = auto.between(from, from + MEASURED_FOR_S);
            measured.found.push(found / best);
        }
    }
    measured
}

/// Each fixed limit that stays within the rejections that are allowed, and its throughput.
fn sweep(scenario: &Scenario, seed: u64) -> Vec<(usize, f64)> {
    FIXED
        .iter()
        .map(|&limit| (limit, fixed(scenario, limit, seed)))
        .filter(|(_, played)| {
            !played.abandoned && played.rejected_share() <= scenario.expect.rejected
        })
        .map(|(limit, played)| (limit, played.throughput()))
        .collect()
}

/// The best throughput of a server that was always as it is after the change.
fn best_after(scenario: &Scenario, change: &Change, seed: u64) -> f64 {
    let mut changed = scenario.clone();
    changed.server.size = change.size;
    changed.server.changes.clear();
    changed.load.groups[0].questions = 2000;
    sweep(&changed, seed)
        .iter()
        .map(|&(_, rate)| rate)
        .fold(0.0, f64::max)
}

fn fixed(scenario: &Scenario, limit: usize, seed: u64) -> Played {
    let limit = NonZeroUsize::new(limit).unwrap();
    play(scenario, Workers::Fixed(limit), seed)
}

impl Measured {
    fn complaints(&self, scenario: &Scenario) -> Vec<String> {
        let expect = &scenario.expect;
        let mut complaints = Vec::new();
        let mut check = |good: bool, what: &str, value: f64| {
            if !good {
                complaints.push(format!("{what} is {value:.3}"));
            }
        };
        let share = mean(&self.shares);
        check(share >= expect.throughput, "mean throughput", share);
        let share = worst(&self.shares);
        check(share >= expect.worst, "worst throughput", share);
        check(self.rejected <= expect.rejected, "rejected", self.rejected);
        let limit = mean(&self.limits);
        let most = expect.limit_at_most.unwrap_or(f64::INFINITY);
        check(limit <= most, "mean limit", limit);
        if !self.found.is_empty() {
            let found = mean(&self.found);
            check(found >= expect.throughput, "found after the change", found);
        }
        complaints
    }
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} | {:.1} | {:.3} | {:.3} | {:.1} % | {:.1} | ",
            self.best_fixed,
            self.best_throughput,
            mean(&self.shares),
            worst(&self.shares),
            self.rejected * 100.0,
            mean(&self.limits)
        )?;
        if self.found.is_empty() {
            write!(f, "|")
        } else {
            write!(f, "{:.3} |", mean(&self.found))
        }
    }
}

fn scenarios() -> Vec<(String, Scenario)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/limit/scenarios");
    let mut all: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let scenario = toml::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
            (name, scenario)
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}
