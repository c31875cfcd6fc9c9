//! A document for LaTeX: tables to put into a paper, and a page that shows them all.

mod escape;
mod table;

use sureness_analysis::{Document, Section};

use super::images::{Kind, Links};
use escape::escape;

pub use table::table as latex_table;

/// A document that pdfLaTeX sets as it is. The tables are those of [`latex_table`].
pub fn latex(document: &Document) -> String {
    let tables = |_: usize, _: usize| None;
    linked(document, &Links::default(), &tables)
}

/// The same; tables that lie in files of their own are read from there, by section and number.
pub(crate) fn linked(
    document: &Document,
    links: &Links,
    tables: &dyn Fn(usize, usize) -> Option<String>,
) -> String {
    let charts = || document.sections.iter().flat_map(|section| &section.charts);
    let images = charts().any(|chart| links.file(&chart.id, Kind::Png).is_some());
    let mut out = format!(
        "% {}\n\\documentclass{{article}}\n\\usepackage[T1]{{fontenc}}\n\
         \\usepackage[margin=2cm]{{geometry}}\n\\usepackage{{booktabs}}\n",
        escape(&document.program)
    );
    if images {
        out.push_str("\\usepackage{graphicx}\n");
    }
    out.push_str(&format!(
        "\\title{{{}}}\n\\date{{}}\n\\begin{{document}}\n\\maketitle\n",
        escape(&document.title)
    ));
    if !document.method.is_empty() {
        out.push_str(&format!("{}\n\n", escape(&document.method)));
    }
    push_list(&mut out, &document.summary);
    for (number, section) in document.sections.iter().enumerate() {
        push_section(&mut out, section, links, &|at| tables(number, at));
    }
    out.push_str("\\end{document}\n");
    out
}

fn push_section(
    out: &mut String,
    section: &Section,
    links: &Links,
    tables: &dyn Fn(usize) -> Option<String>,
) {
    out.push_str(&format!("\n\\section{{{}}}\n", escape(&section.title)));
    for text in &section.text {
        out.push_str(&format!("{}\n\n", escape(text)));
    }
    for (number, table) in section.tables.iter().enumerate() {
        match tables(number) {
            Some(file) => out.push_str(&format!("\\input{{{file}}}\n")),
            None => out.push_str(&latex_table(table)),
        }
    }
    for chart in &section.charts {
        if let Some(file) = links.file(&chart.id, Kind::Png) {
            out.push_str(&format!(
                "\\begin{{figure}}[htbp]\n  \\centering\n  \
                 \\includegraphics[width=0.9\\linewidth]{{{file}}}\n  \
                 \\caption{{{}}}\n  \\label{{fig:{}}}\n\\end{{figure}}\n",
                caption(&chart.title, &chart.caption),
                label(&chart.id)
            ));
        }
    }
    push_list(out, &section.notes);
    // LaTeX holds back only so many tables and figures; a section's are set before the next.
    if section.tables.len() + section.charts.len() > 0 {
        out.push_str("\\clearpage\n");
    }
}

fn push_list(out: &mut String, items: &[String]) {
    if items.is_empty() {
        return;
    }
    out.push_str("\\begin{itemize}\n");
    for item in items {
        out.push_str(&format!("  \\item {}\n", escape(item)));
    }
    out.push_str("\\end{itemize}\n");
}

/// The heading, as a sentence, and what follows it.
fn caption(title: &str, caption: &str) -> String {
    let title = escape(title);
    let end = if title.is_empty() || title.ends_with(['.', '?', '!', ':']) {
        ""
    } else {
        "."
    };
    format!("{title}{end} {}", escape(caption))
        .trim()
        .to_owned()
}

/// An id in a label: what TeX might act on is a hyphen.
fn label(id: &str) -> String {
    super::clean::file_name(id).replace('_', "-")
}
