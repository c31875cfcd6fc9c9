//! What is at the edges: few rows or none, classes without calibration, ties, infinite thresholds.

use super::*;

#[test]
fn one_row_has_no_split_and_a_full_set() {
    let mut table = Table::new(4);
    push(&mut table, &[2.0, 1.0, 0.0], 1, None, 0);
    for protocol in BOTH {
        let config = Config {
            protocol,
            ..Config::default()
        };
        assert!(matches!(
            split_of(&table, &config),
            Err(EvaluateError::EmptyHalf { rows: 1, .. })
        ));
        for score in Nonconformity::ALL {
            let scores = Scores::of(&table, score, &view(protocol));
            let calibrated = calibrate(&scores, &table, &[], 0.1, Scheme::Split);
            assert_eq!((calibrated.qhat(), calibrated.n), (None, 0));
            // The three options that the row has, not the four that the table allows.
            let sets = predict(&calibrated, &scores, &table, &[0]);
            assert_eq!(options(sets.sets[0]), [0, 1, 2]);
            let m = set_metrics(&sets, &scores, &table, &[], 0.1);
            assert_eq!((m.n, m.correct, m.covered, m.sizes[3]), (1, 0, 1, 1));
            assert_eq!((m.singleton_accuracy, m.category_gap), (None, None));
            let repeated = repeated_splits(&scores, 3, 0.5, 0.1, 42);
            assert_eq!((repeated.set_size.mean, repeated.coverage.sd), (3.0, 0.0));
        }
    }
}

#[test]
fn no_rows_have_no_figures() {
    let table = Table::new(3);
    let scores = Scores::of(&table, Nonconformity::Aps, &View::default());
    assert!(scores.is_empty());
    let m = metrics(&scores, &table, &Split::default(), 0.1, Scheme::Split);
    assert_eq!(m.n, 0);
    assert!(m.acc.is_nan() && m.coverage.is_nan() && m.sscv.is_nan() && m.class_gap.is_nan());
    assert!(repeated_splits(&scores, 2, 0.5, 0.1, 42).acc.mean.is_nan());
    assert_eq!(calibrate_jointly(&[], 0.1).qhat(), None);
}

#[test]
fn all_answers_equal() {
    let mut rng = Rng(3);
    let mut table = Table::new(4);
    for key in 0..100 {
        let logits: Vec<f64> = (0..4).map(|_| rng.unit()).collect();
        push(&mut table, &logits, 2, None, key);
    }
    let split = paper_split(100, 0.5, 1);
    let scores = Scores::of(&table, Nonconformity::Lac, &View::default());
    let scheme = Scheme::ClassConditional { least: 5 };
    let own = calibrate(&scores, &table, &split.calibration, 0.1, scheme);
    assert_eq!(own.fallbacks, [0, 1, 3]);
    // Its class is all rows, and the others fall back on all rows: one threshold.
    assert!(own.group_thresholds().iter().all(|&(_, q)| q == own.qhat()));
    let m = metrics(&scores, &table, &split, 0.1, scheme);
    assert_eq!((m.by_class.len(), m.by_class[0].group), (1, 2));
    assert!((m.class_gap - (m.coverage - 0.9).abs()).abs() < 1e-12);
}

#[test]
fn a_class_without_calibration_rows() {
    let mut rng = Rng(4);
    let mut table = Table::new(3);
    for key in 0..60 {
        let logits: Vec<f64> = (0..3).map(|_| 3.0 * rng.unit()).collect();
        // Option 2 is right in the last row alone, which is tested.
        push(
            &mut table,
            &logits,
            if key == 59 { 2 } else { key as usize % 2 },
            None,
            key,
        );
    }
    let split = Split {
        calibration: (0..40).collect(),
        test: (40..60).collect(),
    };
    let scores = Scores::of(&table, Nonconformity::Margin, &View::default());
    let calibrated = |least| {
        let scheme = Scheme::ClassConditional { least };
        calibrate(&scores, &table, &split.calibration, 0.1, scheme)
    };
    let fallback = calibrated(1);
    assert_eq!(fallback.fallbacks, [2]);
    assert_eq!(fallback.group_thresholds()[2], (2, fallback.qhat()));
    let own = &fallback.group_thresholds()[..2];
    assert!(own.iter().any(|&(_, q)| q != fallback.qhat()));
    // The strict promise: nothing is known of the class, so it is in every set.
    let strict = calibrated(0);
    assert!(strict.fallbacks.is_empty());
    assert_eq!(strict.group_thresholds()[2], (2, None));
    assert!((40..60).all(|row| strict.set(&scores, &table, row).contains(2)));
    let m = metrics(
        &scores,
        &table,
        &split,
        0.1,
        Scheme::ClassConditional { least: 0 },
    );
    assert_eq!(
        (
            m.by_class[2].n,
            m.by_class[2].n_calibration,
            m.by_class[2].covered
        ),
        (1, 0, 1)
    );
}

