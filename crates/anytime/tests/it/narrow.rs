//! Intervals of single models' figures, with the threshold set on the way.

use sureness_anytime::{
    Answers, Bounded, Draws, Goal, Metric, Narrowed, Narrowing, Question, TaskScores,
};

use crate::laws::{Model, Rng, model, shuffled};
use crate::settle::{ERROR_RATE, task, truths};

const LEVEL: f64 = 0.05;

fn question(of: usize, confidence: f64, metrics: &[(Metric, f64)]) -> Question {
    Question {
        goal: Goal::Width,
        confidence,
        metrics: metrics.iter().map(|it| (it.0, Some(it.1))).collect(),
        alpha: ERROR_RATE,
        of: vec![of],
    }
}

/// The figure over all questions.
fn truth(scores: &TaskScores, metric: Metric) -> f64 {
    let place = Metric::SETTLED.iter().position(|it| *it == metric);
    truths(&scores.strategies[0])[place.unwrap()]
}

fn misses(figure: &Narrowed, truth: f64) -> bool {
    let inside = |[low, high]: [f64; 2]| (low - 1e-5..=high + 1e-5).contains(&truth);
    !figure.interval.is_none_or(inside)
}

/// Whether any of three figures is missed at any time, looking after every question and never stopping.
///
/// An interval of accuracy misses when the bets against the truth are won, which is much sooner found
/// out than its ends.
fn is_ever_missed(scores: &TaskScores, rng: &mut Rng) -> bool {
    let of = scores.of;
    let order = shuffled(&(0..of).map(|row| (0, row)).collect::<Vec<_>>(), rng);
    let accuracy = truth(scores, Metric::Acc);
    let draws = Draws::Without { of: of as u64 };
    let mut right = Bounded::new(draws, 0.0, 1.0).watching(accuracy);
    // Two of three figures, at the level that all three would have; a width of 0 is never reached
    // before the end.
    let two = [(Metric::Size, 0.0), (Metric::Uacc, 0.0)];
    let mut narrowing = Narrowing::new(question(of, 1.0 - LEVEL * 2.0 / 3.0, &two), 1);
    (1..=of).any(|asked| {
        let correct = scores.strategies[0].correct(order[asked - 1].1);
        right.push(f64::from(u8::from(correct)));
        narrowing.look(&[Answers {
            tasks: std::slice::from_ref(scores),
            asked: &order[..asked],
        }]);
        let sides = right.sides(0, LEVEL / 3.0);
        let mut figures = narrowing.figures().iter();
        // The ends of what is possible lie on the truth when all is seen, but for rounding.
        let accuracy = asked < of && (sides.above || sides.below);
        accuracy || figures.any(|figure| misses(figure, truth(scores, figure.metric)))
    })
}

/// Asks two models until all six intervals are narrow enough, in the rounds of a run; gives the figures.
fn asked_in_rounds(
    models: &[TaskScores],
    widths: &[(Metric, f64)],
    rng: &mut Rng,
) -> Vec<Narrowed> {
    let of = models[0].of;
    let order = shuffled(&(0..of).map(|row| (0, row)).collect::<Vec<_>>(), rng);
    let question = question(of, 1.0 - LEVEL, widths);
    let mut narrowing = Narrowing::new(question, models.len());
    let mut asked = vec![0; models.len()];
    while !narrowing.is_done() {
        let next = narrowing.next_round();
        for (model, asked) in asked.iter_mut().enumerate() {
            if narrowing.concerns(model) {
                *asked = next;
            }
        }
        let answers: Vec<Answers<'_>> = models
            .iter()
            .zip(&asked)
            .map(|(task, &asked)| Answers {
                tasks: std::slice::from_ref(task),
                asked: &order[..asked],
            })
            .collect();
        narrowing.look(&answers);
    }
    narrowing.figures().to_vec()
}

