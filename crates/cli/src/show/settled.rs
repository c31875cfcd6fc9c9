//! Which models are better, and how many questions it took.

use sureness_analysis::number::count;
use sureness_analysis::settled::{Settled, SettledPair, Stopped};
use sureness_analysis::{Cell, Column, Section, Table, Unit};
use sureness_anytime::{Metric, Verdict};
use sureness_report::export;

use super::terminal;

/// Prints verdicts as a table.
pub(crate) fn print(found: &Settled) {
    let text = export::section(&section(found), export::Format::Text, terminal::width());
    print!("{}", text.unwrap_or_default());
}

fn section(found: &Settled) -> Section {
    let metrics = [Metric::Acc, Metric::Size, Metric::Uacc];
    let tables = metrics
        .into_iter()
        .filter_map(|metric| table(found, metric));
    Section {
        id: "settled".into(),
        text: vec![stopped(found)],
        tables: tables.collect(),
        ..Section::default()
    }
}

fn stopped(found: &Settled) -> String {
    let open = found
        .pairs
        .iter()
        .filter(|pair| pair.verdict == Verdict::Open)
        .count();
    let all = found.pairs.len();
    let most = found.asked.values().max().copied().unwrap_or(0);
    let why = match found.stopped {
        Stopped::Settled => "every comparison is settled".to_owned(),
        Stopped::AllAsked => {
            format!("all questions are asked, and {open} of {all} comparisons are open")
        }
        Stopped::MaxQuestions => {
            format!("--max-questions is reached, and {open} of {all} comparisons are open")
        }
        Stopped::Interrupted => format!("interrupted, and {open} of {all} comparisons are open"),
    };
    format!(
        "Stopped after {} of {} questions: {why}. All verdicts and intervals hold together with {} % confidence.",
        count(most),
        count(found.of),
        (found.confidence * 1000.0).round() / 10.0
    )
}

fn table(found: &Settled, metric: Metric) -> Option<Table> {
    let pairs: Vec<&SettledPair> = found
        .pairs
        .iter()
        .filter(|pair| pair.metric == metric)
        .collect();
    let first = pairs.first()?;
    let unit = if metric.is_share() {
        Unit::PercentDifference
    } else {
        Unit::Difference(2)
    };
    let mut columns = vec![Column::text("a", "A"), Column::text("b", "B")];
    if first.task.is_some() {
        columns.push(Column::text("task", "Task"));
    }
    columns.extend([
        Column::text("verdict", "Better"),
        Column::new("low", "A − B from", unit),
        Column::new("high", "to", unit),
        Column::new("asked", "Questions", Unit::Count),
    ]);
    Some(Table {
        id: format!("settled-{metric}"),
        title: format!("Which has the better {}?", metric.title()),
        columns,
        rows: pairs.into_iter().map(row).collect(),
        ..Table::default()
    })
}

fn row(pair: &SettledPair) -> Vec<Cell> {
    let mut row = vec![Cell::text(&pair.a), Cell::text(&pair.b)];
    row.extend(pair.task.as_ref().map(Cell::text));
    let verdict = match pair.verdict {
        Verdict::A => &pair.a,
        Verdict::B => &pair.b,
        Verdict::Equal => "equal within the margin",
        Verdict::Open => "open",
    };
    row.push(Cell::text(verdict));
    let end = |which: usize| Cell::maybe(pair.interval.map(|ends| ends[which]));
    row.extend([end(0), end(1), Cell::count(pair.asked)]);
    row
}
