//! Prediction sets from end to end: against [`evaluate`], against figures made by hand, and at the
//! edges.

mod edges;

use crate::rng::Rng;
use crate::rows::push;
use proptest::prelude::*;
use sureness_conformal::{
    Config, CurvePoint, EvaluateError, Nonconformity, PredictionSet, Protocol, RandomSplits,
    Scheme, Scores, SetMetrics, Split, Spread, Table, View, calibrate, calibrate_jointly,
    over_alpha, over_ratio, over_temperature, paper_split, predict, repeated_splits, set_metrics,
    split_of,
};

const BOTH: [Protocol; 2] = [Protocol::Paper, Protocol::Standard];

fn view(protocol: Protocol) -> View {
    View {
        protocol,
        ..View::default()
    }
}

/// Rows of 2 to 6 options with logits in steps of 1/8, as half-precision models have them: equal
/// probabilities are frequent.
fn ragged(n: usize, seed: u64) -> Table {
    let mut rng = Rng(seed);
    let mut table = Table::new(6);
    for key in 0..n as u64 {
        let options = 2 + (rng.next() % 5) as usize;
        let logits: Vec<f64> = (0..options)
            .map(|_| (24.0 * rng.unit()).floor() / 8.0)
            .collect();
        let category = (rng.next() % 4) as u32;
        let answer = (rng.next() % options as u64) as usize;
        push(
            &mut table,
            &logits,
            answer,
            (category < 3).then_some(category),
            key,
        );
    }
    table
}

fn metrics(
    scores: &Scores,
    table: &Table,
    split: &Split,
    alpha: f64,
    scheme: Scheme,
) -> SetMetrics {
    let calibrated = calibrate(scores, table, &split.calibration, alpha, scheme);
    let sets = predict(&calibrated, scores, table, &split.test);
    set_metrics(&sets, scores, table, &split.calibration, alpha)
}

/// The headline figures, to be compared to the last bit.
pub(crate) fn figures(metrics: &SetMetrics) -> [u64; 4] {
    bits([
        metrics.acc,
        metrics.coverage,
        metrics.set_size,
        metrics.uacc,
    ])
}

pub(crate) fn bits(figures: [f64; 4]) -> [u64; 4] {
    figures.map(f64::to_bits)
}

fn bits_of(point: &CurvePoint) -> [u64; 4] {
    bits([point.acc, point.coverage, point.set_size, point.uacc])
}

