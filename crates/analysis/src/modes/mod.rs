//! The kinds of analysis, one module each.

mod abstention;
mod alpha;
mod basic;
mod calibration;
mod comparative;
mod correlations;
mod curves;
mod draws;
mod improbable;
mod instruct;
mod leaderboard;
mod open;
mod order;
mod paper;
mod prompt;
mod questions;
mod scaling;
mod scores;
mod subjects;

use serde::{Deserialize, Serialize};
use sureness_conformal::several_right_note;

use crate::{Document, Figures, Section};

pub use instruct::Pair;
pub(crate) use questions::TaskSeen;
pub use questions::{Listed, Reason, listed_questions};
pub use scaling::Family;

/// A kind of analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Each model's figures, with intervals.
    Basic,
    /// Model comparison: leaderboard, tasks, paired differences.
    Comparative,
    /// Correlations between metrics, over models and tasks.
    Correlations,
    /// Differences between prompt strategies.
    Prompt,
    /// Effect of model size within a family.
    Scaling,
    /// Effect of instruction tuning.
    Instruct,
    /// Whether confidence is calibrated.
    Calibration,
    /// Selective answering: accuracy when the least certain questions are left out.
    Abstention,
    /// Coverage and set size at different error rates.
    Alpha,
    /// Comparison of nonconformity scores and calibration schemes.
    Scores,
    /// How many drawn answers are worth it, and what ties cost.
    Draws,
    /// What changes with the order of the options.
    Order,
    /// Subject by subject.
    Subjects,
    /// Questions worth a closer look.
    Questions,
    /// Additional analyses from the paper.
    Paper,
    /// Open questions: accuracy, semantic entropy, sets of answers.
    Open,
}

impl Mode {
    /// All of them, in the order of a report.
    pub const ALL: [Self; 16] = [
        Self::Basic,
        Self::Comparative,
        Self::Open,
        Self::Correlations,
        Self::Prompt,
        Self::Scaling,
        Self::Instruct,
        Self::Calibration,
        Self::Abstention,
        Self::Alpha,
        Self::Scores,
        Self::Draws,
        Self::Order,
        Self::Subjects,
        Self::Questions,
        Self::Paper,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Comparative => "comparative",
            Self::Correlations => "correlations",
            Self::Prompt => "prompt",
            Self::Scaling => "scaling",
            Self::Instruct => "instruct",
            Self::Calibration => "calibration",
            Self::Abstention => "abstention",
            Self::Alpha => "alpha",
            Self::Scores => "scores",
            Self::Draws => "draws",
            Self::Order => "order",
            Self::Subjects => "subjects",
            Self::Questions => "questions",
            Self::Paper => "paper",
            Self::Open => "open",
        }
    }

    /// What it is about, for a list of modes.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Basic => "Each model's figures, with intervals",
            Self::Comparative => "Leaderboard, tasks by models, paired differences",
            Self::Correlations => "Correlations between metrics",
            Self::Prompt => "Differences between prompt strategies",
            Self::Scaling => "Effect of model size within a family",
            Self::Instruct => "Effect of instruction tuning",
            Self::Calibration => "Whether confidence is calibrated",
            Self::Abstention => {
                "Selective answering: accuracy when uncertain questions are left out"
            }
            Self::Alpha => "Coverage and set size at different error rates",
            Self::Scores => "Nonconformity scores and calibration schemes",
            Self::Draws => "Number of drawn answers, and ties among them",
            Self::Order => "Answers and letters in other orders of the options",
            Self::Subjects => "Category by category, such as the 57 of MMLU",
            Self::Questions => "Questions worth a closer look",
            Self::Paper => "Additional analyses from the paper",
            Self::Open => "Open questions: accuracy, semantic entropy, sets of answers",
        }
    }
}

/// Arguments of the modes that have some.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Asked {
    /// The family of models whose sizes are compared.
    pub family: Option<Family>,
    /// Base models and their instruction-tuned partners.
    pub pairs: Vec<Pair>,
}

