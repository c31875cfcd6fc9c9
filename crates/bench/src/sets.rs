//! Probabilities and prediction sets of single questions, by thresholds that their group sets.

use sureness_analysis::GroupRows;
use sureness_conformal::{
    Calibrated, Config, Covers, Nonconformity, ProbabilityView, Scheme, Scores, Split, View,
    calibrate, split_of,
};

/// A question's probabilities and sets, under the run's own settings.
#[derive(Debug, Clone)]
pub struct ShownSets {
    /// Probability of each option, in option order.
    pub probabilities: Vec<f64>,
    /// The option that counts as the model's answer: the most probable one, of several by the protocol's
    /// rule.
    pub top: usize,
    /// Options in the set, by score; an empty set is filled as in the figures.
    pub sets: Vec<(Nonconformity, Vec<usize>)>,
    /// Whether the question belongs to the calibration half, which sets the thresholds.
    pub calibrates: bool,
    /// When a set covers a question with several right options.
    pub covers: Covers,
}

/// The thresholds of a group, for the sets of any of its questions.
pub(crate) struct GroupSets {
    rows: GroupRows,
    split: Split,
    view: View,
    scores: [(Nonconformity, Scores, Calibrated); 2],
}

impl GroupSets {
    /// Calibrates by both scores; `None` if the group cannot be split.
    pub(crate) fn of(mut rows: GroupRows, config: &Config) -> Option<Self> {
        if let Some(temperature) = config.tempered {
            rows.temper(temperature);
        }
        let split = split_of(&rows.table, config).ok()?;
        let view = View {
            protocol: config.protocol,
            seed: config.seed,
            covers: config.covers,
            ..View::default()
        };
        let scores = [Nonconformity::Lac, Nonconformity::Aps].map(|score| {
            let scores = Scores::of(&rows.table, score, &view);
            let half = &split.calibration;
            let calibrated = calibrate(&scores, &rows.table, half, config.alpha, Scheme::Split);
            (score, scores, calibrated)
        });
        Some(Self {
            rows,
            split,
            view,
            scores,
        })
    }

    /// The probabilities and sets of the question with this content; `None` if it has no scores.
    pub(crate) fn question(&self, content: &[u8; 32]) -> Option<ShownSets> {
        let table = &self.rows.table;
        let place = table.keys().iter().position(|key| key == content)?;
        let mut loaded = ProbabilityView::new(&self.view);
        loaded.load(&table.row(place));
        let set = |(score, scores, calibrated): &(Nonconformity, Scores, Calibrated)| {
            let mut options: Vec<usize> = calibrated.set(scores, table, place).iter().collect();
            if options.is_empty() {
                options.push(scores.top(place));
            }
            (*score, options)
        };
        let [(_, scores, _), _] = &self.scores;
        Some(ShownSets {
            top: scores.top(place),
            probabilities: loaded.probabilities().to_vec(),
            sets: self.scores.iter().map(set).collect(),
            calibrates: self.split.calibration.contains(&place),
            covers: self.view.covers,
        })
    }
}