fn options(set: PredictionSet) -> Vec<usize> {
    set.iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// LAC and APS are what `evaluate` reports, to the last bit.
    #[test]
    fn evaluate_reports_the_same(
        n in 4..300_usize, seed in any::<u64>(), alpha in 0.02..0.6_f64, protocol in prop::sample::select(BOTH.to_vec()),
    ) {
        let table = ragged(n, seed);
        let config = Config { protocol, alpha, seed, ..Config::default() };
        match (table.evaluate(&config), split_of(&table, &config)) {
            (Ok(evaluation), Ok(split)) => {
                for (score, summary) in [
                    (Nonconformity::Lac, evaluation.lac), (Nonconformity::Aps, evaluation.aps),
                ] {
                    let scores = Scores::of(&table, score, &view(protocol));
                    let calibrated =
                        calibrate(&scores, &table, &split.calibration, alpha, Scheme::Split);
                    prop_assert_eq!(calibrated.qhat(), summary.qhat);
                    prop_assert_eq!(calibrated.n, evaluation.n_calibration);
                    let metrics = metrics(&scores, &table, &split, alpha, Scheme::Split);
                    prop_assert_eq!(metrics.n, evaluation.n_test);
                    prop_assert_eq!(
                        figures(&metrics),
                        bits([evaluation.acc, summary.coverage, summary.set_size, summary.uacc])
                    );
                }
            }
            (Err(evaluation), Err(split)) => prop_assert_eq!(evaluation, split),
            (evaluation, split) => prop_assert!(false, "{evaluation:?} but {split:?}"),
        }
    }

    /// Counting by columns gives what counting sets gives.
    #[test]
    fn splits_and_curves_count_what_sets_count(
        n in 2..120_usize, seed in any::<u64>(), alpha in 0.02..0.6_f64,
        score in prop::sample::select(Nonconformity::ALL.to_vec()), protocol in prop::sample::select(BOTH.to_vec()),
    ) {
        let table = ragged(n, seed);
        let view = view(protocol);
        let scores = Scores::of(&table, score, &view);
        let split = paper_split(n, 0.5, seed as u32);
        let by_sets = figures(&metrics(&scores, &table, &split, alpha, Scheme::Split));

        let repeated = repeated_splits(&scores, 1, 0.5, alpha, seed);
        let means = [repeated.acc, repeated.coverage, repeated.set_size, repeated.uacc];
        prop_assert_eq!(bits(means.map(|spread| spread.mean)), by_sets);

        let temperatures =
            over_temperature(&table, &[score], &view, &split, alpha, &[1.0, 3.0]).unwrap();
        for point in [&over_alpha(&scores, &split, &[alpha])[0], &temperatures[0][0]] {
            prop_assert_eq!(bits_of(point), by_sets);
            prop_assert_eq!((point.n_calibration, point.n_test), (n / 2, n - n / 2));
        }
    }

    /// A thinned calibration half is the half that the smaller ratio would give.
    #[test]
    fn thinned_halves_are_those_of_smaller_ratios(
        n in 20..200_usize, seed in any::<u64>(), protocol in prop::sample::select(BOTH.to_vec()),
    ) {
        let table = ragged(n, seed);
        let config = Config { protocol, seed, ..Config::default() };
        let scores = Scores::of(&table, Nonconformity::Aps, &view(protocol));
        let Ok(split) = split_of(&table, &config) else { return Ok(()) };
        let points = over_ratio(&scores, &table, &config, &[0.2, 0.5]).unwrap();
        for (point, ratio) in points.iter().zip([0.2, 0.5]) {
            let smaller = Config { calibration_ratio: ratio, ..config };
            let Ok(thinner) = split_of(&table, &smaller) else { continue };
            let halves = Split { calibration: thinner.calibration, test: split.test.clone() };
            let by_sets = metrics(&scores, &table, &halves, config.alpha, Scheme::Split);
            prop_assert_eq!(point.n_calibration, halves.calibration.len());
            prop_assert_eq!(bits_of(point), figures(&by_sets));
        }
        prop_assert_eq!(
            over_ratio(&scores, &table, &config, &[0.6]).unwrap_err(),
            EvaluateError::Thinning { ratio: 0.6, of: 0.5 }
        );
    }

    /// Without a penalty, RAPS is randomised APS.
    #[test]
    fn raps_without_penalty_is_aps(seed in any::<u64>(), k_reg in 0..7_usize) {
        let table = ragged(30, seed);
        let raps = Nonconformity::Raps { lambda: 0.0, k_reg };
        let raps = Scores::of(&table, raps, &View::default());
        let aps = Scores::of(&table, Nonconformity::ApsRandomized, &View::default());
        for row in 0..table.len() {
            prop_assert_eq!(raps.row(row), aps.row(row));
        }
    }

    /// A higher error rate never adds an option.
    #[test]
    fn sets_shrink_as_alpha_grows(
        seed in any::<u64>(), low in 0.02..0.5_f64, more in 0.0..0.4_f64,
        score in prop::sample::select(Nonconformity::ALL.to_vec()),
    ) {
        let table = ragged(80, seed);
        let scores = Scores::of(&table, score, &View::default());
        let calibration: Vec<usize> = (0..40).collect();
        for scheme in [
            Scheme::Split, Scheme::ClassConditional { least: 3 }, Scheme::Mondrian { least: 0 },
        ] {
            let wide = calibrate(&scores, &table, &calibration, low, scheme);
            let narrow = calibrate(&scores, &table, &calibration, low + more, scheme);
            for row in 40..80 {
                let wide = wide.set(&scores, &table, row);
                prop_assert!(narrow.set(&scores, &table, row).iter().all(|o| wide.contains(o)));
            }
        }
    }
}

