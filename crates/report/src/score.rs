//! What `sureness score` shows: one row per file of saved logits, and the means.

use std::io::Write;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, LineStyle, Table};
use serde::Serialize;
use sureness_conformal::{Config, Evaluation, Mean, Protocol, mean};

use crate::columns::{self, COLUMNS};

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
    /// The line above tables.
    #[serde(skip)]
    method: String,
    config: Config,
    files: Vec<ScoredFile>,
    mean: Mean,
    models: Vec<ModelMean>,
}

/// The columns of figures; text stands before them.
const FIGURES: [&str; 11] = [
    "n", "Acc", "SS", "CR", "UAcc", "SS LAC", "SS APS", "CR LAC", "CR APS", "E", "F",
];

/// The columns of a CSV file that say how a row came about.
const SETTINGS: [&str; 5] = ["protocol", "alpha", "calibration_ratio", "split", "seed"];

/// What the columns hold, for those who have not read the paper.
const LEGEND: &str = "n: test rows. Acc, CR (coverage), UAcc, E and F (top answer is an \
abstention) in percent.\nSS: mean set size. SS, CR and UAcc without a name are the mean of LAC \
and APS.";

impl Scores {
    /// Puts the means to the files, which were evaluated under `config`; `method` says so in a line
    /// for people. `None` for no files.
    pub fn new(files: Vec<ScoredFile>, config: Config, method: String) -> Option<Self> {
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
            method,
            config,
            files,
            mean: all,
            models,
        })
    }

    /// The files, in the order in which they were given.
    pub fn files(&self) -> &[ScoredFile] {
        &self.files
    }

    /// Writes one JSON object: `config`, `files`, `mean`, `models`.
    pub fn write_json(&self, mut out: impl Write) -> std::io::Result<()> {
        serde_json::to_writer_pretty(&mut out, self)?;
        writeln!(out)
    }

    /// Writes one row per file, no means; empty cells where there is no value. The last columns say
    /// how the file was evaluated.
    pub fn write_csv(&self, out: impl Write) -> std::io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(
            ["file", "model", "dataset", "strategy"]
                .iter()
                .chain(&COLUMNS)
                .chain(&SETTINGS),
        )?;
        let Config {
            protocol,
            alpha,
            calibration_ratio,
            seed,
            split,
        } = self.config;
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
        for file in &self.files {
            let names = [
                file.file.clone(),
                file.model.clone(),
                file.dataset.clone().unwrap_or_default(),
                file.strategy.unwrap_or_default().to_owned(),
            ];
            let figures = columns::cells(&file.evaluation);
            writer.write_record(names.iter().chain(&figures).chain(&settings))?;
        }
        writer.flush()
    }

    /// Writes a table for the terminal: for each model a row per file and their mean.
    pub fn write_table(&self, mut out: impl Write) -> std::io::Result<()> {
        let style = NOTHING.header_separator(LineStyle::none().fill('─'));
        let mut table = Table::new();
        // Names of two words stand on two lines, and a model has a line of its own: even long
        // names fit into 100 characters.
        let figures = FIGURES.map(|name| name.replace(' ', "\n"));
        table.load_style(style);
        table.set_header(std::iter::once(String::new()).chain(figures));
        for (at, group) in self.groups().into_iter().enumerate() {
            if at > 0 {
                table.add_row([""]);
            }
            let dataset = group.dataset.map(|name| format!(", {name}"));
            table.add_row([format!("{}{}", group.model, dataset.unwrap_or_default())]);
            for (label, figures) in group.lines {
                table.add_row(std::iter::once(format!("  {label}")).chain(figures));
            }
        }
        for (at, column) in table.column_iter_mut().enumerate() {
            column.set_padding((at.min(2) as u16, 0));
            if at > 0 {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        // On two lines, since one would be wider than the table.
        let method = self.method.replace("; ", ";\n");
        writeln!(out, "{method}.\n\n{}\n\n{LEGEND}", table.trim_fmt())
    }

    /// Writes the table as Markdown.
    pub fn write_markdown(&self, mut out: impl Write) -> std::io::Result<()> {
        let figures = FIGURES.join(" | ");
        writeln!(out, "{}.\n", self.method)?;
        let rule = ["---:"; FIGURES.len()].join(" | ");
        writeln!(out, "| Model | Data set | Strategy | {figures} |")?;
        writeln!(out, "| --- | --- | --- | {rule} |")?;
        for group in self.groups() {
            let names = [group.model, group.dataset.unwrap_or(UNKNOWN)];
            let [model, dataset] = names.map(|name| name.replace('|', "\\|"));
            for (label, figures) in group.lines {
                let figures = figures.join(" | ");
                writeln!(out, "| {model} | {dataset} | {label} | {figures} |")?;
            }
        }
        writeln!(out, "\n{LEGEND}")
    }

    /// The lines of each model: its files, closed by their mean.
    fn groups(&self) -> Vec<Group<'_>> {
        let groups = groups(&self.files).into_iter().zip(&self.models);
        groups
            .map(|(files, model)| {
                let mixed = files.iter().any(|file| file.icl != files[0].icl);
                let mut lines: Vec<_> = files
                    .iter()
                    .filter_map(|file| {
                        let n = file.evaluation.n_test.to_string();
                        let evaluations = [&file.evaluation];
                        let mean = mean(evaluations)?;
                        Some((file.label(mixed), figures(n, &mean, &evaluations)))
                    })
                    .collect();
                let evaluations: Vec<_> = files.iter().map(|file| &file.evaluation).collect();
                lines.push((
                    format!("mean of {}", model.n_files),
                    figures(String::new(), &model.mean, &evaluations),
                ));
                Group {
                    model: &model.model,
                    dataset: model.dataset.as_deref(),
                    lines,
                }
            })
            .collect()
    }
}

