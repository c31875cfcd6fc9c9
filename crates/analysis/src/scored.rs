//! The figures of saved logits: a file each, and the means of each model.

use serde::Serialize;
use sureness_conformal::{Config, Evaluation, Mean, mean};
use sureness_record::LOW_MASS;

use crate::results::improbable;
use crate::{Cell, Column, Section, Settings, Table, Unit};

/// The figures of one file of saved logits. All shares are fractions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoredFile {
    /// The path as it was given.
    pub file: String,
    /// The model, by the file's name.
    pub model: String,
    /// The data set, where the file's name tells it.
    pub dataset: Option<String>,
    /// The prompt strategy (`base`, `shared` or `task`), where the file's name tells it.
    pub strategy: Option<&'static str>,
    /// 0 for zero-shot prompts, 1 for few-shot prompts, where the file's name tells it.
    #[serde(skip)]
    pub icl: Option<u8>,
    /// Mean probability of the option letters; none for logits and whole texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_mass: Option<f64>,
    /// The figures.
    #[serde(flatten)]
    pub evaluation: Evaluation,
}

/// The mean over all files of one model on one data set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelMean {
    /// The model.
    pub model: String,
    /// The data set, where the files' names tell it.
    pub dataset: Option<String>,
    /// How many files the mean is over.
    pub n_files: usize,
    /// The mean, as the paper averages.
    #[serde(flatten)]
    pub mean: Mean,
}

/// The figures of all files, in the order in which the files were given.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scores {
    /// How the files were evaluated.
    pub config: Config,
    /// The files.
    pub files: Vec<ScoredFile>,
    /// The mean over all files.
    pub mean: Mean,
    /// The means of each pair of model and data set, in the order of the pair's first file.
    pub models: Vec<ModelMean>,
}

/// Stands where a file's name does not tell.
const UNKNOWN: &str = "–";

impl Scores {
    /// Adds the means to the files, which were evaluated under `config`. `None` for no files.
    pub fn new(files: Vec<ScoredFile>, config: Config) -> Option<Self> {
        let all = mean(files.iter().map(|file| &file.evaluation))?;
        let models = groups(&files)
            .into_iter()
            .filter_map(|group| {
                Some(ModelMean {
                    model: group[0].model.clone(),
                    dataset: group[0].dataset.clone(),
                    n_files: group.len(),
                    mean: mean(group.iter().map(|file| &file.evaluation))?,
                })
            })
            .collect();
        Some(Self {
            config,
            files,
            mean: all,
            models,
        })
    }

    /// For each model and data set a table: a row per file, and their mean.
    pub fn section(&self) -> Section {
        let settings = Settings {
            config: self.config,
            ..Settings::default()
        };
        let several: Vec<String> = self
            .files
            .iter()
            .filter_map(|file| {
                let note = file.evaluation.several_note(self.config.covers)?;
                Some(format!("{}: {note}.", file.file))
            })
            .collect();
        let groups = groups(&self.files);
        let tables = groups.iter().zip(&self.models).enumerate();
        Section {
            id: "scores".into(),
            text: several.into_iter().chain([
                format!("{}.", settings.method_of_points()),
                "n: test rows. Acc, CR (coverage), UAcc, E and F (top answer is an abstention) in \
                 percent. SS: mean set size. SS, CR and UAcc without a name are the mean of LAC and \
                 APS."
                    .into(),
            ]).collect(),
            tables: tables
                .map(|(at, (files, model))| table(at, files, model))
                .collect(),
            ..Section::default()
        }
    }
}

fn table(at: usize, files: &[&ScoredFile], model: &ModelMean) -> Table {
    let mixed = files.iter().any(|file| file.icl != files[0].icl);
    let mut rows: Vec<Vec<Cell>> = files
        .iter()
        .filter_map(|file| {
            let n = Cell::count(file.evaluation.n_test);
            let mean = mean([&file.evaluation])?;
            Some(row(file.label(mixed), n, &mean, &[file]))
        })
        .collect();
    let rules_after = vec![rows.len().saturating_sub(1)];
    let label = format!("mean of {}", model.n_files);
    rows.push(row(label, Cell::text(""), &model.mean, files));
    let dataset = model.dataset.as_ref().map(|name| format!(", {name}"));
    Table {
        id: format!("scores-{}", at + 1),
        title: format!("{}{}", model.model, dataset.unwrap_or_default()),
        columns: vec![
            Column::text("strategy", "Strategy"),
            Column::new("n", "n", Unit::Count),
            hundredths("acc", "Acc"),
            hundredths("set_size", "SS"),
            hundredths("coverage", "CR"),
            hundredths("uacc", "UAcc"),
            hundredths("lac_set_size", "SS LAC"),
            hundredths("aps_set_size", "SS APS"),
            hundredths("lac_coverage", "CR LAC"),
            hundredths("aps_coverage", "CR APS"),
            hundredths("e_rate", "E"),
            hundredths("f_rate", "F"),
        ],
        rows,
        rules_after,
        ..Table::default()
    }
}

