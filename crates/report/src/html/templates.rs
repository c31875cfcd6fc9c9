//! The templates, for the report and for other pages that look like it.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, Error, Output, State};
use serde::Serialize;
use sureness_analysis::Section;

use super::Draw;
use super::markup::esc;
use super::section::{Parts, SectionView};

/// The style sheet of the report: a light and a dark theme, wide and narrow screens, paper.
pub const STYLE: &str = concat!(
    include_str!("assets/base.css"),
    include_str!("assets/tables.css"),
    include_str!("assets/questions.css"),
    include_str!("assets/words.css"),
    include_str!("assets/narrow.css"),
    include_str!("assets/print.css"),
);

/// The script that sorts and filters tables: it declares `enhance(table)`.
pub const TABLES_SCRIPT: &str = include_str!("assets/tables.js");

/// The script of the button `#theme`: it declares `themes()`.
pub const THEME_SCRIPT: &str = include_str!("assets/theme.js");

const TEMPLATES: [(&str, &str); 4] = [
    ("page.html", include_str!("templates/page.html")),
    ("section.html", include_str!("templates/section.html")),
    ("settings.html", include_str!("templates/settings.html")),
    ("table.html", include_str!("templates/table.html")),
];

/// A template of its own for one section.
const ONE_SECTION: (&str, &str) = (
    "one-section.html",
    "{% from \"section.html\" import section %}{{ section(only) }}",
);

/// The templates of the report, and those of another page beside them. Values are escaped unless a
/// template marks them as safe.
#[derive(Debug)]
pub struct Templates(Environment<'static>);

impl Templates {
    /// The report's templates with these, each a name and its source.
    ///
    /// # Errors
    ///
    /// If a source is not a template.
    pub fn new(others: &[(&'static str, &'static str)]) -> Result<Self, Error> {
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build()?;
        let mut environment = Environment::new();
        environment.set_syntax(syntax);
        environment.set_formatter(write);
        for (name, source) in TEMPLATES.iter().chain([&ONE_SECTION]).chain(others) {
            environment.add_template(name, source)?;
        }
        Ok(Self(environment))
    }

    /// A template with its values filled in.
    ///
    /// # Errors
    ///
    /// If there is no such template, or it does not fit the values.
    pub fn fill(&self, template: &str, values: impl Serialize) -> Result<String, Error> {
        self.0.get_template(template)?.render(Serde(values))
    }

    /// A section of a document as the report shows it.
    ///
    /// # Errors
    ///
    /// As [`fill`](Self::fill).
    pub fn section(&self, section: &Section, draw: &Draw<'_>) -> Result<String, Error> {
        #[derive(Serialize)]
        struct Only<'a> {
            only: SectionView<'a>,
        }
        let parts = Parts::new(section);
        let only = SectionView::new(section, &parts, draw);
        self.fill(ONE_SECTION.0, Only { only })
    }
}

/// Escapes every value that is not marked as safe, and control characters with them.
fn write(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    if value.is_safe() || matches!(state.auto_escape(), AutoEscape::None) {
        return Ok(write!(out, "{value}")?);
    }
    match value.as_str() {
        Some(text) => write!(out, "{}", esc(text))?,
        None => write!(out, "{}", esc(&value.to_string()))?,
    }
    Ok(())
}
