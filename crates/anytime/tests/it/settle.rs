//! Verdicts about pairs of models, with the threshold set on the way.

use sureness_anytime::{
    Answers, Goal, Metric, PairVerdict, Question, Settling, TaskScores, Verdict,
};
use sureness_conformal::{Influence, Scores};

use crate::laws::{Model, Rng, model, scores, shuffled};

pub(crate) const ERROR_RATE: f64 = 0.1;

fn question(of: usize, metrics: Vec<(Metric, Option<f64>)>) -> Question {
    Question {
        goal: Goal::Settled,
        confidence: 0.95,
        metrics,
        alpha: ERROR_RATE,
        of: vec![of],
    }
}

/// What each metric comes to over all questions.
pub(crate) fn truths(scores: &Scores) -> [f64; 3] {
    let rows: Vec<usize> = (0..scores.len()).collect();
    let found = Influence::of(scores, &rows, ERROR_RATE).unwrap();
    let right = rows.iter().filter(|&&row| scores.correct(row)).count();
    [right as f64 / rows.len() as f64, found.set_size, found.uacc]
}

fn difference(truths: &[[f64; 3]], pair: &PairVerdict) -> f64 {
    let place = Metric::SETTLED
        .iter()
        .position(|it| *it == pair.metric)
        .unwrap();
    truths[pair.a][place] - truths[pair.b][place]
}

pub(crate) fn task(model: &Model) -> TaskScores {
    TaskScores {
        strategies: vec![scores(model)],
        deployed: Vec::new(),
        of: model.len(),
    }
}

/// Whether a verdict contradicts the truth.
fn is_wrong(pair: &PairVerdict, difference: f64, margin: Option<f64>) -> bool {
    let better = if pair.metric.larger_is_better() {
        difference
    } else {
        -difference
    };
    match pair.verdict {
        Verdict::A => better <= 0.0,
        Verdict::B => better >= 0.0,
        Verdict::Equal => difference.abs() >= margin.unwrap_or(0.0),
        // A gate: not worse by as much as the margin.
        Verdict::NoWorse => better >= margin.unwrap_or(0.0),
        Verdict::Open => false,
    }
}

/// Settles all that can be settled, looking at every round; the share of intervals on the way that
/// missed is whether any did.
fn play(models: &[TaskScores], question: &Question, rng: &mut Rng) -> (Vec<PairVerdict>, bool) {
    let of = question.total();
    let order = shuffled(&(0..of).map(|row| (0, row)).collect::<Vec<_>>(), rng);
    let truths: Vec<[f64; 3]> = models.iter().map(|it| truths(&it.strategies[0])).collect();
    let mut settling = Settling::new(question.clone(), models.len());
    let mut missed = false;
    let mut asked = 0;
    while asked < of {
        asked = settling.next_round();
        let answers: Vec<Answers<'_>> = models
            .iter()
            .map(|task| Answers {
                tasks: std::slice::from_ref(task),
                asked: &order[..asked],
            })
            .collect();
        settling.look(&answers);
        for pair in settling.pairs() {
            let difference = difference(&truths, pair);
            let inside = |[low, high]: [f64; 2]| (low - 1e-9..=high + 1e-9).contains(&difference);
            missed |= pair.asked == asked && !pair.interval.is_none_or(inside);
        }
        if settling.is_settled() {
            break;
        }
    }
    (settling.finish(), missed)
}