#[test]
fn thin_categories_and_rows_without_one_use_the_common_threshold() {
    let mut rng = Rng(6);
    let mut table = Table::new(3);
    for key in 0..100_u64 {
        let logits: Vec<f64> = (0..3).map(|_| 3.0 * rng.unit()).collect();
        let category = match key {
            0..2 => Some(7), // two calibration rows
            99 => Some(9),   // tested alone
            _ => (key % 3 != 0).then_some(3),
        };
        push(&mut table, &logits, key as usize % 3, category, key);
    }
    let calibration: Vec<usize> = (0..60).collect();
    let scores = Scores::of(&table, Nonconformity::Lac, &View::default());
    let least = Scheme::least_for_finite(0.1);
    assert_eq!(least, 9);
    let by_category = calibrate(
        &scores,
        &table,
        &calibration,
        0.5,
        Scheme::Mondrian { least },
    );
    // Half of the sets may miss, so that few of them are full.
    let common = calibrate(&scores, &table, &calibration, 0.5, Scheme::Split);
    assert_eq!(by_category.fallbacks, [7, 9]);
    assert_eq!(by_category.qhat(), common.qhat());
    let thresholds = by_category.group_thresholds();
    assert_eq!(
        (thresholds[1], thresholds[2]),
        ((7, common.qhat()), (9, common.qhat()))
    );
    let differ = |category: Option<u32>| {
        (60..100)
            .filter(|&row| table.categories()[row] == category)
            .any(|row| by_category.set(&scores, &table, row) != common.set(&scores, &table, row))
    };
    assert!(!differ(None) && !differ(Some(9)));
    assert!(thresholds[0].1 != common.qhat());
}

#[test]
fn infinite_thresholds_give_full_sets() {
    let table = ragged(40, 9);
    let split = Split {
        calibration: (0..8).collect(),
        test: (8..40).collect(),
    };
    for (protocol, score) in BOTH
        .into_iter()
        .flat_map(|p| Nonconformity::ALL.map(|s| (p, s)))
    {
        let scores = Scores::of(&table, score, &view(protocol));
        for scheme in [
            Scheme::Split,
            Scheme::ClassConditional { least: 0 },
            Scheme::Mondrian { least: 0 },
        ] {
            let calibrated = calibrate(&scores, &table, &split.calibration, 0.1, scheme);
            assert_eq!(calibrated.qhat(), None);
            for &row in &split.test {
                let set = calibrated.set(&scores, &table, row);
                assert_eq!(set, PredictionSet::full(scores.options(row)), "{score}");
            }
        }
        let point = over_alpha(&scores, &split, &[0.1])[0];
        assert!((point.coverage - 1.0).abs() < f64::EPSILON);
        let options: usize = split.test.iter().map(|&row| scores.options(row)).sum();
        assert!((point.set_size - options as f64 / 32.0).abs() < 1e-12);
    }
}

#[test]
fn all_probabilities_tied() {
    let mut table = Table::new(4);
    for key in 0..400 {
        push(&mut table, &[1.5; 4], key as usize % 4, None, key);
    }
    let split = paper_split(400, 0.5, 42);
    for protocol in BOTH {
        for score in [Nonconformity::Lac, Nonconformity::Margin] {
            // All options are equally strange, so that a set holds all of them.
            let scores = Scores::of(&table, score, &view(protocol));
            assert_eq!(scores.tied_rows(), 400);
            let m = metrics(&scores, &table, &split, 0.1, Scheme::Split);
            assert_eq!((m.sizes[4], m.covered), (200, 200));
        }
        for score in [
            Nonconformity::Aps,
            Nonconformity::ApsRandomized,
            Nonconformity::TopK,
        ] {
            let scores = Scores::of(&table, score, &view(protocol));
            // Four ranks share the answers evenly: the best two cover 40 %, the best alone 25 %.
            let m = metrics(&scores, &table, &split, 0.6, Scheme::Split);
            assert!(
                m.set_size > 1.3 && m.set_size < 2.1,
                "{score} {}",
                m.set_size
            );
        }
    }
    let tops = |protocol| {
        let scores = Scores::of(&table, Nonconformity::Lac, &view(protocol));
        let mut tops = [0; 4];
        (0..400).for_each(|row| tops[scores.top(row)] += 1);
        tops
    };
    assert_eq!(tops(Protocol::Paper), [400, 0, 0, 0]);
    // Binomial(400, 1/4) has a standard deviation of 8.7; the keys are fixed.
    assert!(
        tops(Protocol::Standard)
            .iter()
            .all(|top| (70..=130).contains(top))
    );
}
