//! The readings of `tests/data/answers.tsv`, which anybody can extend.

use std::collections::{HashMap, HashSet};

use sureness_answers::{Reading, Why, read};

const TABLE: &str = include_str!("../data/answers.tsv");

struct Set {
    labels: Vec<String>,
    options: Vec<String>,
}

struct Row<'a> {
    line: usize,
    set: &'a str,
    reading: &'a str,
    style: &'a str,
    text: String,
}

fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut signs = text.chars();
    while let Some(sign) = signs.next() {
        match (sign, (sign == '\\').then(|| signs.next()).flatten()) {
            ('\\', Some('n')) => plain.push('\n'),
            ('\\', Some('\\')) => plain.push('\\'),
            ('\\', other) => panic!("\\{other:?} in {text:?}"),
            (sign, _) => plain.push(sign),
        }
    }
    plain
}

fn table() -> (HashMap<&'static str, Set>, Vec<Row<'static>>) {
    let mut sets = HashMap::new();
    let mut rows = Vec::new();
    for (line, text) in TABLE.lines().enumerate() {
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let cells: Vec<&str> = text.split('\t').collect();
        if let Some(name) = cells[0].strip_prefix('@') {
            let pairs = cells[1..].chunks_exact(2);
            let labels = pairs.clone().map(|pair| pair[0].to_owned()).collect();
            let options = pairs.map(|pair| pair[1].to_owned()).collect();
            sets.insert(name, Set { labels, options });
            continue;
        }
        let [set, reading, style, text] = cells[..] else {
            panic!("line {}: {} cells instead of 4", line + 1, cells.len());
        };
        let text = unescaped(text);
        rows.push(Row {
            line: line + 1,
            set,
            reading,
            style,
            text,
        });
    }
    (sets, rows)
}

fn expected(reading: &str, set: &Set) -> Reading {
    match reading {
        "refused" => Reading::Refused,
        "empty" => Reading::Unreadable(Why::Empty),
        "thought" => Reading::Unreadable(Why::OnlyThought),
        "none" => Reading::Unreadable(Why::NoOption),
        "several" => Reading::Unreadable(Why::Several),
        label => {
            let option = set.labels.iter().position(|it| it == label);
            Reading::Option(
                option.unwrap_or_else(|| panic!("{label:?} is neither a label nor a reading")),
            )
        }
    }
}

#[test]
fn every_answer_of_the_table_is_read_as_it_says() {
    let (sets, rows) = table();
    let mut wrong = String::new();
    for row in &rows {
        let set = sets
            .get(row.set)
            .unwrap_or_else(|| panic!("line {}: set {}", row.line, row.set));
        let found = read(&row.text, &set.labels, &set.options);
        if found != expected(row.reading, set) {
            wrong += &format!(
                "line {} ({}, {}): {:?} is {}, read as {found:?}\n",
                row.line, row.set, row.style, row.text, row.reading
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_table_is_large_and_holds_every_answer_once() {
    let (_, rows) = table();
    let texts: HashSet<(&str, &str)> = rows
        .iter()
        .map(|row| (row.set, row.text.as_str()))
        .collect();
    assert_eq!(texts.len(), rows.len());
    assert!(rows.len() >= 150, "{}", rows.len());
}

/// The examples of the guide are read as it says.
#[test]
fn the_guide_tells_the_truth() {
    let guide = include_str!("../../../../docs/answers.md");
    let (labels, options) = (["A", "B", "C", "D"], ["London", "Paris", "Rome", "Berlin"]);
    let (_, choices) = guide.split_once("## What chooses").unwrap();
    let (choices, rest) = choices.split_once("## What does not").unwrap();
    let (rest, _) = rest.split_once("## Where").unwrap();
    let quoted = |line: &'static str| line.split('`').skip(1).step_by(2);
    let mut read_as = Vec::new();
    for line in choices
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains('`'))
    {
        read_as.extend(quoted(line).map(|text| (text, Reading::Option(1))));
    }
    for line in rest.lines().filter(|line| line.starts_with("| `")) {
        let reading = match line.split(" | ").nth(1) {
            Some("no option") => Reading::Unreadable(Why::NoOption),
            Some("several") => Reading::Unreadable(Why::Several),
            Some("refused") => Reading::Refused,
            other => panic!("{other:?}"),
        };
        let (texts, _) = line.split_once(" | ").unwrap();
        read_as.extend(quoted(texts).map(|text| (text, reading)));
    }
    assert!(read_as.len() > 30, "{}", read_as.len());
    for (text, reading) in read_as {
        let text = text.replace('…', "that");
        assert_eq!(read(&text, &labels, &options), reading, "{text:?}");
    }
}
