//! The page, from its templates.

use minijinja::Error;
use serde::Serialize;
use sureness_analysis::Document;
use sureness_analysis::number::count;

use super::section::{Parts, SectionView};
use super::settings::Entry;
use super::templates::{STYLE, Templates};
use super::{Highlight, HtmlOptions, QuestionBrowser, Verdict, pack, policy};

/// One strict script; its parts share nothing but the functions that they declare.
const SCRIPT: &str = concat!(
    "(() => {\n\"use strict\";\n",
    include_str!("assets/tables.js"),
    include_str!("assets/words.js"),
    include_str!("assets/questions.js"),
    include_str!("assets/theme.js"),
    include_str!("assets/page.js"),
    "})();\n",
);

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
        .map(|(section, parts)| SectionView::new(section, parts, options.draw))
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
    Templates::new(&[])?.fill("page.html", page)
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
