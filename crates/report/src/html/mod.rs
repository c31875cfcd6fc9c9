//! The HTML report: one file that holds everything and asks the network for nothing.
//!
//! The page is plain HTML that reads and prints without scripts. A short script adds sorting,
//! filters, a switch between light and dark, and the browser of questions. The
//! Content-Security-Policy of the page names that script by its hash, so that no other can run
//! whatever a model or a question is called.

mod browser;
mod fragment;
mod markup;
mod number;
mod pack;
mod page;
mod policy;
mod section;
mod settings;
mod table;
mod templates;
mod theme;
mod values;
mod words;

use sureness_analysis::{Chart, Document, Theme};

pub use browser::{Answer, ModelAnswers, QuestionBrowser, QuestionEntry, TaskQuestions};
pub use fragment::fragment;
pub use templates::{STYLE, TABLES_SCRIPT, THEME_SCRIPT, Templates};
pub use words::{AnswerEntry, MeaningEntry, ModelWords, QuestionWords};

/// How a highlight is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verdict {
    /// As a figure, neither good nor bad.
    #[default]
    Neutral,
    /// As it should be.
    Kept,
    /// Something to look into.
    Missed,
}

/// One of the few figures that stand above everything else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Highlight {
    /// What it is, such as "Surest model".
    pub label: String,
    /// The answer, in a few words or figures.
    pub value: String,
    /// What it rests on, such as the interval and the number of questions.
    pub detail: String,
    /// How it is to be taken.
    pub verdict: Verdict,
}

/// Draws a chart in a theme, as [`HtmlOptions::draw`] says.
pub type Draw<'a> = dyn Fn(&Chart, Theme) -> String + 'a;

/// What the page needs beside the document.
pub struct HtmlOptions<'a> {
    /// Draws a chart as an SVG element with everything inside escaped. Called once per theme; the
    /// two drawings become one where they differ in nothing but colours written as `#rrggbb` or
    /// `#rgb`, and are embedded both otherwise. Ids inside must be unique in the page, so they
    /// should contain the chart's id. An empty text leaves the drawing out; its values are shown
    /// as a table in any case.
    pub draw: &'a Draw<'a>,
    /// The figures at the top, three or four at most: which model is surest, whether coverage is
    /// kept, how many questions that rests on.
    pub highlights: &'a [Highlight],
}

/// The report as one HTML file.
pub fn html(
    document: &Document,
    questions: Option<&QuestionBrowser>,
    options: &HtmlOptions,
) -> String {
    page::page(document, questions, options)
}
