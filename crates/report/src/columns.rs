//! The columns of one evaluation, the same in every CSV file.

use sureness_conformal::Evaluation;

/// Their names; shares are fractions.
pub(crate) const COLUMNS: [&str; 13] = [
    "n_calibration",
    "n_test",
    "acc",
    "e_rate",
    "f_rate",
    "lac_qhat",
    "lac_set_size",
    "lac_coverage",
    "lac_uacc",
    "aps_qhat",
    "aps_set_size",
    "aps_coverage",
    "aps_uacc",
];

/// Their cells; an infinite threshold is an empty one.
pub(crate) fn cells(e: &Evaluation) -> [String; COLUMNS.len()] {
    let qhat = |q: Option<f64>| q.map(|q| q.to_string()).unwrap_or_default();
    [
        e.n_calibration.to_string(),
        e.n_test.to_string(),
        e.acc.to_string(),
        e.e_rate.to_string(),
        e.f_rate.to_string(),
        qhat(e.lac.qhat),
        e.lac.set_size.to_string(),
        e.lac.coverage.to_string(),
        e.lac.uacc.to_string(),
        qhat(e.aps.qhat),
        e.aps.set_size.to_string(),
        e.aps.coverage.to_string(),
        e.aps.uacc.to_string(),
    ]
}
