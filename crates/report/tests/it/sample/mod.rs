//! A made-up comparison, with every kind of chart and as large as is asked for. The figures follow
//! simple rules and are nobody's.
#![allow(dead_code, unreachable_pub)] // The example and each test use a part of it.

pub mod draw;
mod figures;
mod parts;
mod questions;

use serde_json::json;
use sureness_analysis::Document;
use sureness_report::html::{Highlight, HtmlOptions, QuestionBrowser, Verdict, html};

/// Tasks: id and title.
pub const TASKS: [(&str, &str); 5] = [
    ("qa", "Question answering"),
    ("rc", "Reading comprehension"),
    ("ci", "Commonsense inference"),
    ("drs", "Dialogue response selection"),
    ("ds", "Document summarization"),
];

/// Names of the strategies.
pub const STRATEGIES: [&str; 3] = ["base", "shared", "task"];

/// How much there is of everything.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Models.
    pub models: usize,
    /// Questions of each task in the browser.
    pub questions: usize,
}

/// The names of the models.
pub fn names(models: usize) -> Vec<String> {
    let families = [
        "Heron", "Larch", "Quartz", "Tern", "Willow", "Basalt", "Finch", "Cedar",
    ];
    let sizes = ["1.8B", "7B", "14B", "34B", "72B"];
    (0..models)
        .map(|at| {
            let family = families[at % families.len()];
            let size = sizes[(at / families.len() + at) % sizes.len()];
            let chat = if at % 3 == 2 { "-chat" } else { "" };
            format!("{family}-{size}{chat}")
        })
        .collect()
}

/// The comparison as a document.
pub fn document(size: Size) -> Document {
    let figures = figures::all(size.models);
    let best = &figures[0];
    Document {
        method: "Protocol paper, α 0.1".into(),
        version: 1,
        program: "sureness 0.1.0".to_owned(),
        title: format!("Comparison of {} models", size.models),
        summary: vec![
            format!(
                "{} is the surest: it narrows six options down to {:.2} on average while the \
                 right one stays among them in {:.1} % of 25,000 test questions.",
                best.name,
                best.set_size,
                best.coverage * 100.0
            ),
            format!(
                "{} and {} cannot be told apart in accuracy (p = 0.21); all others are behind.",
                figures[0].name, figures[1].name
            ),
            "Coverage is compatible with the 90 % that were asked for in 173 of 180 pairs of model \
             and task."
                .to_owned(),
            "Document summarization is where the models differ most.".to_owned(),
        ],
        sections: parts::sections(&figures),
        settings: json!({
            "command": "sureness compare results/heron results/larch --alpha 0.1 --html report.html",
            "protocol": "paper",
            "error_rate": 0.1,
            "calibration_share": 0.5,
            "split_seed": 42,
            "bootstrap": { "replicates": 1000, "level": 0.95, "seed": 42 },
            "tasks": TASKS.map(|(id, _)| id),
            "strategies": STRATEGIES,
            "models": figures.iter().map(|f| json!({
                "name": f.name, "path": format!("results/{}", f.name.to_lowercase()), "run": 1,
                "record": { "backend": "openai", "logprobs": 20, "chat_template": null, "seed": 0 },
            })).collect::<Vec<_>>(),
        }),
    }
}

/// The figures at the top.
pub fn highlights(size: Size) -> Vec<Highlight> {
    let figures = figures::all(size.models);
    let best = &figures[0];
    let pairs = size.models * TASKS.len() * STRATEGIES.len();
    vec![
        Highlight {
            label: "Surest model".to_owned(),
            value: best.name.clone(),
            detail: format!(
                "{:.2} of 6 options left on average ({:.2}–{:.2})",
                best.set_size,
                best.set_size - 0.03,
                best.set_size + 0.03
            ),
            verdict: Verdict::Neutral,
        },
        Highlight {
            label: "90 % coverage".to_owned(),
            value: "Kept".to_owned(),
            detail: format!(
                "in {} of {pairs} groups; 90.4 % overall",
                pairs - pairs / 25
            ),
            verdict: Verdict::Kept,
        },
        Highlight {
            label: "Test questions".to_owned(),
            value: "25,000".to_owned(),
            detail: "5,000 in each of 5 tasks, as many to calibrate".to_owned(),
            verdict: Verdict::Neutral,
        },
    ]
}

/// Questions with answers.
pub fn questions(size: Size) -> QuestionBrowser {
    questions::browser(size)
}

/// The whole page.
pub fn page(size: Size) -> String {
    let highlights = highlights(size);
    html(
        &document(size),
        Some(&questions(size)),
        &HtmlOptions {
            draw: &draw::draw,
            highlights: &highlights,
        },
    )
}