/// How many questions have several right options, and under which rule a set covers these. Each is
/// counted once, not for each model and strategy.
fn several_right(figures: &Figures<'_>) -> Option<String> {
    let of_tasks = figures.tasks().into_iter().filter_map(|(task, _)| {
        let groups = figures.models.iter().flat_map(|model| model.of_task(task));
        let tables = groups.map(|group| &group.rows.table);
        let counts = tables.map(|table| (table.with_several_right(), table.len()));
        counts.max()
    });
    let (several, of) = of_tasks.fold((0, 0), |all, task| (all.0 + task.0, all.1 + task.1));
    let covers = figures.settings.config.covers;
    (several > 0).then(|| format!("{}.", several_right_note(several, of, covers)))
}

/// The section of a mode about options where only open questions were asked.
fn without_options(mode: Mode) -> Section {
    Section {
        id: mode.name().into(),
        title: mode.about().into(),
        text: vec!["This is about options, and only open questions were asked.".into()],
        ..Section::default()
    }
}

/// Runs the modes. Where the evidence does not suffice for a mode, its section says so.
pub fn document(figures: &Figures<'_>, modes: &[Mode], asked: &Asked, program: &str) -> Document {
    let board = leaderboard::Leaderboard::of(figures);
    let confidence = std::cell::OnceCell::new();
    let intervals = || confidence.get_or_init(|| calibration::confidence(figures));
    let mut sections: Vec<Section> = modes
        .iter()
        .map(|mode| match mode {
            Mode::Open => open::section(figures),
            _ if figures.models.is_empty() => without_options(*mode),
            Mode::Basic => basic::section(figures),
            Mode::Comparative => comparative::section(figures, board.as_ref()),
            Mode::Correlations => correlations::section(figures),
            Mode::Prompt => prompt::section(figures),
            Mode::Scaling => scaling::section(figures, asked.family.as_ref()),
            Mode::Instruct => instruct::section(figures, &asked.pairs),
            Mode::Calibration => calibration::section(figures, intervals()),
            Mode::Abstention => abstention::section(figures, intervals()),
            Mode::Alpha => alpha::section(figures),
            Mode::Scores => scores::section(figures),
            Mode::Draws => draws::section(figures),
            Mode::Order => order::section(figures),
            Mode::Subjects => subjects::section(figures),
            Mode::Questions => questions::section(figures),
            Mode::Paper => paper::section(figures),
        })
        .collect();
    // A mark at the best of a column compares, too.
    if board
        .as_ref()
        .is_some_and(|board| !board.obstacles.is_empty())
    {
        // Open questions have obstacles of their own.
        let others = sections.iter_mut().filter(|section| section.id != "open");
        let tables = others.flat_map(|section| &mut section.tables);
        for column in tables.flat_map(|table| &mut table.columns) {
            column.better = None;
        }
    }
    let titles: Vec<(&str, &str)> = figures.tasks();
    let titles: Vec<_> = titles.into_iter().chain(figures.open_tasks()).collect();
    for table in sections.iter_mut().flat_map(|section| &mut section.tables) {
        for column in table
            .columns
            .iter_mut()
            .filter(|column| column.key == "task")
        {
            let differing = titles.iter().filter(|(id, title)| id != title);
            let ids = differing.map(|&(id, title)| (title.to_owned(), id.to_owned()));
            column.ids = ids.collect();
        }
    }
    let names = figures.evidence.names();
    let title = match names.as_slice() {
        [(one, _)] => format!("How sure is {one}?"),
        names => format!("How sure are they? {} models", names.len()),
    };
    let mut summary = improbable::warnings(figures);
    summary.extend(several_right(figures));
    if !figures.models.is_empty() {
        summary.extend(leaderboard::summary(figures, board.as_ref()));
    }
    summary.extend(open::summary(figures));
    Document {
        version: 1,
        program: program.to_owned(),
        title,
        method: figures.settings.method(),
        summary,
        sections,
        settings: serde_json::json!({
            "analysis": figures.settings,
            "sources": names.iter().map(|(name, source)| serde_json::json!({
                "model": name,
                "path": source.path,
                "run": source.run,
                "started_at": source.started_at,
                "provenance": source.provenance,
                "record": source.record,
            })).collect::<Vec<_>>(),
        }),
    }
}