/// Shares of runs with a wrong verdict and with an interval that missed, over all pairs and times.
fn simulate(
    runs: u64,
    question: &Question,
    seed: u64,
    law: impl Fn(&mut Rng) -> Vec<Model>,
) -> (f64, f64, f64) {
    let (mut wrong, mut missed, mut open) = (0.0, 0.0, 0.0);
    for run in 0..runs {
        let mut rng = Rng::of_repetition(seed, run);
        let models: Vec<TaskScores> = law(&mut rng).iter().map(task).collect();
        let truths: Vec<[f64; 3]> = models.iter().map(|it| truths(&it.strategies[0])).collect();
        let (pairs, any_missed) = play(&models, question, &mut rng);
        let bad = |pair: &PairVerdict| {
            let margin = question
                .metrics
                .iter()
                .find(|(it, _)| *it == pair.metric)
                .unwrap()
                .1;
            is_wrong(pair, difference(&truths, pair), margin)
        };
        wrong += f64::from(u8::from(pairs.iter().any(bad))) / runs as f64;
        missed += f64::from(u8::from(any_missed)) / runs as f64;
        let open_pairs = pairs
            .iter()
            .filter(|pair| pair.verdict == Verdict::Open)
            .count();
        open += open_pairs as f64 / pairs.len() as f64 / runs as f64;
    }
    (wrong, missed, open)
}

/// Two models with exactly equal figures: the same questions' logits, dealt out anew.
fn twins(of: usize, rng: &mut Rng) -> Vec<Model> {
    let first = model(of, 1.0, 1.5, rng);
    let second = shuffled(&first, rng);
    vec![first, second]
}

/// A law's name, what is settled, and how models are drawn from it.
type Law = (
    &'static str,
    Vec<(Metric, Option<f64>)>,
    Box<dyn Fn(&mut Rng) -> Vec<Model>>,
);

fn check(runs: u64, of: usize, level: f64) {
    let slack = 3.0 * (level * (1.0 - level) / runs as f64).sqrt();
    let both = vec![(Metric::Acc, None), (Metric::Size, None)];
    let margins = vec![(Metric::Size, Some(0.1)), (Metric::Uacc, Some(0.02))];
    let laws: [Law; 5] = [
        ("twins", both.clone(), Box::new(move |rng| twins(of, rng))),
        (
            "twins, sizes alone",
            vec![(Metric::Size, None)],
            Box::new(move |rng| twins(of, rng)),
        ),
        (
            "twins by UAcc",
            vec![(Metric::Uacc, None)],
            Box::new(move |rng| twins(of, rng)),
        ),
        (
            "near, with margins",
            margins,
            Box::new(move |rng| vec![model(of, 1.0, 1.5, rng), model(of, 1.1, 1.5, rng)]),
        ),
        (
            "sets nearly full",
            vec![(Metric::Size, None)],
            Box::new(move |rng| vec![model(of, -1.5, 0.3, rng), model(of, -1.5, 0.3, rng)]),
        ),
    ];
    for (number, (name, metrics, law)) in laws.into_iter().enumerate() {
        let (wrong, missed, open) = simulate(runs, &question(of, metrics), number as u64, law);
        println!("{name}, {of} questions: wrong {wrong:.4}, missed {missed:.4}, open {open:.3}");
        assert!(wrong <= level + slack, "{name}: {wrong} wrong");
        assert!(missed <= level + slack, "{name}: {missed} missed");
    }
}

#[test]
fn verdicts_and_intervals_keep_their_level() {
    check(150, 400, 0.05);
}

/// The long form: `cargo test --release -p sureness-anytime --test it -- --ignored --nocapture`.
#[test]
#[ignore = "minutes, in release"]
fn verdicts_and_intervals_keep_their_level_over_two_thousand_runs() {
    for of in [300, 1000] {
        check(2_000, of, 0.05);
    }
    let metrics = vec![(Metric::Acc, None), (Metric::Size, None)];
    let law = |rng: &mut Rng| {
        let first = model(500, 1.0, 1.5, rng);
        (0..16).map(|_| shuffled(&first, rng)).collect()
    };
    let (wrong, missed, _) = simulate(500, &question(500, metrics), 77, law);
    println!("sixteen equal models: wrong {wrong:.4}, missed {missed:.4}");
    assert!(wrong <= 0.08 && missed <= 0.08);
}

