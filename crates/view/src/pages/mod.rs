//! The pages.

mod compare;
pub(crate) mod latest;
mod question;
mod run;
mod runs;
mod settings;
mod trend;

use serde::Serialize;
use sureness_bench::{Failure, PROGRAM};

pub(crate) use compare::compare;
pub(crate) use question::question;
pub(crate) use run::{run, waiting};
pub(crate) use runs::{Listings, list, newest, runs};

use crate::site::Site;

/// The templates of these pages, beside those of the report.
pub(crate) const TEMPLATES: [(&str, &str); 15] = [
    ("shell.html", include_str!("../templates/shell.html")),
    ("runs.html", include_str!("../templates/runs.html")),
    ("list.html", include_str!("../templates/list.html")),
    ("run.html", include_str!("../templates/run.html")),
    ("waiting.html", include_str!("../templates/waiting.html")),
    ("compare.html", include_str!("../templates/compare.html")),
    ("question.html", include_str!("../templates/question.html")),
    ("problem.html", include_str!("../templates/problem.html")),
    ("failure.html", include_str!("../templates/failure.html")),
    ("status.html", include_str!("../templates/status.html")),
    ("progress.html", include_str!("../templates/progress.html")),
    ("figures.html", include_str!("../templates/figures.html")),
    ("latest.html", include_str!("../templates/latest.html")),
    ("failures.html", include_str!("../templates/failures.html")),
    ("spent.html", include_str!("../templates/spent.html")),
];

/// The style sheet.
pub(crate) const STYLE: &[&str] = &[
    sureness_report::html::STYLE,
    include_str!("../assets/view.css"),
];

/// The script.
pub(crate) const SCRIPT: &[&str] = &[
    "(() => {\n\"use strict\";\n",
    sureness_report::html::TABLES_SCRIPT,
    sureness_report::html::THEME_SCRIPT,
    include_str!("../assets/view.js"),
    "})();\n",
];

/// A page: what every one has, and its own values.
#[derive(Serialize)]
struct Shell<'a, T> {
    base: &'a str,
    program: &'static str,
    title: &'a str,
    page: T,
}

impl Site {
    /// The page of this template.
    fn page(&self, template: &str, title: &str, page: impl Serialize) -> Result<String, Failure> {
        self.fill(
            template,
            Shell {
                base: self.base(),
                program: PROGRAM,
                title,
                page,
            },
        )
    }

    /// A page that says what is wrong and what to do.
    pub(crate) fn problem(&self, title: &str, failure: &Failure) -> Result<String, Failure> {
        let values = serde_json::json!({ "message": failure.to_string(), "hint": failure.to_do() });
        self.page("problem.html", title, values)
    }
}
