//! Simulates the error rates of the rule: noise raises hardly any alarm, another model nearly always
//! does.

use sureness_scorers::Usage;

use super::*;

const OPTIONS: usize = 6;

/// Uniform and normal numbers, the same in every run.
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}

/// How far a logit moves by itself.
type Wobble = fn(&mut Random, f64) -> f64;

fn normal(random: &mut Random, _: f64) -> f64 {
    random.normal()
}

/// Some questions wobble ten times as much as others.
fn uneven(random: &mut Random, question: f64) -> f64 {
    random.normal() * 10_f64.powf(question - 0.5)
}

/// Student's t with two degrees of freedom: now and then very far.
fn heavy(random: &mut Random, _: f64) -> f64 {
    random.normal() / (-(1.0 - random.unit()).ln()).sqrt()
}

/// Nearly nothing, and one question in five far off.
fn rare(random: &mut Random, question: f64) -> f64 {
    random.normal() * if question < 0.2 { 5.0 } else { 0.01 }
}

fn scores(logits: &[f64]) -> OptionScores {
    let total: f64 = logits.iter().map(|logit| logit.exp()).sum();
    let logprobs: Vec<f64> = logits.iter().map(|logit| logit - total.ln()).collect();
    // As behind a server that gives the top tokens alone.
    let bound = -6.0;
    OptionScores {
        observed: logprobs.iter().map(|l| *l > bound).collect(),
        logprobs: logprobs.into_iter().map(|l| l.max(bound)).collect(),
        mass: 1.0,
        usage: Usage::default(),
        words: None,
    }
}

fn around(random: &mut Random, logits: &[f64], size: f64, kind: Wobble, question: f64) -> Vec<f64> {
    let moved = logits
        .iter()
        .map(|logit| logit + size * kind(random, question));
    moved.collect()
}

struct World {
    questions: usize,
    /// Noise of the cached answers, and of those of now.
    noise: [f64; 2],
    wobble: Wobble,
    /// How far the model's logits have moved.
    moved: f64,
}

impl World {
    /// Whether the rule raises an alarm, first round and second.
    fn alarms(&self, random: &mut Random) -> bool {
        let mut cached = Vec::new();
        let mut rounds = [Vec::new(), Vec::new()];
        for _ in 0..self.questions {
            let question = random.unit();
            let logits: Vec<f64> = (0..OPTIONS).map(|_| 2.0 * random.normal()).collect();
            let [then, now] = self.noise;
            cached.push(scores(&around(
                random,
                &logits,
                then,
                self.wobble,
                question,
            )));
            let logits = around(random, &logits, self.moved, normal, question);
            for round in &mut rounds {
                let logits = around(random, &logits, now, self.wobble, question);
                round.push(Reanswer::Scores(scores(&logits)));
            }
        }
        let changed = |rounds: &[_]| judge(&cached, rounds).verdict == Verdict::Changed;
        changed(&rounds[..1]) && changed(&rounds)
    }

    fn share_of_alarms(&self, runs: usize) -> f64 {
        let mut random = Random(7);
        let alarms = (0..runs).filter(|_| self.alarms(&mut random)).count();
        alarms as f64 / runs as f64
    }
}

/// Whatever the size and kind of the noise.
#[test]
fn noise_alone_raises_no_alarm() {
    let kinds: [(&str, Wobble); 4] = [
        ("normal", normal),
        ("uneven", uneven),
        ("heavy", heavy),
        ("rare", rare),
    ];
    for (kind, wobble) in kinds {
        for size in [0.01, 0.1, 0.3, 1.0] {
            for (questions, allowed) in [(20, 0.001), (MIN_QUESTIONS, 0.005)] {
                let world = World {
                    questions,
                    noise: [size; 2],
                    wobble,
                    moved: 0.0,
                };
                let share = world.share_of_alarms(1_000);
                println!("{kind} {size} {questions}: {share}");
                assert!(share <= allowed, "{kind} {size} {questions}: {share}");
            }
        }
    }
}