/// A gate on three figures, for candidates that are worse by about the margin or not at all: shares of
/// runs with a wrong verdict or a missed interval.
fn check_gate(runs: u64, of: usize) {
    let level = 0.05;
    let slack = 3.0 * (level * (1.0 - level) / runs as f64).sqrt();
    let margins = vec![
        (Metric::Acc, Some(0.03)),
        (Metric::Size, Some(0.1)),
        (Metric::Uacc, Some(0.03)),
    ];
    let question = Question {
        goal: Goal::Gate,
        ..question(of, margins)
    };
    for (number, skill) in [None, Some(0.9)].into_iter().enumerate() {
        let law = |rng: &mut Rng| {
            let base = model(of, 1.0, 1.5, rng);
            let candidate = match skill {
                None => shuffled(&base, rng),
                Some(skill) => model(of, skill, 1.5, rng),
            };
            vec![base, candidate]
        };
        let (wrong, missed, open) = simulate(runs, &question, 900 + number as u64, law);
        println!(
            "gate, skill {skill:?}, {of} questions: wrong {wrong:.4}, missed {missed:.4}, open {open:.3}"
        );
        assert!(wrong <= level + slack, "{wrong} wrong");
        assert!(missed <= level + slack, "{missed} missed");
    }
}

#[test]
fn gates_keep_their_level() {
    check_gate(150, 400);
}

/// The long form, as above.
#[test]
#[ignore = "minutes, in release"]
fn gates_keep_their_level_over_two_thousand_runs() {
    for of in [300, 1000] {
        check_gate(2_000, of);
    }
}

#[test]
fn a_gate_ends_with_the_first_figure_that_is_worse_and_passes_early_otherwise() {
    let mut rng = Rng(8);
    let of = 4000;
    let base = model(of, 1.0, 1.5, &mut rng);
    let margins = vec![(Metric::Acc, Some(0.05)), (Metric::Size, Some(0.3))];
    let gate = Question {
        goal: Goal::Gate,
        ..question(of, margins)
    };
    let poor = [&base, &model(of, -0.5, 1.5, &mut rng)].map(task);
    let (pairs, _) = play(&poor, &gate, &mut rng);
    assert!(
        pairs.iter().any(|pair| pair.verdict == Verdict::A),
        "{pairs:?}"
    );
    assert!(pairs.iter().all(|pair| pair.asked < of / 10), "{pairs:?}");
    for candidate in [base.clone(), model(of, 1.4, 1.5, &mut rng)] {
        let (pairs, _) = play(&[&base, &candidate].map(task), &gate, &mut rng);
        assert!(
            pairs.iter().all(|pair| pair.verdict == Verdict::NoWorse),
            "{pairs:?}"
        );
        assert!(pairs.iter().all(|pair| pair.asked < of / 2), "{pairs:?}");
    }
}

#[test]
fn different_models_are_told_apart_early_and_equal_ones_within_a_margin() {
    let mut rng = Rng(5);
    let of = 4000;
    let models: Vec<TaskScores> = [(1.6, 1.5), (0.4, 1.5)]
        .map(|(skill, sharpness)| task(&model(of, skill, sharpness, &mut rng)))
        .into();
    let metrics = vec![
        (Metric::Acc, None),
        (Metric::Size, None),
        (Metric::Uacc, None),
    ];
    let (pairs, _) = play(&models, &question(of, metrics), &mut rng);
    for pair in &pairs {
        assert_eq!(pair.verdict, Verdict::A, "{pair:?}");
        assert!(pair.asked < of / 5, "{pair:?}");
    }
    let first = model(of, 1.0, 1.5, &mut rng);
    let same = vec![task(&first), task(&first)];
    let metrics = vec![(Metric::Acc, Some(0.02)), (Metric::Size, Some(0.1))];
    let (pairs, _) = play(&same, &question(of, metrics), &mut rng);
    for pair in &pairs {
        assert_eq!(pair.verdict, Verdict::Equal, "{pair:?}");
        assert!(pair.asked < of, "{pair:?}");
    }
}
