//! The page around the parts.

use sureness_analysis::{Document, Section, Unit};

use super::markup::{esc, slug};
use super::number::figure;
use super::{HtmlOptions, QuestionBrowser, Verdict, chart, pack, policy, settings, table};

const STYLE: &str = concat!(
    include_str!("assets/base.css"),
    include_str!("assets/tables.css"),
    include_str!("assets/questions.css"),
    include_str!("assets/narrow.css"),
    include_str!("assets/print.css"),
);

/// One strict script; its parts share nothing but the functions that they declare.
const SCRIPT: &str = concat!(
    "(() => {\n\"use strict\";\n",
    include_str!("assets/tables.js"),
    include_str!("assets/questions.js"),
    include_str!("assets/page.js"),
    "})();\n",
);

pub(super) fn page(
    document: &Document,
    questions: Option<&QuestionBrowser>,
    options: &HtmlOptions,
) -> String {
    let questions = questions.filter(|q| !q.is_empty());
    let mut out = String::with_capacity(1 << 20);
    head(&mut out, document);
    bar(&mut out, document);
    contents(&mut out, document, questions.is_some());
    out.push_str("<main id=\"main\" tabindex=\"-1\">\n");
    findings(&mut out, document, options);
    for part in &document.sections {
        section(&mut out, part, options);
    }
    if let Some(questions) = questions {
        browser(&mut out, questions);
    }
    out.push_str(
        "<section id=\"settings\" aria-labelledby=\"settings-title\">\n\
         <h2 id=\"settings-title\">Settings</h2>\n\
         <p>Everything that is needed to repeat this.</p>\n",
    );
    settings::settings(&mut out, &document.settings);
    out.push_str("</section>\n");
    out.push_str(&format!(
        "<footer>Written by {}. This file holds everything that it shows and loads nothing.</footer>\n",
        esc(&document.program)
    ));
    out.push_str("</main>\n</div>\n");
    if let Some(questions) = questions {
        data(&mut out, questions);
    }
    out.push_str(&format!("<script>{SCRIPT}</script>\n</body>\n</html>\n"));
    out
}

fn head(out: &mut String, document: &Document) {
    let title = esc(&document.title);
    let program = esc(&document.program);
    let policy = policy::policy(SCRIPT);
    // The empty icon keeps a browser from asking a server for one.
    out.push_str(&format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"generator\" content=\"{program}\">\n\
         <title>{title}</title>\n<link rel=\"icon\" href=\"data:,\">\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n"
    ));
}

fn bar(out: &mut String, document: &Document) {
    // Buttons do nothing without the script, which shows them.
    out.push_str(&format!(
        "<a class=\"skip\" href=\"#main\">Skip to the findings</a>\n\
         <header class=\"bar\"><span class=\"program\">{}</span>\n\
         <span class=\"actions\" id=\"actions\" hidden>\
         <button type=\"button\" id=\"theme\">Theme: system</button>\
         <button type=\"button\" id=\"print\">Print</button></span></header>\n\
         <div class=\"layout\">\n",
        esc(&document.program)
    ));
}

fn contents(out: &mut String, document: &Document, questions: bool) {
    out.push_str("<nav class=\"contents\" aria-label=\"Contents\"><ol>\n");
    let mut item = |id: &str, title: &str| {
        out.push_str(&format!("<li><a href=\"#{id}\">{}</a></li>\n", esc(title)));
    };
    item("findings", "Findings");
    for part in &document.sections {
        item(&section_id(part), &part.title);
    }
    if questions {
        item("questions", "Questions");
    }
    item("settings", "Settings");
    out.push_str("</ol></nav>\n");
}

