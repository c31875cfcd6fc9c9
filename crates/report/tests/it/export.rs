//! Documents in every format: what people see, and what must hold for any document.

use std::fs;

use crate::common::document;
use proptest::prelude::*;
use sureness_analysis::{Cell, Column, Document, Section, Table, Theme, Unit};
use sureness_hint::Hint;
use sureness_report::export::{
    ChartImage, ExportError, Format, csv, json, latex, latex_table, markdown, text, write_all,
};
use unicode_width::UnicodeWidthStr;

#[test]
fn as_text() {
    insta::assert_snapshot!("text_100", text(&document(), 100));
    insta::assert_snapshot!("text_80", text(&document(), 80));
    insta::assert_snapshot!("text_48", text(&document(), 48));
}

#[test]
fn as_markdown() {
    insta::assert_snapshot!("markdown", markdown(&document()));
}

#[test]
fn as_latex() {
    insta::assert_snapshot!("latex", latex(&document()));
}

#[test]
fn as_csv() {
    let sections = &document().sections;
    // Line ends are checked where CSV is made; here they would only be in the way.
    let plain = |table: &Table| csv(table).replace("\r\n", "\n");
    insta::assert_snapshot!("csv_leaderboard", plain(&sections[0].tables[0]));
    insta::assert_snapshot!("csv_differences", plain(&sections[1].tables[0]));
}

#[test]
fn json_reads_back() {
    let document = document();
    let read: Document = serde_json::from_str(&json(&document).unwrap()).unwrap();
    assert_eq!(read, document);
}

#[test]
fn json_has_no_figure_that_is_no_number() {
    let mut document = document();
    document.sections[0].tables[0].rows[0][2] = Cell::estimate(f64::NAN, (0.1, 0.2));
    document.sections[0].tables[0].rows[0][3] = Cell::estimate(0.5, (0.1, f64::INFINITY));
    let read: Document = serde_json::from_str(&json(&document).unwrap()).unwrap();
    let row = &read.sections[0].tables[0].rows[0];
    assert_eq!(row[2], Cell::Empty);
    let half = Cell::Figure {
        value: 0.5,
        low: Some(0.1),
        high: None,
        n: None,
        no_interval: None,
    };
    assert_eq!(row[3], half);
    let sureness_analysis::ChartKind::Dots { rows, .. } = &mut document.sections[0].charts[0].kind
    else {
        panic!("the first chart shows dots");
    };
    rows[0].value = f64::NAN;
    let error = json(&document).unwrap_err();
    assert!(error.to_string().contains("null"), "{error}");
}

fn images() -> Vec<ChartImage> {
    let image = |theme, png: &[u8]| ChartImage {
        chart: "dots".into(),
        theme,
        svg: "<svg xmlns=\"http://www.w3.org/2000/svg\"/>".into(),
        png: png.to_owned(),
    };
    vec![image(Theme::Light, b"png"), image(Theme::Dark, b"")]
}

#[test]
fn all_formats_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new/folder");
    let written = write_all(&document(), &images(), &out, &Format::ALL).unwrap();
    let names: Vec<String> = written
        .iter()
        .map(|path| path.strip_prefix(&out).unwrap().display().to_string())
        .collect();
    assert_eq!(
        names,
        [
            "charts/dots-light.svg",
            "charts/dots-dark.svg",
            "charts/dots-light.png",
            "tables/leaderboard.csv",
            "tables/strategies.csv",
            "tables/differences.csv",
            "tables/method.txt",
            "report.json",
            "report.txt",
            "report.md",
            "tables/leaderboard.tex",
            "tables/strategies.tex",
            "tables/differences.tex",
            "report.tex",
        ]
    );
    let read = |name: &str| fs::read_to_string(out.join(name)).unwrap();
    let markdown = read("report.md");
    assert!(
        markdown.contains("src=\"charts/dots-light.svg\""),
        "{markdown}"
    );
    assert!(
        markdown.contains("srcset=\"charts/dots-dark.svg\""),
        "{markdown}"
    );
    assert!(
        !markdown.contains("lines-light"),
        "this chart was not drawn"
    );
    let report = read("report.tex");
    assert!(report.contains("{charts/dots-light.png}"), "{report}");
    assert!(
        report.contains("\\input{tables/leaderboard.tex}"),
        "{report}"
    );
    assert!(read("report.txt").contains("See charts/dots-light.svg"));
    // Nothing half-written is left, and writing again replaces.
    write_all(&document(), &images(), &out, &Format::ALL).unwrap();
    for folder in [out.clone(), out.join("tables"), out.join("charts")] {
        for entry in fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(!name.contains(".new"), "{name}");
        }
    }
}

#[test]
fn only_what_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let formats = [Format::Markdown];
    let written = write_all(&document(), &images(), folder.path(), &formats).unwrap();
    assert_eq!(written, [folder.path().join("report.md")]);
    let markdown = fs::read_to_string(&written[0]).unwrap();
    assert!(
        !markdown.contains("charts/"),
        "no link to what is not there"
    );
}