/// The paper prints percentages with two decimals, one more than [`Unit::Percent`] has.
fn hundredths(key: &str, title: &str) -> Column {
    Column::new(key, title, Unit::Number(2))
}

/// One row; `mean` is the mean of `files`.
fn row(label: String, n: Cell, mean: &Mean, files: &[&ScoredFile]) -> Vec<Cell> {
    let average = |figure: fn(&Evaluation) -> f64| {
        let figures = files.iter().map(|file| figure(&file.evaluation));
        figures.sum::<f64>() / files.len() as f64
    };
    let percent = |share: f64| Cell::figure(share * 100.0);
    vec![
        Cell::text(label),
        n,
        percent(mean.acc),
        Cell::figure(mean.set_size),
        percent(mean.coverage),
        percent(mean.uacc),
        Cell::figure(average(|e| e.lac.set_size)),
        Cell::figure(average(|e| e.aps.set_size)),
        percent(average(|e| e.lac.coverage)),
        percent(average(|e| e.aps.coverage)),
        percent(average(|e| e.e_rate)),
        percent(average(|e| e.f_rate)),
    ]
}

impl ScoredFile {
    /// What the mean probability of the option letters means, where it is too low for the figures to
    /// rest on.
    pub fn improbable(&self) -> Option<String> {
        let mass = self.mean_mass.filter(|mass| *mass < LOW_MASS);
        mass.map(|mass| improbable(mass, false))
    }

    /// The strategy, with the shots where the model has files of both kinds; marked where the letters
    /// are improbable.
    fn label(&self, with_shots: bool) -> String {
        let strategy = self.strategy.unwrap_or(UNKNOWN);
        let mark = self.improbable().map(|_| " [letters improbable]");
        let mark = mark.unwrap_or_default();
        match self.icl {
            Some(icl) if with_shots => format!("{strategy} icl{icl}{mark}"),
            _ => format!("{strategy}{mark}"),
        }
    }
}

/// The files of each pair of model and data set, in the order of the pair's first file.
fn groups(files: &[ScoredFile]) -> Vec<Vec<&ScoredFile>> {
    let mut groups: Vec<Vec<&ScoredFile>> = Vec::new();
    for file in files {
        let same = |group: &&mut Vec<&ScoredFile>| {
            group[0].model == file.model && group[0].dataset == file.dataset
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(file),
            None => groups.push(vec![file]),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use sureness_conformal::SetSummary;

    fn scored(files: Vec<ScoredFile>) -> Option<Scores> {
        Scores::new(files, Config::default())
    }

    fn file(model: &str, dataset: Option<&str>, acc: f64, qhat: Option<f64>) -> ScoredFile {
        let set = SetSummary {
            qhat,
            set_size: 2.0,
            coverage: 0.9,
            uacc: acc,
            empty_rate: Some(0.1),
        };
        ScoredFile {
            file: format!("{model}.pkl"),
            model: model.to_owned(),
            dataset: dataset.map(str::to_owned),
            strategy: None,
            icl: None,
            mean_mass: None,
            evaluation: Evaluation {
                n_calibration: 10,
                n_test: 10,
                acc,
                e_rate: 0.0,
                f_rate: 0.0,
                several_right: 0,
                lac: set,
                aps: set,
            },
        }
    }

    #[test]
    fn models_keep_the_order_of_their_first_file() {
        let scores = scored(vec![
            file("b", Some("x"), 0.2, None),
            file("a", Some("x"), 0.5, None),
            file("b", Some("x"), 0.4, None),
            file("b", Some("y"), 1.0, None),
        ])
        .unwrap();
        let models: Vec<_> = scores
            .models
            .iter()
            .map(|m| (m.model.as_str(), m.dataset.as_deref(), m.n_files))
            .collect();
        assert_eq!(
            models,
            [
                ("b", Some("x"), 2),
                ("a", Some("x"), 1),
                ("b", Some("y"), 1)
            ]
        );
        assert!((scores.models[0].mean.acc - 0.3).abs() < 1e-12);
        assert!((scores.mean.acc - 0.525).abs() < 1e-12);
        assert!(scored(Vec::new()).is_none());
    }

    #[test]
    fn an_infinite_threshold_is_null_in_json() {
        let scores = scored(vec![
            file("a", None, 0.5, None),
            file("b", None, 0.5, Some(0.25)),
        ])
        .unwrap();
        let json = serde_json::to_value(&scores).unwrap();
        assert!(json["files"][0]["lac"]["qhat"].is_null());
        assert_eq!(json["files"][1]["lac"]["qhat"], 0.25);
        assert!(json["files"][0]["dataset"].is_null());
    }
}