/// What stands where a file's name does not tell.
const UNKNOWN: &str = "–";

/// The lines of one model on one data set.
struct Group<'a> {
    model: &'a str,
    dataset: Option<&'a str>,
    lines: Vec<(String, [String; FIGURES.len()])>,
}

impl ScoredFile {
    /// The strategy, with the shots where the model has files of both kinds.
    fn label(&self, with_shots: bool) -> String {
        let strategy = self.strategy.unwrap_or(UNKNOWN);
        match self.icl {
            Some(icl) if with_shots => format!("{strategy} icl{icl}"),
            _ => strategy.to_owned(),
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

/// The cells of one line; `mean` is the mean of `evaluations`.
fn figures(n: String, mean: &Mean, evaluations: &[&Evaluation]) -> [String; FIGURES.len()] {
    let average = |figure: fn(&Evaluation) -> f64| {
        evaluations.iter().map(|&e| figure(e)).sum::<f64>() / evaluations.len() as f64
    };
    let size = |x: f64| format!("{x:.2}");
    let percent = |x: f64| format!("{:.2}", x * 100.0);
    [
        n,
        percent(mean.acc),
        size(mean.set_size),
        percent(mean.coverage),
        percent(mean.uacc),
        size(average(|e| e.lac.set_size)),
        size(average(|e| e.aps.set_size)),
        percent(average(|e| e.lac.coverage)),
        percent(average(|e| e.aps.coverage)),
        percent(average(|e| e.e_rate)),
        percent(average(|e| e.f_rate)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use sureness_conformal::SetSummary;

    fn scored(files: Vec<ScoredFile>) -> Option<Scores> {
        Scores::new(files, Config::default(), "Protocol standard".to_owned())
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
            evaluation: Evaluation {
                n_calibration: 10,
                n_test: 10,
                acc,
                e_rate: 0.0,
                f_rate: 0.0,
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
    fn an_infinite_threshold_is_null_in_json_and_empty_in_csv() {
        let scores = scored(vec![
            file("a", None, 0.5, None),
            file("b", None, 0.5, Some(0.25)),
        ])
        .unwrap();
        let mut json = Vec::new();
        scores.write_json(&mut json).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert!(json["files"][0]["lac"]["qhat"].is_null());
        assert_eq!(json["files"][1]["lac"]["qhat"], 0.25);
        assert!(json["files"][0]["dataset"].is_null());
        let mut csv = Vec::new();
        scores.write_csv(&mut csv).unwrap();
        let csv = String::from_utf8(csv).unwrap();
        assert_eq!(
            csv.lines().nth(1),
            Some("a.pkl,a,,,10,10,0.5,0,0,,2,0.9,0.5,,2,0.9,0.5,standard,0.1,0.5,ordered,42")
        );
    }

    #[test]
    fn a_bar_in_a_name_does_not_break_the_markdown() {
        let scores = scored(vec![file("a|b", None, 0.5, None)]).unwrap();
        let mut markdown = Vec::new();
        scores.write_markdown(&mut markdown).unwrap();
        let markdown = String::from_utf8(markdown).unwrap();
        assert!(
            markdown.contains("| a\\|b | – | – | 10 | 50.00 |"),
            "{markdown}"
        );
    }
}