/// Cached answers were given under load, and nothing moves while twenty questions are asked.
#[test]
fn noise_that_only_load_brings_raises_no_alarm() {
    for questions in [20, MIN_QUESTIONS] {
        let world = World {
            questions,
            noise: [0.06, 0.0],
            wobble: normal,
            moved: 0.0,
        };
        assert!(world.share_of_alarms(1_000) <= 0.001);
    }
}

#[test]
fn another_model_is_nearly_always_seen() {
    for (noise, moved, least) in [
        (0.0, 0.3, 0.99),
        (0.05, 0.75, 0.99),
        (0.1, 1.0, 0.99),
        (0.3, 3.0, 0.99),
    ] {
        let world = World {
            questions: 20,
            noise: [noise; 2],
            wobble: normal,
            moved,
        };
        let share = world.share_of_alarms(1_000);
        println!("{noise} {moved}: {share}");
        assert!(share >= least, "{noise} {moved}: {share}");
    }
}

fn of(logprobs: &[f64], observed: &[bool]) -> OptionScores {
    OptionScores {
        logprobs: logprobs.to_vec(),
        observed: observed.to_vec(),
        mass: 0.5,
        usage: Usage::default(),
        words: None,
    }
}

#[test]
fn a_bound_counts_as_far_as_it_proves_something() {
    let cached = of(&[-0.5, -6.0, -7.0], &[true, false, false]);
    let lower = of(&[-0.5, -3.0, -7.0], &[true, true, false]);
    assert_eq!(score_difference(&cached, &lower), Some(3.0));
    assert_eq!(score_difference(&lower, &cached), Some(3.0));
    // Below the bound anything is possible.
    let deeper = of(&[-0.5, -9.0, -1.0], &[true, true, false]);
    assert_eq!(score_difference(&cached, &deeper), Some(0.0));
    let nothing = of(&[-6.0; 3], &[false; 3]);
    assert_eq!(score_difference(&nothing, &nothing), None);
    assert_eq!(score_difference(&cached, &nothing), Some(5.5));
}

#[test]
fn failures_say_nothing_and_an_answer_without_options_says_much() {
    let cached = vec![of(&[-0.5, -1.0], &[true; 2]); 20];
    let failed = || Reanswer::Failed(ScoreError::TimedOut { seconds: 1 });
    let same = || Reanswer::Scores(cached[0].clone());
    let round = |same_ones: usize, other: fn() -> Reanswer| -> Vec<Reanswer> {
        let answers = (0..20).map(|n| if n < same_ones { same() } else { other() });
        answers.collect()
    };
    let finding = judge(
        &cached,
        &[round(4, || Reanswer::Failed(ScoreError::NoLogprobs))],
    );
    assert_eq!((finding.verdict, finding.compared), (Verdict::TooFew, 4));
    let finding = judge(&cached, &[(0..20).map(|_| failed()).collect()]);
    assert_eq!((finding.verdict, finding.compared), (Verdict::TooFew, 0));

    let silent = || round(8, || Reanswer::NoOption);
    let finding = judge(&cached, &[silent(), silent()]);
    assert_eq!((finding.verdict, finding.moved), (Verdict::Changed, 12));
    assert_eq!(finding.noise_floor, Some(0.0));
    let finding = judge(&cached, &[round(11, || Reanswer::NoOption)]);
    assert_eq!((finding.verdict, finding.moved), (Verdict::Same, 9));
}

#[test]
fn options_that_swap_places_are_no_alarm() {
    let cached = vec![of(&[-0.70, -0.71], &[true; 2]); 20];
    let now = (0..20).map(|_| Reanswer::Scores(of(&[-0.71, -0.70], &[true; 2])));
    let finding = judge(&cached, &[now.collect()]);
    assert_eq!(finding.verdict, Verdict::Same);
    assert_eq!(finding.changed_top_options, 20);
}