type Law = (&'static str, Box<dyn Fn(&mut Rng) -> Model>);

fn laws(of: usize) -> [Law; 5] {
    [
        ("usual", Box::new(move |rng| model(of, 1.0, 1.5, rng))),
        (
            "sets nearly full",
            Box::new(move |rng| model(of, -1.5, 0.3, rng)),
        ),
        (
            "mostly right",
            Box::new(move |rng| model(of, 2.0, 3.0, rng)),
        ),
        (
            "nearly always right",
            Box::new(move |rng| model(of, 3.0, 2.0, rng)),
        ),
        (
            "right but in two of a hundred",
            Box::new(move |rng| model(of, 4.0, 2.0, rng)),
        ),
    ]
}

fn check(runs: u64, of: usize) {
    let slack = 3.0 * (LEVEL * (1.0 - LEVEL) / runs as f64).sqrt();
    let widths = [
        (Metric::Acc, 0.12),
        (Metric::Size, 0.6),
        (Metric::Uacc, 0.3),
    ];
    for (number, (name, law)) in laws(of).into_iter().enumerate() {
        let (mut peeked, mut stopped, mut share) = (0.0, 0.0, 0.0);
        for run in 0..runs {
            let mut rng = Rng::of_repetition(300 + number as u64, run);
            let models = [law(&mut rng), law(&mut rng)].map(|model| task(&model));
            let missed = is_ever_missed(&models[0], &mut rng);
            peeked += f64::from(u8::from(missed)) / runs as f64;
            // Of every fourth run: the ends of an interval of accuracy take long.
            if run % 4 == 0 {
                let figures = asked_in_rounds(&models, &widths, &mut rng);
                let missed = figures
                    .iter()
                    .any(|it| misses(it, truth(&models[it.model], it.metric)));
                let part = runs.div_ceil(4) as f64;
                stopped += f64::from(u8::from(missed)) / part;
                let asked = figures.iter().map(|it| it.asked).max().unwrap();
                share += asked as f64 / of as f64 / part;
                for figure in figures {
                    let [low, high] = figure.interval.unwrap();
                    assert!(high - low <= figure.width, "{name}: {figure:?}");
                }
            }
        }
        println!(
            "{name}, {of} questions: missed at any look {peeked:.4}, at the stop {stopped:.4}, asked {share:.3}"
        );
        assert!(peeked <= LEVEL + slack, "{name}: {peeked} missed");
        assert!(stopped <= LEVEL + 2.0 * slack, "{name}: {stopped} missed");
    }
}

#[test]
fn intervals_of_several_figures_hold_together_after_every_question() {
    check(60, 300);
}

/// The long form: `cargo test --release -p sureness-anytime --test it -- --ignored --nocapture`.
#[test]
#[ignore = "minutes, in release"]
fn intervals_of_several_figures_hold_together_over_two_thousand_runs() {
    check(2_000, 300);
    // A look after every question takes a sort, and the ends of intervals of accuracy take all bets anew.
    check(500, 1000);
}

#[test]
fn a_wide_interval_takes_few_questions_and_a_model_that_is_done_is_asked_no_further() {
    let mut rng = Rng(11);
    let of = 4000;
    // Accuracy varies least where a model is nearly always right.
    let models = [(5.0, 2.0), (0.5, 1.5)]
        .map(|(skill, sharpness)| task(&model(of, skill, sharpness, &mut rng)));
    let figures = asked_in_rounds(&models, &[(Metric::Acc, 0.06)], &mut rng);
    assert!(figures.iter().all(|it| it.reached), "{figures:?}");
    assert!(figures[0].asked < figures[1].asked / 2, "{figures:?}");
    assert!(figures[1].asked < of, "{figures:?}");
    // Narrower than what all but the last questions allow.
    let figures = asked_in_rounds(&models[..1], &[(Metric::Size, 1e-9)], &mut rng);
    assert_eq!(figures[0].asked, of, "{figures:?}");
    let [low, high] = figures[0].interval.unwrap();
    assert!((high - low).abs() < 1e-9, "{figures:?}");
}

/// Figures are means over tasks, whatever their sizes.
#[test]
fn small_tasks_count_as_much_as_large_ones() {
    let mut rng = Rng(12);
    let mut missed = 0;
    for _ in 0..20 {
        let tasks: Vec<TaskScores> = [(900, 2.0), (300, 0.2)]
            .map(|(of, skill)| task(&model(of, skill, 1.5, &mut rng)))
            .into();
        let places: Vec<(usize, usize)> = (0..2)
            .flat_map(|task| (0..tasks[task].of).map(move |row| (task, row)))
            .collect();
        let order = shuffled(&places, &mut rng);
        let mut narrowing = Narrowing::new(
            Question {
                of: vec![900, 300],
                ..question(0, 0.95, &[(Metric::Acc, 0.1), (Metric::Size, 0.3)])
            },
            1,
        );
        while !narrowing.is_done() {
            let asked = narrowing.next_round();
            narrowing.look(&[Answers {
                tasks: &tasks,
                asked: &order[..asked],
            }]);
        }
        let mean = |metric| f64::midpoint(truth(&tasks[0], metric), truth(&tasks[1], metric));
        missed += usize::from(
            narrowing
                .figures()
                .iter()
                .any(|it| misses(it, mean(it.metric))),
        );
    }
    // One of twenty is expected at most.
    assert!(missed <= 4, "{missed} of 20");
}

/// Coverage at thresholds that other questions have set, looked at after every question.
#[test]
fn coverage_of_deployed_thresholds_is_monitored_at_any_time() {
    let (runs, of) = (400, 400);
    let (mut missed, mut apart) = (0.0, 0.0);
    for run in 0..runs {
        let mut rng = Rng::of_repetition(700, run);
        let calibration = crate::laws::scores(&model(300, 1.0, 1.5, &mut rng));
        let mut ranked: Vec<f64> = (0..300).map(|row| calibration.of_answer(row)).collect();
        ranked.sort_unstable_by(f64::total_cmp);
        let mut scores = task(&model(of, 1.0, 1.5, &mut rng));
        scores.deployed = vec![ranked[270]];
        let order = shuffled(&(0..of).map(|row| (0, row)).collect::<Vec<_>>(), &mut rng);
        let covered = |row: usize| scores.strategies[0].of_answer(row) <= ranked[270];
        let truth = (0..of).filter(|&row| covered(row)).count() as f64 / of as f64;
        let draws = Draws::Without { of: of as u64 };
        let mut bets = Bounded::new(draws, 0.0, 1.0).watching(truth);
        let ever = (0..of - 1).any(|place| {
            bets.push(f64::from(u8::from(covered(order[place].1))));
            let sides = bets.sides(0, LEVEL);
            sides.above || sides.below
        });
        missed += f64::from(u8::from(ever)) / runs as f64;
        // The same by the figure that runs use, at one time.
        let mut narrowing =
            Narrowing::new(question(of, 1.0 - LEVEL, &[(Metric::Coverage, 0.1)]), 1);
        narrowing.look(&[Answers {
            tasks: std::slice::from_ref(&scores),
            asked: &order[..200],
        }]);
        let figure = narrowing.figures()[0];
        let seen = order[..200].iter().filter(|it| covered(it.1)).count();
        assert!(
            (figure.value.unwrap() - seen as f64 / 200.0).abs() < 1e-12,
            "{figure:?}"
        );
        apart += f64::from(u8::from(misses(&figure, truth))) / runs as f64;
    }
    let slack = 3.0 * (LEVEL * (1.0 - LEVEL) / runs as f64).sqrt();
    println!("coverage: missed at any look {missed}, at one time {apart}");
    assert!(
        missed <= LEVEL + slack && apart <= LEVEL + slack,
        "{missed} {apart}"
    );
}
