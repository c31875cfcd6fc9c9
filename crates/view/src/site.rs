//! What all pages share.

use std::path::PathBuf;

use serde::Serialize;
use sureness_analysis::{Chart, Section, Theme};
use sureness_bench::budget::Budget;
use sureness_bench::evidence::{TextSources, Texts};
use sureness_bench::{Failure, TaskData};
use sureness_report::html::Templates;
use tokio::sync::watch;

use crate::Settings;
use crate::folders::Folders;
use crate::jobs::Jobs;
use crate::live::Hub;
use crate::pages::{Listings, TEMPLATES};

/// The folders, the templates, and the work that is under way.
#[derive(Debug)]
pub(crate) struct Site {
    folders: Folders,
    templates: Templates,
    /// What all paths begin with.
    base: String,
    data: Vec<TaskData>,
    budget: Budget,
    hub: Hub,
    /// Work on stores for single pages.
    pub(crate) jobs: Jobs,
    /// Runs of lists that need no second look.
    pub(crate) listings: Listings,
}

/// A run by the number of its folder and its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct RunId {
    /// Number of the folder.
    pub(crate) folder: usize,
    /// Number in the store.
    pub(crate) run: i64,
}

impl Site {
    /// The site of these settings, whose watchers are told when `stop` becomes true.
    pub(crate) fn new(
        settings: Settings,
        base: String,
        stop: watch::Receiver<bool>,
    ) -> Result<Self, Failure> {
        let templates = Templates::new(&TEMPLATES)
            .map_err(|error| Failure::new(format!("a template is damaged: {error}")))?;
        Ok(Self {
            folders: Folders::new(settings.folders),
            templates,
            base,
            data: settings.data,
            budget: settings.budget,
            hub: Hub::new(settings.interval, stop),
            jobs: Jobs::default(),
            listings: Listings::default(),
        })
    }

    /// The folders.
    pub(crate) fn folders(&self) -> &Folders {
        &self.folders
    }

    /// What follows runs.
    pub(crate) fn hub(&self) -> &Hub {
        &self.hub
    }

    /// What all paths begin with: nothing, or `/TOKEN`.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Data sets of tasks, as they were named.
    pub(crate) fn data(&self) -> &[TaskData] {
        &self.data
    }

    /// Where texts of questions and accepted answers are looked up.
    pub(crate) fn texts(&self) -> Result<Texts, Failure> {
        Texts::of(TextSources {
            data: self.data.clone(),
            questions: None,
        })
    }

    /// The prices of a model; none where they are unknown.
    pub(crate) fn prices(&self, model: &str) -> Budget {
        self.budget.of_model(model).unwrap_or_default()
    }

    /// The folder of a run.
    ///
    /// # Errors
    ///
    /// If no folder has this number.
    pub(crate) fn folder(&self, id: RunId) -> Result<PathBuf, Failure> {
        self.folders.get(id.folder).ok_or_else(|| {
            Failure::new(format!("there is no folder number {}", id.folder))
                .hint("open the list of runs: the folder may be gone, or the address an old one")
        })
    }

    /// A template with these values.
    pub(crate) fn fill(&self, template: &str, values: impl Serialize) -> Result<String, Failure> {
        let made = self.templates.fill(template, values);
        made.map_err(|error| Failure::new(format!("{template} cannot be made: {error}")))
    }

    /// A section as the report shows it.
    pub(crate) fn section(&self, section: &Section) -> Result<String, Failure> {
        let made = self.templates.section(section, &draw);
        made.map_err(|error| Failure::new(format!("a section cannot be made: {error}")))
    }
}

fn draw(chart: &Chart, theme: Theme) -> String {
    let style = sureness_plot::Style {
        theme,
        background: false,
        heading: false,
        ..sureness_plot::Style::default()
    };
    sureness_plot::svg(chart, &style)
}
