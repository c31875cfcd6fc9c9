//! Answers of models, and what is found in them.

mod arrays;
mod options;
mod play;
mod promises;
mod runs;

use pyo3::prelude::*;
use serde::Serialize;
use sureness_analysis::{Asked, Figures, Mode, document};
use sureness_bench::{Failure, PROGRAM};
use sureness_conformal::{Config, Evaluation};

use crate::questions::Questions;
use crate::refusal::{failed, refusal};
use crate::settings;
use crate::threads;
use options::Options;

/// Answers of one or several models, with the settings that were recorded of them.
#[pyclass(frozen, module = "sureness._sureness")]
pub(crate) struct Evidence {
    rows: sureness_analysis::Evidence,
    config: Config,
    warnings: Vec<String>,
    notes: Vec<String>,
}

/// The headline figures of one group, or the reason why there are none.
#[derive(Serialize)]
struct Evaluated<'a> {
    model: &'a str,
    task: &'a str,
    strategy: &'a str,
    questions: usize,
    #[serde(flatten)]
    evaluation: Option<Evaluation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[pymethods]
impl Evidence {
    /// Models by name, each with a matrix of scores of the same questions.
    #[staticmethod]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over a list")]
    #[pyo3(signature = (models, labels, *, ids, clusters, groups, dont_know, none_of_the_above))]
    fn of_arrays(
        models: Vec<(String, Bound<'_, PyAny>)>,
        labels: &Bound<'_, PyAny>,
        ids: Option<Vec<Vec<u8>>>,
        clusters: Option<Vec<Vec<u8>>>,
        groups: Option<Vec<Option<String>>>,
        dont_know: Option<usize>,
        none_of_the_above: Option<usize>,
    ) -> PyResult<Self> {
        let questions = arrays::Questions {
            ids,
            clusters,
            groups,
            dont_know,
            none_of_the_above,
        };
        arrays::read(&models, labels, &questions)
    }

    /// Runs and files of saved logits; `selection` is JSON.
    #[staticmethod]
    fn of_runs(py: Python<'_>, paths: Vec<std::path::PathBuf>, selection: &str) -> PyResult<Self> {
        let selection = runs::selection(paths, selection)?;
        let read = threads::detached(py, || runs::read(&selection));
        read.map_err(|failure| failed(&failure))
    }

    /// What may make the figures others than expected.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    /// What a reader should know.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    /// Names of the models.
    #[getter]
    fn models(&self) -> Vec<String> {
        let names = self.rows.names().into_iter();
        names.map(|(name, _)| name.to_owned()).collect()
    }

    /// The recorded evaluation settings as JSON.
    #[getter]
    fn config(&self) -> PyResult<String> {
        json(&self.config)
    }

    /// The headline figures of every group, as `sureness score` has them; JSON.
    fn evaluations(&self, py: Python<'_>, options: &str) -> PyResult<String> {
        let config = Options::read(options)?.config(&self.config)?;
        let found = threads::detached(py, || self.evaluated(&config));
        json(&found)
    }

    /// The document of these modes; JSON.
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over a list")]
    fn document(&self, py: Python<'_>, modes: Vec<String>, options: &str) -> PyResult<String> {
        let options = Options::read(options)?;
        let settings = options.settings(&self.config)?;
        let modes = modes.iter().map(|name| mode(name));
        let modes = modes.collect::<PyResult<Vec<Mode>>>()?;
        let found = threads::detached(py, || {
            let figures = Figures::of(&self.rows, &settings, &modes);
            check_any(&figures)?;
            let mut document = document(&figures, &modes, &Asked::default(), PROGRAM);
            let warnings = self.warnings.iter();
            let warnings = warnings.map(|text| format!("Warning: {text}."));
            document.summary.splice(0..0, warnings);
            if let Some(first) = document.sections.first_mut() {
                first.notes.splice(0..0, self.notes.iter().cloned());
            }
            Ok(document)
        });
        json(&found.map_err(|failure: Failure| failed(&failure))?)
    }

    /// Every answered question.
    fn questions(&self, py: Python<'_>, options: &str) -> PyResult<Questions> {
        let mut settings = Options::read(options)?.settings(&self.config)?;
        // Nothing that is drawn anew is part of the table.
        (settings.splits, settings.resampling.replicates) = (0, 1);
        threads::detached(py, || {
            let figures = Figures::of(&self.rows, &settings, &[]);
            check_any(&figures).map_err(|failure| failed(&failure))?;
            Questions::of(&figures)
        })
    }

    /// Which of the models is better, after how many questions in random order; JSON.
    fn play(&self, py: Python<'_>, stopping: &str, options: &str) -> PyResult<String> {
        let config = Options::read(options)?.config(&self.config)?;
        let stopping = play::stopping(stopping)?;
        let found = threads::detached(py, || {
            sureness_analysis::settled::play(&self.rows, &config, &stopping)
        });
        json(&found.map_err(|refused| play::refused(&refused))?)
    }

    /// Rules of answering with a promise, set on the calibration questions of each group; JSON.
    fn promises(&self, py: Python<'_>, wrong: f64, options: &str) -> PyResult<String> {
        let config = Options::read(options)?.config(&self.config)?;
        let found = threads::detached(py, || promises::of(&self.rows, &config, wrong));
        json(&found.map_err(|failure| failed(&failure))?)
    }
}

impl Evidence {
    fn evaluated(&self, config: &Config) -> Vec<Evaluated<'_>> {
        let models = self.rows.models.iter();
        let groups = models.flat_map(|model| model.groups.iter().map(move |group| (model, group)));
        groups
            .map(|(model, group)| {
                let evaluation = group.table.evaluate(config);
                let note = match &evaluation {
                    Ok(found) => found.aps_note(config.protocol).map(str::to_owned),
                    Err(error) => Some(error.to_string()),
                };
                Evaluated {
                    model: &model.name,
                    task: &group.id.task,
                    strategy: &group.id.strategy,
                    questions: group.table.len(),
                    evaluation: evaluation.ok(),
                    note,
                }
            })
            .collect()
    }
}

/// The mode of this name.
fn mode(name: &str) -> PyResult<Mode> {
    let known = Mode::ALL.map(Mode::name);
    settings::named(name, "mode", &known)
}

/// Fails if no group could be evaluated.
fn check_any(figures: &Figures<'_>) -> Result<(), Failure> {
    let evaluated = figures.models.iter().any(|model| !model.groups.is_empty());
    if evaluated || figures.open.iter().any(|model| !model.groups.is_empty()) {
        return Ok(());
    }
    let skipped = figures.models.iter().flat_map(|model| &model.skipped);
    let reason = skipped.map(|(_, error)| error.to_string()).next();
    let reason = reason.unwrap_or_else(|| "no question was answered".to_owned());
    Err(
        Failure::new(format_args!("nothing can be evaluated; {reason}"))
            .hint("give more answered questions, or change calibration_ratio"),
    )
}

pub(crate) fn json(value: &impl Serialize) -> PyResult<String> {
    serde_json::to_string(value)
        .map_err(|error| refusal(format_args!("cannot encode the figures: {error}"), ""))
}
