//! The page, from its templates.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, Error, Output, State};
use serde::Serialize;
use sureness_analysis::number::count;
use sureness_analysis::{Chart, Document, Section, Table, Theme};

use super::markup::{esc, slug};
use super::settings::Entry;
use super::table::TableView;
use super::{Highlight, HtmlOptions, QuestionBrowser, Verdict, pack, policy, theme, values};
use crate::format::without_blanks;

const STYLE: &str = concat!(
    include_str!("assets/base.css"),
    include_str!("assets/tables.css"),
    include_str!("assets/questions.css"),
    include_str!("assets/words.css"),
    include_str!("assets/narrow.css"),
    include_str!("assets/print.css"),
);

/// One strict script; its parts share nothing but the functions that they declare.
const SCRIPT: &str = concat!(
    "(() => {\n\"use strict\";\n",
    include_str!("assets/tables.js"),
    include_str!("assets/words.js"),
    include_str!("assets/questions.js"),
    include_str!("assets/page.js"),
    "})();\n",
);

const TEMPLATES: [(&str, &str); 3] = [
    ("page.html", include_str!("templates/page.html")),
    ("table.html", include_str!("templates/table.html")),
    ("settings.html", include_str!("templates/settings.html")),
];

pub(super) fn page(
    document: &Document,
    questions: Option<&QuestionBrowser>,
    options: &HtmlOptions,
) -> String {
    render(document, questions, options).expect("the templates fit the views that they are given")
}

fn render(
    document: &Document,
    questions: Option<&QuestionBrowser>,
    options: &HtmlOptions,
) -> Result<String, Error> {
    let parts: Vec<Parts> = document.sections.iter().map(Parts::new).collect();
    let sections = document.sections.iter().zip(&parts);
    let sections: Vec<_> = sections
        .map(|(section, parts)| SectionView::new(section, parts, options))
        .collect();
    let highlights = options.highlights.iter().map(HighlightView::new);
    let mut summary = document.summary.iter();
    let page = PageView {
        policy: policy::policy(SCRIPT),
        style: STYLE,
        script: SCRIPT,
        program: &document.program,
        title: &document.title,
        method: &document.method,
        lead: summary.next(),
        summary: summary.as_slice(),
        highlights: highlights.collect(),
        sections,
        questions: questions.filter(|q| !q.is_empty()).map(QuestionsView::new),
        settings: Entry::new(&document.settings),
    };
    environment()?
        .get_template("page.html")?
        .render(Serde(page))
}

fn environment() -> Result<Environment<'static>, Error> {
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()?;
    let mut environment = Environment::new();
    environment.set_syntax(syntax);
    environment.set_formatter(write);
    for (name, source) in TEMPLATES {
        environment.add_template(name, source)?;
    }
    Ok(environment)
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

/// What `templates/page.html` shows.
#[derive(Serialize)]
struct PageView<'a> {
    policy: String,
    style: &'static str,
    script: &'static str,
    program: &'a str,
    title: &'a str,
    method: &'a str,
    /// The first sentence of the summary.
    lead: Option<&'a String>,
    /// The other sentences.
    summary: &'a [String],
    highlights: Vec<HighlightView<'a>>,
    sections: Vec<SectionView<'a>>,
    questions: Option<QuestionsView<'a>>,
    settings: Entry,
}

#[derive(Serialize)]
struct HighlightView<'a> {
    label: &'a str,
    value: &'a str,
    detail: &'a str,
    class: &'static str,
    sign: &'static str,
}

impl<'a> HighlightView<'a> {
    fn new(highlight: &'a Highlight) -> Self {
        let (class, sign) = match highlight.verdict {
            Verdict::Neutral => ("", ""),
            Verdict::Kept => ("kept", "✓"),
            Verdict::Missed => ("missed", "!"),
        };
        Self {
            label: &highlight.label,
            value: &highlight.value,
            detail: &highlight.detail,
            class,
            sign,
        }
    }
}

/// The ids of a section and its parts, and its tables and those behind its charts as they are shown,
/// for views to borrow.
struct Parts {
    id: String,
    tables: Vec<(String, Table)>,
    charts: Vec<(String, String, Table)>,
}

impl Parts {
    fn new(section: &Section) -> Self {
        // Ids of sections begin with a letter of ours: none can be that of another part of the page.
        let id = format!("s-{}", slug(&section.id));
        let part = |kind: char, at: usize, name: &str| format!("{id}-{kind}{at}-{}", slug(name));
        let tables = section.tables.iter().enumerate();
        let charts = section.charts.iter().enumerate();
        Self {
            tables: tables
                .map(|(at, table)| (part('t', at, &table.id), without_blanks(table)))
                .collect(),
            charts: charts
                .map(|(at, chart)| {
                    let id = part('c', at, &chart.id);
                    let values = format!("{id}-values");
                    (id, values, values::of(chart))
                })
                .collect(),
            id,
        }
    }
}

#[derive(Serialize)]
struct SectionView<'a> {
    id: &'a str,
    title: &'a str,
    text: &'a [String],
    tables: Vec<TableView<'a>>,
    charts: Vec<ChartView<'a>>,
    notes: &'a [String],
}

impl<'a> SectionView<'a> {
    fn new(section: &'a Section, parts: &'a Parts, options: &HtmlOptions) -> Self {
        let charts = section.charts.iter().zip(&parts.charts);
        Self {
            id: &parts.id,
            title: &section.title,
            text: &section.text,
            tables: parts
                .tables
                .iter()
                .map(|(id, table)| TableView::new(table, id, true))
                .collect(),
            charts: charts
                .map(|(chart, (id, values_id, values))| ChartView {
                    id,
                    title: &chart.title,
                    caption: &chart.caption,
                    drawing: drawing(chart, options),
                    values: TableView::new(values, values_id, false),
                })
                .collect(),
            notes: &section.notes,
        }
    }
}

#[derive(Serialize)]
struct ChartView<'a> {
    id: &'a str,
    title: &'a str,
    caption: &'a str,
    /// An SVG element; empty where nothing is drawn.
    drawing: String,
    values: TableView<'a>,
}

fn drawing(chart: &Chart, options: &HtmlOptions) -> String {
    let [light, dark] = [Theme::Light, Theme::Dark].map(|theme| (options.draw)(chart, theme));
    theme::combined(&light, &dark)
}

#[derive(Serialize)]
struct QuestionsView<'a> {
    count: String,
    tasks: String,
    notes: &'a [String],
    data: Vec<Data>,
}

/// A script element with JSON.
#[derive(Serialize)]
struct Data {
    id: String,
    json: String,
}

impl<'a> QuestionsView<'a> {
    fn new(questions: &'a QuestionBrowser) -> Self {
        let index = Data {
            id: "question-index".to_owned(),
            json: pack::embedded(&pack::index(questions)),
        };
        let tasks = questions.tasks.iter().enumerate().map(|(at, task)| Data {
            id: format!("question-task-{at}"),
            json: pack::embedded(&pack::task(task)),
        });
        Self {
            count: count(questions.len()),
            tasks: match questions.tasks.len() {
                1 => "one task".to_owned(),
                tasks => format!("{tasks} tasks"),
            },
            notes: &questions.notes,
            data: std::iter::once(index).chain(tasks).collect(),
        }
    }
}
