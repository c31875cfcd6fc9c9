//! Coverage of scores without the prior of the letters, which a part of the same questions gave.

use sureness_conformal::{Config, LetterPrior, Row, Stream, Table};

const QUESTIONS: usize = 200;
/// Questions from which the prior is estimated; they are among those that calibrate and are tested.
const PART: usize = 20;
const RUNS: usize = 600;
const LETTERS: [f64; 4] = [1.0, 0.2, -0.4, -0.8];

/// Log-probabilities by letter in each order of a question, and its right option. Letters are no pure
/// factors: each question has an influence of its own on them, and each order noise.
fn question(stream: &mut Stream) -> (Vec<Vec<f64>>, usize) {
    let beliefs: Vec<f64> = (0..4).map(|_| 3.0 * stream.unit()).collect();
    let weights: Vec<f64> = beliefs.iter().map(|it| it.exp()).collect();
    let mut place = stream.unit() * weights.iter().sum::<f64>();
    let right = weights.iter().position(|weight| {
        place -= weight;
        place < 0.0
    });
    let own: Vec<f64> = LETTERS
        .iter()
        .map(|bias| bias + 0.6 * (stream.unit() - 0.5))
        .collect();
    let orders = (0..4).map(|places| {
        let letter = |letter: usize| beliefs[(letter + places) % 4] + own[letter];
        let logits = (0..4).map(letter);
        logits.map(|it| it + 0.3 * (stream.unit() - 0.5)).collect()
    });
    (orders.collect(), right.unwrap_or(3))
}

fn coverage(run: usize) -> [f64; 2] {
    let mut stream = Stream::new("simulation of a prior", 5, run);
    let questions: Vec<_> = (0..QUESTIONS).map(|_| question(&mut stream)).collect();
    let part = questions.iter().take(PART);
    let prior = LetterPrior::of(4, part.map(|(orders, _)| orders.iter().map(Vec::as_slice)));
    let prior = prior.expect("twenty questions");
    let mut table = Table::new(4);
    for (number, (orders, right)) in questions.iter().enumerate() {
        let mut logits = orders[0].clone();
        prior.correct(&mut logits);
        let mut key = [0; 32];
        key[..8].copy_from_slice(&((run * QUESTIONS + number) as u64).to_le_bytes());
        let row = Row {
            key: &key,
            cluster: None,
            logits: (&logits).into(),
            right: (*right).into(),
            dont_know: None,
            none_of_the_above: None,
        };
        table.push(key, &row, None).expect("a sound row");
    }
    let config = Config {
        seed: run as u64,
        ..Config::default()
    };
    let evaluation = table.evaluate(&config).expect("two halves");
    [evaluation.lac.coverage, evaluation.aps.coverage]
}

#[test]
fn a_prior_from_a_part_of_the_questions_keeps_coverage() {
    let mut sums = [0.0; 2];
    for run in 0..RUNS {
        for (sum, coverage) in sums.iter_mut().zip(coverage(run)) {
            *sum += coverage / RUNS as f64;
        }
    }
    // 91 of 101; the standard error is 0.0017.
    let [lac, aps] = sums;
    assert!((0.895..0.912).contains(&lac), "{lac}");
    assert!((0.895..0.925).contains(&aps), "{aps}");
}