fn findings(out: &mut String, document: &Document, options: &HtmlOptions) {
    out.push_str(&format!(
        "<section id=\"findings\" aria-labelledby=\"findings-title\">\n\
         <h1 id=\"findings-title\">{}</h1>\n",
        esc(&document.title)
    ));
    let mut sentences = document.summary.iter();
    if let Some(first) = sentences.next() {
        out.push_str(&format!("<p class=\"lead\">{}</p>\n", esc(first)));
    }
    if !document.method.is_empty() {
        out.push_str(&format!(
            "<p class=\"caption\">{}</p>\n",
            esc(&document.method)
        ));
    }
    if !options.highlights.is_empty() {
        out.push_str("<dl class=\"highlights\">\n");
        for highlight in options.highlights {
            // The sign says it to those who do not see colours, the words to those who see none.
            let (class, sign) = match highlight.verdict {
                Verdict::Neutral => ("", ""),
                Verdict::Kept => (" class=\"kept\"", "<span aria-hidden=\"true\">✓ </span>"),
                Verdict::Missed => (" class=\"missed\"", "<span aria-hidden=\"true\">! </span>"),
            };
            out.push_str(&format!(
                "<div{class}><dt>{}</dt><dd class=\"value\">{sign}{}</dd><dd>{}</dd></div>\n",
                esc(&highlight.label),
                esc(&highlight.value),
                esc(&highlight.detail)
            ));
        }
        out.push_str("</dl>\n");
    }
    if sentences.len() > 0 {
        out.push_str("<ul class=\"summary\">\n");
        for sentence in sentences {
            out.push_str(&format!("<li>{}</li>\n", esc(sentence)));
        }
        out.push_str("</ul>\n");
    }
    out.push_str("</section>\n");
}

fn section(out: &mut String, part: &Section, options: &HtmlOptions) {
    let id = section_id(part);
    out.push_str(&format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">{}</h2>\n",
        esc(&part.title)
    ));
    for paragraph in &part.text {
        out.push_str(&format!("<p>{}</p>\n", esc(paragraph)));
    }
    for (at, entry) in part.tables.iter().enumerate() {
        let id = format!("{id}-t{at}-{}", slug(&entry.id));
        table::table(out, entry, &id, Some(3));
    }
    for (at, entry) in part.charts.iter().enumerate() {
        let id = format!("{id}-c{at}-{}", slug(&entry.id));
        chart::figure(out, entry, &id, options);
    }
    notes(out, &part.notes);
    out.push_str("</section>\n");
}

fn notes(out: &mut String, notes: &[String]) {
    if notes.is_empty() {
        return;
    }
    out.push_str("<ul class=\"notes\" aria-label=\"Notes\">\n");
    for note in notes {
        out.push_str(&format!("<li>{}</li>\n", esc(note)));
    }
    out.push_str("</ul>\n");
}

/// Ids of sections begin with a letter of ours: none can be that of another part of the page.
fn section_id(part: &Section) -> String {
    format!("s-{}", slug(&part.id))
}

fn browser(out: &mut String, questions: &QuestionBrowser) {
    out.push_str(&format!(
        "<section id=\"questions\" aria-labelledby=\"questions-title\">\n\
         <h2 id=\"questions-title\">Questions</h2>\n\
         <p>{} questions of {}, with each model’s probabilities and prediction sets.</p>\n",
        figure(questions.len() as f64, Unit::Count),
        match questions.tasks.len() {
            1 => "one task".to_owned(),
            tasks => format!("{tasks} tasks"),
        }
    ));
    notes(out, &questions.notes);
    out.push_str(
        "<noscript><p>Looking through them needs JavaScript, which is off.</p></noscript>\n\
         <div id=\"question-browser\"></div>\n</section>\n",
    );
}

/// One element per task, so that only what is looked at is parsed.
fn data(out: &mut String, questions: &QuestionBrowser) {
    let mut element = |id: &str, json: &str| {
        out.push_str(&format!(
            "<script type=\"application/json\" id=\"{id}\">{json}</script>\n"
        ));
    };
    element("question-index", &pack::embedded(&pack::index(questions)));
    for (at, task) in questions.tasks.iter().enumerate() {
        let id = format!("question-task-{at}");
        element(&id, &pack::embedded(&pack::task(task)));
    }
}