#[test]
fn equal_ids_do_not_overwrite_each_other() {
    let mut document = document();
    document.sections[0].tables[1].id = "leaderboard".into();
    document.sections[1].tables[0].id = "../leaderboard".into();
    let folder = tempfile::tempdir().unwrap();
    let written = write_all(&document, &[], folder.path(), &[Format::Csv]).unwrap();
    let names: Vec<_> = written
        .iter()
        .map(|p| p.file_name().unwrap().to_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "leaderboard.csv",
            "leaderboard-leaderboard.csv",
            "---leaderboard.csv",
            "method.txt"
        ]
    );
    assert!(
        written
            .iter()
            .all(|path| path.parent() == Some(&folder.path().join("tables")))
    );
}

#[test]
fn a_failure_names_the_file_and_leaves_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    // A folder of the file's name cannot be replaced by a file.
    fs::create_dir_all(folder.path().join("report.md/x")).unwrap();
    fs::write(folder.path().join("report.txt"), "old").unwrap();
    let formats = [Format::Text, Format::Markdown];
    let error = write_all(&document(), &[], folder.path(), &formats).unwrap_err();
    let ExportError::Write { path, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(*path, folder.path().join("report.md"));
    assert!(error.to_string().contains("report.md"), "{error}");
    assert!(!error.hint().is_empty());
    let mut names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["report.md", "report.txt"]);
}

fn any_cell() -> impl Strategy<Value = Cell> {
    let figure = (
        any::<f64>(),
        prop::option::of(-1e9..1e9_f64),
        prop::option::of(-1.0..1.0_f64),
        prop::option::of(any::<u64>()),
    );
    prop_oneof![
        Just(Cell::Empty),
        "\\PC{0,30}|[|\\\\{}$%#&_~^\"`<>*\n\r\\[\\] -]{0,12}".prop_map(Cell::Text),
        figure.prop_map(|(value, low, high, n)| Cell::Figure {
            value,
            low,
            high,
            n,
            no_interval: None,
        }),
    ]
}

fn any_unit() -> impl Strategy<Value = Unit> {
    prop_oneof![
        Just(Unit::Text),
        Just(Unit::Count),
        Just(Unit::Percent),
        Just(Unit::PercentDifference),
        (0..6_u8).prop_map(Unit::Number),
        (0..6_u8).prop_map(Unit::Difference),
        Just(Unit::PValue),
    ]
}

/// Any table, rows of the wrong length included.
fn any_table() -> impl Strategy<Value = Table> {
    let column = (any_unit(), "\\PC{0,16}", 0..3).prop_map(|(unit, title, better)| {
        let column = Column::new("key", &title, unit);
        match better {
            0 => column.higher(),
            1 => column.lower(),
            _ => column,
        }
    });
    let columns = prop::collection::vec(column, 1..9);
    let rows = prop::collection::vec(prop::collection::vec(any_cell(), 0..10), 0..6);
    (columns, rows, prop::collection::vec(0..9_usize, 0..3)).prop_map(
        |(columns, rows, rules_after)| Table {
            id: "any".into(),
            columns,
            rows,
            rules_after,
            ..Table::default()
        },
    )
}

/// Braces that group, rather than print, pair up.
fn balanced(text: &str) -> bool {
    let printing = text
        .replace("\\\\", "")
        .replace("\\{", "")
        .replace("\\}", "");
    let mut depth = 0_i32;
    printing.chars().all(|letter| {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        depth >= 0
    }) && depth == 0
}

/// Bars that are not escaped.
fn bars(line: &str) -> usize {
    let mut escaped = false;
    line.chars()
        .filter(|&letter| {
            let bar = letter == '|' && !escaped;
            escaped = letter == '\\' && !escaped;
            bar
        })
        .count()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn any_table_keeps_its_shape(table in any_table(), width in 40..140_usize) {
        let document = Document {
            method: String::new(),
            version: 1,
            program: "p".into(),
            title: "t".into(),
            summary: vec![],
            sections: vec![Section { title: "s".into(), tables: vec![table.clone()], ..Section::default() }],
            settings: serde_json::Value::Null,
        };
        let latex = latex_table(&table);
        prop_assert!(balanced(&latex), "{latex}");

        let markdown = markdown(&document);
        let lines: Vec<&str> = markdown.lines().filter(|line| line.starts_with('|')).collect();
        prop_assert_eq!(lines.len(), table.rows.len() + 2);
        // Columns of nothing are left out.
        let columns = bars(lines[0]);
        prop_assert!(columns <= table.columns.len() + 1);
        for line in lines {
            prop_assert_eq!(bars(line), columns, "{}", line);
        }

        // Figures are never cut, so a single one may be wider than the page, and so may one
        // heading. Words always give way.
        let text = text(&document, width);
        let longest = |column: &Column| column.title.split_whitespace().map(UnicodeWidthStr::width).max();
        let heading = table.columns.iter().filter_map(longest).max().unwrap_or(0);
        let words_only = table.columns.iter().all(|c| c.unit == Unit::Text) && heading < 12;
        for line in text.lines().filter(|_| words_only && table.columns.len() < 3) {
            prop_assert!(line.width() <= width, "{}", text);
        }
        let escape = char::from(27);
        prop_assert!(!text.contains(escape));

        let csv = csv(&table);
        prop_assert!(csv.ends_with("\r\n"));
    }
}
