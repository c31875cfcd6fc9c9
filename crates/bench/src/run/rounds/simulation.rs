//! Optional stopping, simulated: coverage, accuracy and shares of answers drawn by the rule, beside those of a fixed
//! number.

use sureness_conformal::{Config, Logits, Protocol, RightOptions, Row, evaluate};

use super::rule::{Counts, Rule};

const OPTIONS: usize = 4;
const QUESTIONS: usize = 240;
const REPETITIONS: u64 = 400;
/// As the store adds to each option's count.
const UNSEEN: f64 = 0.01;
const MOST: u32 = 100;

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn option(&mut self, probabilities: &[f64]) -> usize {
        let mut left = self.unit();
        let found = probabilities.iter().position(|probability| {
            left -= probability;
            left < 0.0
        });
        found.unwrap_or(probabilities.len() - 1)
    }
}

/// A question: how probable the model finds each option, and which is right. From sure ones to close calls; the model
/// is as sure as it should be in about two of three questions, and too sure in the others.
fn question(random: &mut Random) -> (Vec<f64>, usize) {
    let sharpness = 16.0 * random.unit();
    let weights: Vec<f64> = (0..OPTIONS)
        .map(|_| (sharpness * random.unit()).exp())
        .collect();
    let total: f64 = weights.iter().sum();
    let probabilities: Vec<f64> = weights.iter().map(|weight| weight / total).collect();
    let right = if random.unit() < 0.3 {
        random.option(&[1.0 / OPTIONS as f64; OPTIONS])
    } else {
        random.option(&probabilities)
    };
    (probabilities, right)
}

/// Counts of answers, by the rule or of a fixed number.
fn answers(
    random: &mut Random,
    probabilities: &[f64],
    rule: Option<Rule>,
    fixed: u32,
) -> [u32; OPTIONS] {
    let mut counts = [0; OPTIONS];
    let mut wanted = rule.map_or(fixed, Rule::first);
    let mut drawn = 0;
    loop {
        while drawn < wanted {
            counts[random.option(probabilities)] += 1;
            drawn += 1;
        }
        let look = Counts {
            top: counts.iter().copied().max().unwrap_or(0),
            chosen: drawn,
            drawn,
        };
        match rule.and_then(|rule| rule.next(look)) {
            Some(more) => wanted = more,
            None => return counts,
        }
    }
}

#[derive(Debug, Default)]
struct Outcome {
    /// Shares over all repetitions.
    coverage: f64,
    coverage_aps: f64,
    accuracy: f64,
    set_size: f64,
    /// Mean answers to a question.
    answers: f64,
    /// Mean of the share of the model's most probable option, minus its probability.
    bias: f64,
}

fn simulate(rule: Option<Rule>, fixed: u32, seed: u64) -> Outcome {
    let mut random = Random(seed);
    let mut outcome = Outcome::default();
    let config = Config {
        protocol: Protocol::Standard,
        ..Config::default()
    };
    for repetition in 0..REPETITIONS {
        let mut rows = Vec::new();
        for number in 0..QUESTIONS {
            let (probabilities, right) = question(&mut random);
            let counts = answers(&mut random, &probabilities, rule, fixed);
            let drawn = f64::from(counts.iter().sum::<u32>());
            outcome.answers += drawn;
            let best = (0..OPTIONS).max_by(|a, b| probabilities[*a].total_cmp(&probabilities[*b]));
            let best = best.unwrap_or(0);
            outcome.bias += f64::from(counts[best]) / drawn - probabilities[best];
            let all = drawn + UNSEEN * OPTIONS as f64;
            let logprobs = counts.map(|count| ((f64::from(count) + UNSEEN) / all).ln());
            let key = repetition << 32 | number as u64;
            rows.push((key.to_le_bytes(), logprobs, right));
        }
        let rows: Vec<Row<'_>> = rows
            .iter()
            .map(|(key, logprobs, right)| Row {
                key,
                cluster: None,
                logits: Logits::Double(logprobs),
                right: RightOptions::from(*right),
                dont_know: None,
                none_of_the_above: None,
            })
            .collect();
        let found = evaluate(&rows, &config).unwrap();
        outcome.coverage += found.lac.coverage;
        outcome.coverage_aps += found.aps.coverage;
        outcome.accuracy += found.acc;
        outcome.set_size += found.lac.set_size;
    }
    let (runs, questions) = (REPETITIONS as f64, QUESTIONS as f64);
    Outcome {
        coverage: outcome.coverage / runs,
        coverage_aps: outcome.coverage_aps / runs,
        accuracy: outcome.accuracy / runs,
        set_size: outcome.set_size / runs,
        answers: outcome.answers / runs / questions,
        bias: outcome.bias / runs / questions,
    }
}

#[test]
fn stopping_early_keeps_coverage_and_accuracy() {
    let rule = |within| {
        Rule::of(&sureness_record::Sampled {
            samples: std::num::NonZeroU32::new(MOST).unwrap(),
            within: Some(within),
            ..sureness_record::Sampled::default()
        })
    };
    let full = simulate(None, MOST, 1);
    eprintln!("{MOST} each: {full:?}");
    // The standard deviation of a run's coverage is about 0.04, of its accuracy 0.045.
    let error = 0.045 / (REPETITIONS as f64).sqrt();
    for within in [0.05, 0.1, 0.2] {
        let auto = simulate(rule(within), 0, 2);
        eprintln!("within {within}: {auto:?}");
        assert!(auto.coverage >= 0.9 - 4.0 * error, "{within}: {auto:?}");
        assert!(auto.coverage_aps >= 0.9 - 4.0 * error, "{within}: {auto:?}");
        // What a coarser share costs in accuracy: close calls are decided on fewer answers.
        let apart = (auto.accuracy - full.accuracy).abs();
        assert!(
            apart < 6.0 * error + within / 20.0,
            "{within}: {auto:?}, {full:?}"
        );
        assert!(auto.bias.abs() < within / 5.0, "{within}: {auto:?}");
        assert!(auto.answers < 0.95 * f64::from(MOST), "{within}: {auto:?}");
    }
    assert!(full.bias.abs() < 0.001, "{full:?}");
}