#[test]
fn metrics_by_hand() {
    let mut table = Table::new(3);
    // The first row calibrates: its LAC score is 0.65, so sets hold what has at least 0.35.
    let rows = [
        ([0.35, 0.45, 0.20], 0, Some(1)),
        ([0.70, 0.20, 0.10], 0, Some(1)), // {0}, right
        ([0.45, 0.40, 0.15], 1, Some(1)), // {0, 1}, the model says 0
        ([0.36, 0.34, 0.30], 2, Some(2)), // {0}, wrong
        ([0.34, 0.33, 0.33], 0, None),    // empty, filled with 0, right
        ([0.10, 0.46, 0.44], 1, Some(2)), // {1, 2}, the model says 1
    ];
    for (key, (p, answer, category)) in (0..).zip(rows) {
        push(&mut table, &p.map(f64::ln), answer, category, key);
    }
    let scores = Scores::of(&table, Nonconformity::Lac, &View::default());
    let calibrated = calibrate(&scores, &table, &[0], 0.5, Scheme::Split);
    let sets = predict(&calibrated, &scores, &table, &[1, 2, 3, 4, 5]);
    let expected: [&[usize]; 5] = [&[0], &[0, 1], &[0], &[0], &[1, 2]];
    assert_eq!(
        sets.sets.iter().map(|&s| options(s)).collect::<Vec<_>>(),
        expected
    );
    assert_eq!(sets.was_empty, [false, false, false, true, false]);

    let m = set_metrics(&sets, &scores, &table, &[0], 0.1);
    assert_eq!((m.n, m.correct, m.covered), (5, 3, 4));
    assert_eq!(m.sizes, [0, 3, 2, 0]);
    let close = |got: f64, want: f64| assert!((got - want).abs() < 1e-12, "{got} for {want}");
    close(m.acc, 0.6);
    close(m.coverage, 0.8);
    close(m.set_size, 1.4);
    close(m.uacc, 0.6 * 3.0_f64.sqrt() / 1.4);
    close(m.empty_rate, 0.2);
    close(m.singleton_rate, 0.6);
    close(m.singleton_accuracy.unwrap(), 2.0 / 3.0);
    let strata: Vec<_> = m.strata.iter().map(|s| (s.size, s.n)).collect();
    assert_eq!(strata, [(1, 3), (2, 2)]);
    close(m.strata[0].coverage, 2.0 / 3.0);
    close(m.strata[0].accuracy, 2.0 / 3.0);
    close(m.strata[1].accuracy, 0.5);
    close(m.sscv, 0.9 - 2.0 / 3.0);
    let classes: Vec<_> = m
        .by_class
        .iter()
        .map(|g| (g.group, g.n, g.n_calibration, g.covered))
        .collect();
    assert_eq!(classes, [(0, 2, 1, 2), (1, 2, 0, 2), (2, 1, 0, 0)]);
    close(m.class_gap, (0.1 + 0.1 + 0.9) / 3.0);
    let categories: Vec<_> = m
        .by_category
        .iter()
        .map(|g| (g.group, g.n, g.n_calibration, g.covered))
        .collect();
    assert_eq!(categories, [(1, 2, 1, 2), (2, 2, 0, 1)]);
    close(m.by_category[0].set_size, 1.5);
    close(m.by_category[1].accuracy, 0.5);
    close(m.category_gap.unwrap(), 0.25);

    let json = serde_json::to_string(&m).unwrap();
    assert_eq!(serde_json::from_str::<SetMetrics>(&json).unwrap(), m);
}

#[test]
fn a_joint_threshold_is_that_of_the_pooled_rows() {
    let (a, b) = (ragged(50, 1), ragged(70, 2));
    let mut both = Table::new(6);
    for row in a.rows().chain(b.rows()) {
        let key = both.len() as u64;
        let logits: Vec<f64> = row.logits.iter().collect();
        push(&mut both, &logits, row.right, None, key);
    }
    for protocol in BOTH {
        // APS looks at no key unless there are ties; the margin never does.
        let of = |table| Scores::of(table, Nonconformity::Margin, &view(protocol));
        let (rows_a, rows_b) = ((0..25).collect::<Vec<_>>(), (0..40).collect::<Vec<_>>());
        let joint = calibrate_jointly(&[(&of(&a), &rows_a), (&of(&b), &rows_b)], 0.1);
        let pooled: Vec<usize> = (0..25).chain(50..90).collect();
        let together = calibrate(&of(&both), &both, &pooled, 0.1, Scheme::Split);
        assert_eq!(joint, together);
        assert_eq!(joint.n, 65);
        assert!(joint.qhat().is_some());
    }
}

#[test]
fn repeated_splits_are_those_of_the_next_seeds() {
    let table = ragged(61, 12);
    let scores = Scores::of(&table, Nonconformity::Lac, &View::default());
    let mut sizes = Vec::new();
    for seed in 7..12 {
        let split = paper_split(61, 0.4, seed);
        sizes.push(metrics(&scores, &table, &split, 0.2, Scheme::Split).set_size);
    }
    let repeated = repeated_splits(&scores, 5, 0.4, 0.2, 7);
    assert_eq!(repeated.splits, 5);
    assert_eq!(repeated.set_size, Spread::of(&mut sizes));
    assert!(repeated.set_size.min < repeated.set_size.max);
    // Splits made for tables of another length do not count part of this one.
    let others = RandomSplits::new(60, 5, 0.4, 7);
    assert_eq!(others.figures(&scores, 0.2), repeated);
}

#[test]
fn a_temperature_that_is_none_is_refused() {
    let table = ragged(10, 1);
    let split = paper_split(10, 0.5, 42);
    let lac = Nonconformity::Lac;
    let over = |t| over_temperature(&table, &[lac], &View::default(), &split, 0.5, &[1.0, t]);
    assert_eq!(over(0.0), Err(EvaluateError::Temperature(0.0)));
    assert_eq!(over(2.0).map(|curves| curves[0].len()), Ok(2));
    // Without the check there are no figures that look like any, and no panic.
    for score in Nonconformity::ALL {
        let view = View {
            temperature: -1.0,
            ..View::default()
        };
        let scores = Scores::of(&table, score, &view);
        let m = metrics(&scores, &table, &split, 0.5, Scheme::Split);
        assert_eq!(m.n, 5);
        repeated_splits(&scores, 2, 0.5, 0.5, 42);
    }
}
