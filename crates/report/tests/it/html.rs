//! The HTML report as text.

use crate::sample::{self, Size};
use sureness_analysis::{Cell, Column, Document, Section, Table, Unit};
use sureness_report::html::{Highlight, HtmlOptions, QuestionBrowser, Verdict, html};

const SMALL: Size = Size {
    models: 2,
    questions: 3,
};

fn bare(document: &Document, highlights: &[Highlight]) -> String {
    let options = HtmlOptions {
        draw: &|_, _| String::new(),
        highlights,
    };
    html(document, None, &options)
}

fn document() -> Document {
    Document {
        method: "Protocol paper, α 0.1".into(),
        version: 1,
        program: "sureness 0.1.0".to_owned(),
        title: "Comparison of 2 models".to_owned(),
        summary: vec![
            "Heron is the surest.".to_owned(),
            "Coverage is kept.".to_owned(),
        ],
        sections: vec![Section {
            id: "leaderboard".to_owned(),
            title: "Leaderboard".to_owned(),
            text: vec!["By set size.".to_owned()],
            tables: vec![Table {
                model: None,
                id: "all".to_owned(),
                title: "All models".to_owned(),
                caption: "Means over tasks.".to_owned(),
                columns: vec![
                    Column::text("model", "Model"),
                    Column::new("acc", "Accuracy", Unit::Percent)
                        .higher()
                        .help("Share right."),
                    Column::new("d", "Difference", Unit::PercentDifference),
                    Column::new("p", "p", Unit::PValue),
                    Column::new("n", "n", Unit::Count),
                ],
                rows: vec![
                    vec![
                        Cell::text("<Heron> & \"Co\""),
                        Cell::Figure {
                            value: 0.7126,
                            low: Some(0.698),
                            high: Some(0.726),
                            n: Some(12_000),
                            no_interval: None,
                        },
                        Cell::estimate(-0.004, (-0.01, 0.002)),
                        Cell::figure(1e-7),
                        Cell::count(12_000),
                    ],
                    vec![Cell::text("Tern"), Cell::Empty, Cell::figure(f64::NAN)],
                ],
                rules_after: vec![0],
            }],
            charts: vec![],
            notes: vec!["Intervals are of 95 %.".to_owned()],
        }],
        settings: serde_json::json!({ "command": "sureness compare a b", "seed": 42 }),
    }
}

#[test]
fn what_a_reader_gets() {
    let highlight = Highlight {
        label: "90 % coverage".to_owned(),
        value: "Kept".to_owned(),
        detail: "in 9 of 10 groups".to_owned(),
        verdict: Verdict::Kept,
    };
    let page = bare(&document(), &[highlight]);
    let (start, rest) = page.split_once("<main").unwrap();
    let (main, end) = rest.split_once("</main>").unwrap();
    insta::assert_snapshot!(main);
    assert!(start.contains("<title>Comparison of 2 models</title>"));
    assert!(!end.contains("application/json"));
}

#[test]
fn nothing_is_loaded_from_anywhere() {
    let page = sample::page(SMALL);
    // The one address is the name of a namespace.
    let page = page.replace("http://www.w3.org/2000/svg", "");
    for part in [
        "http:",
        "https:",
        "//cdn",
        "@import",
        "url(",
        " src=",
        "integrity=",
    ] {
        assert!(!page.contains(part), "{part}");
    }
    assert!(page.contains("default-src 'none'; script-src 'sha256-"));
    assert!(!page.contains("script-src 'unsafe-inline'"));
}

#[test]
fn names_are_text_wherever_they_stand() {
    let hostile = "</script><x y=\"'>&";
    let mut document = sample::document(SMALL);
    let mut questions = sample::questions(SMALL);
    document.title = hostile.to_owned();
    document.program = hostile.to_owned();
    document.summary = vec![hostile.to_owned(); 2];
    document.settings = serde_json::json!({ hostile: { "command": hostile, "list": [hostile] } });
    for section in &mut document.sections {
        section.id = hostile.to_owned();
        section.title = hostile.to_owned();
        section.text = vec![hostile.to_owned()];
        section.notes = vec![hostile.to_owned()];
        for table in &mut section.tables {
            table.id = hostile.to_owned();
            table.title = hostile.to_owned();
            table.caption = hostile.to_owned();
            table.columns[0].title = hostile.to_owned();
            table.columns[0].help = hostile.to_owned();
            table.rows[0][0] = Cell::text(hostile);
        }
        for chart in &mut section.charts {
            chart.id = hostile.to_owned();
            chart.title = hostile.to_owned();
            chart.caption = hostile.to_owned();
        }
    }
    questions.models = vec![hostile.to_owned(); 2];
    questions.strategies = vec![hostile.to_owned(); 3];
    questions.notes = vec![hostile.to_owned()];
    for task in &mut questions.tasks {
        task.title = hostile.to_owned();
        for question in &mut task.questions {
            question.id = hostile.to_owned();
            question.stem = Some(hostile.to_owned());
            question.context = Some(hostile.to_owned());
            question.tags = vec![hostile.to_owned()];
            question.options = vec![hostile.to_owned(); 6];
        }
    }
    let highlight = Highlight {
        label: hostile.to_owned(),
        value: hostile.to_owned(),
        detail: hostile.to_owned(),
        verdict: Verdict::Missed,
    };
    let options = HtmlOptions {
        draw: &|_, _| String::new(),
        highlights: &[highlight],
    };
    let page = html(&document, Some(&questions), &options);
    assert!(!page.contains("<x y"), "a tag of a stranger");
    assert!(page.contains("&lt;/script&gt;&lt;x y=&quot;&#39;&gt;&amp;"));
    // The data and the script itself end where they should.
    let ends = page.matches("</script").count();
    assert_eq!(ends, page.matches("<script").count());
    assert_eq!(ends, questions.tasks.len() + 2);
}

#[test]
fn a_page_without_anything_is_a_page() {
    let nothing = Document {
        title: String::new(),
        summary: vec![],
        sections: vec![Section::default()],
        settings: serde_json::Value::Null,
        ..document()
    };
    let options = HtmlOptions {
        draw: &|_, _| String::new(),
        highlights: &[],
    };
    let page = html(&nothing, Some(&QuestionBrowser::default()), &options);
    assert!(page.contains("not set") && page.ends_with("</html>\n"));
    assert!(
        !page.contains("<div id=\"question-browser\""),
        "no questions, no browser of them"
    );
}
