//! Figures as CSV: of a run, and of saved logits.

use std::io::Write;

use sureness_analysis::results::{OpenFigures, Results};
use sureness_analysis::scored::Scores;
use sureness_conformal::{Config, Covers, Evaluation, Protocol};

/// The columns in front of the figures; a note stands behind them.
const NAMES: [&str; 6] = ["model", "task", "strategy", "planned", "answered", "failed"];

/// The columns of saved logits that say how a row was evaluated.
const SETTINGS: [&str; 5] = ["protocol", "alpha", "calibration_ratio", "split", "seed"];

/// The columns of one evaluation; shares are fractions.
const COLUMNS: [&str; 13] = [
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

/// Further columns, in files with questions of which several options are right.
const SEVERAL: [&str; 2] = ["several_right", "covers"];

/// The cells of [`SEVERAL`]; none where no evaluation has such questions.
fn several(any: bool, evaluation: Option<&Evaluation>, covers: Covers) -> Vec<String> {
    let cells = || {
        let count = evaluation.map(|it| it.several_right.to_string());
        vec![count.unwrap_or_default(), covers.name().to_owned()]
    };
    if any { cells() } else { Vec::new() }
}

/// Further columns, in files with open questions.
const OPEN: [&str; 16] = [
    "open_one_answer_acc",
    "open_generated",
    "open_frequency",
    "open_meanings",
    "open_semantic_entropy",
    "open_likelihood",
    "open_threshold",
    "open_set_size",
    "open_coverage",
    "open_least_error_rate",
    "frequency_auroc",
    "frequency_aurc",
    "frequency_prr",
    "entropy_auroc",
    "entropy_aurc",
    "entropy_prr",
];

/// A figure, or an empty cell.
fn maybe(value: Option<f64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// The cells of [`COLUMNS`] that open questions have: their numbers and accuracy.
fn common_cells(open: &OpenFigures) -> [String; COLUMNS.len()] {
    let mut cells: [String; COLUMNS.len()] = std::array::from_fn(|_| String::new());
    cells[0] = open.n_calibration.to_string();
    cells[1] = open.n_test.to_string();
    cells[2] = open.acc.to_string();
    cells
}

/// The cells of [`OPEN`].
fn open_cells(open: &OpenFigures) -> [String; OPEN.len()] {
    let sign = |name: &str| open.signs.iter().find(|sign| sign.name == name);
    let of_sign = |name: &str| {
        let sign = sign(name);
        [
            maybe(sign.and_then(|sign| sign.auroc)),
            maybe(sign.map(|sign| sign.aurc)),
            maybe(sign.and_then(|sign| sign.prr)),
        ]
    };
    let [frequency, entropy] = ["frequency", "semantic_entropy"].map(of_sign);
    let figures = [
        open.one_answer_acc.to_string(),
        open.generated.to_string(),
        open.frequency.to_string(),
        open.meanings.to_string(),
        open.semantic_entropy.to_string(),
        maybe(open.likelihood),
        maybe(open.sets.threshold),
        maybe(open.sets.set_size),
        maybe(open.sets.coverage),
        open.sets.least_error_rate.to_string(),
    ];
    let mut all = figures.into_iter().chain(frequency).chain(entropy);
    std::array::from_fn(|_| all.next().unwrap_or_default())
}

/// The cells of one evaluation; an infinite threshold is an empty one.
fn cells(e: &Evaluation) -> [String; COLUMNS.len()] {
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

/// Writes `results.csv`: all groups of all models; fractions, not percent; empty cells where there is no
/// figure. Open questions have their numbers, their accuracy and columns of their own.
pub fn write_csv(results: &Results, out: impl Write) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(out);
    let groups = || results.models.iter().flat_map(|model| &model.groups);
    let any = groups().any(|g| g.evaluation.is_some_and(|it| it.several_right > 0));
    let any_open = groups().any(|g| g.open.is_some());
    let further = if any { &SEVERAL[..] } else { &[] };
    let of_open = if any_open { &OPEN[..] } else { &[] };
    let figures = NAMES.iter().chain(&COLUMNS).chain(further).chain(of_open);
    writer.write_record(figures.chain(&["note"]))?;
    for model in &results.models {
        for g in &model.groups {
            let failed: usize = g.failures.values().map(|f| f.count).sum();
            let names = [
                model.name.clone(),
                g.task.clone(),
                g.strategy.clone(),
                g.planned.to_string(),
                g.answered.to_string(),
                failed.to_string(),
            ];
            let of_open = g.open.as_ref();
            let figures = g.evaluation.as_ref().map(cells);
            let figures = figures.or(of_open.map(common_cells)).unwrap_or_default();
            let notes: Vec<String> = g.doubts().into_iter().chain(g.note.clone()).collect();
            let note = [notes.join("; ")];
            let covers = results.settings.evaluation.covers;
            let further = several(any, g.evaluation.as_ref(), covers);
            let of_open = match (any_open, of_open) {
                (false, _) => Vec::new(),
                (true, None) => vec![String::new(); OPEN.len()],
                (true, Some(open)) => open_cells(open).into(),
            };
            let figures = names.iter().chain(&figures).chain(&further).chain(&of_open);
            writer.write_record(figures.chain(&note))?;
        }
    }
    writer.flush()?;
    Ok(())
}

/// Writes one row per file of saved logits, no means; empty cells where there is no value. The last
/// columns say how the file was evaluated.
pub fn write_scores(scores: &Scores, out: impl Write) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(out);
    let any = scores
        .files
        .iter()
        .any(|it| it.evaluation.several_right > 0);
    let further = if any { &SEVERAL[..] } else { &[] };
    writer.write_record(
        ["file", "model", "dataset", "strategy"]
            .iter()
            .chain(&COLUMNS)
            .chain(further)
            .chain(&SETTINGS),
    )?;
    let Config {
        protocol,
        alpha,
        calibration_ratio,
        seed,
        split,
        covers,
        // Saved logits are no shares of answers.
        tempered: _,
    } = scores.config;
    // The paper's protocol knows one split alone.
    let split = match protocol {
        Protocol::Paper => "scikit-learn",
        Protocol::Standard => split.name(),
    };
    let settings = [
        protocol.name().to_owned(),
        alpha.to_string(),
        calibration_ratio.to_string(),
        split.to_owned(),
        seed.to_string(),
    ];
    for file in &scores.files {
        let names = [
            file.file.clone(),
            file.model.clone(),
            file.dataset.clone().unwrap_or_default(),
            file.strategy.unwrap_or_default().to_owned(),
        ];
        let figures = cells(&file.evaluation);
        let further = several(any, Some(&file.evaluation), covers);
        writer.write_record(
            names
                .iter()
                .chain(&figures)
                .chain(&further)
                .chain(&settings),
        )?;
    }
    writer.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sureness_analysis::scored::ScoredFile;
    use sureness_conformal::SetSummary;

    #[test]
    fn an_infinite_threshold_is_an_empty_cell() {
        let set = SetSummary {
            qhat: None,
            set_size: 2.0,
            coverage: 0.9,
            uacc: 0.5,
            empty_rate: Some(0.1),
        };
        let file = ScoredFile {
            file: "a.pkl".to_owned(),
            model: "a".to_owned(),
            dataset: None,
            strategy: None,
            icl: None,
            mean_mass: None,
            evaluation: Evaluation {
                n_calibration: 10,
                n_test: 10,
                acc: 0.5,
                e_rate: 0.0,
                f_rate: 0.0,
                several_right: 0,
                lac: set,
                aps: set,
            },
        };
        let scores = Scores::new(vec![file], Config::default()).unwrap();
        let mut csv = Vec::new();
        write_scores(&scores, &mut csv).unwrap();
        assert_eq!(
            String::from_utf8(csv).unwrap().lines().nth(1),
            Some("a.pkl,a,,,10,10,0.5,0,0,,2,0.9,0.5,,2,0.9,0.5,standard,0.1,0.5,ordered,42")
        );
    }
}
