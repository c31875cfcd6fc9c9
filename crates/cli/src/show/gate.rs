//! The outcome of a gate, for people and for CI systems.

use std::fmt::Write as _;

use sureness_analysis::gate::{Gate, GateCheck, GateVerdict};
use sureness_analysis::number::{count, fixed};
use sureness_analysis::{Cell, Column, Section, Table, Unit};
use sureness_report::export;

use super::terminal;

/// A sentence and a table.
pub(crate) fn text(gate: &Gate) -> String {
    let text = export::section(&section(gate), export::Format::Text, terminal::width());
    text.unwrap_or_default()
}

/// The same as Markdown.
pub(crate) fn markdown(gate: &Gate) -> String {
    let text = export::section(&section(gate), export::Format::Markdown, usize::MAX);
    text.unwrap_or_default()
}

fn section(gate: &Gate) -> Section {
    let mut columns = Vec::new();
    if gate.checks.iter().any(|check| check.task.is_some()) {
        columns.push(Column::text("task", "Task"));
    }
    columns.extend([
        Column::text("metric", "Figure"),
        Column::text("base", "Base"),
        Column::text("candidate", "Candidate"),
        Column::text("difference", "Difference"),
        Column::text("margin", "Margin"),
        Column::text("verdict", "Verdict"),
    ]);
    Section {
        id: "gate".into(),
        text: vec![summary(gate)],
        tables: vec![Table {
            id: "gate".into(),
            title: format!("{} against {}", gate.candidate, gate.base),
            caption: caption(gate),
            columns,
            rows: gate.checks.iter().map(row).collect(),
            ..Table::default()
        }],
        ..Section::default()
    }
}

/// What figures rest on. Those of an early stop are of the questions so far, and their intervals about all
/// questions.
fn caption(gate: &Gate) -> String {
    let questions = count(gate.questions);
    let over = match gate.of {
        None => format!("{questions} questions that both answered"),
        Some(of) => format!(
            "{questions} of {} questions, asked in random order",
            count(of)
        ),
    };
    let hold = match gate.of {
        None => "together",
        Some(_) => "together, whenever asking stops,",
    };
    format!(
        "Over {over}. Differences are candidate minus base; their intervals hold {hold} with {} % confidence.",
        (gate.confidence * 1000.0).round() / 10.0
    )
}

fn summary(gate: &Gate) -> String {
    let named = |verdict: GateVerdict| {
        let checks = gate
            .checks
            .iter()
            .filter(move |check| check.verdict == verdict);
        let names: Vec<String> = checks.map(name).collect();
        names.join(", ")
    };
    let (base, candidate) = (&gate.base, &gate.candidate);
    match gate.verdict {
        GateVerdict::Pass => {
            format!("Pass: {candidate} is no worse than {base} by more than the margin.")
        }
        GateVerdict::Worse => format!(
            "Worse: {candidate} is worse than {base} in {}.",
            named(GateVerdict::Worse)
        ),
        GateVerdict::Undecided => format!(
            "Undecided: {} questions do not show whether {candidate} is worse than {base} in {}.",
            count(gate.questions),
            named(GateVerdict::Undecided)
        ),
    }
}

/// The figure of a check, with its task.
fn name(check: &GateCheck) -> String {
    match &check.task {
        Some(task) => format!("{} of {task}", check.metric.title()),
        None => check.metric.title().to_owned(),
    }
}

fn row(check: &GateCheck) -> Vec<Cell> {
    let mut row: Vec<Cell> = check.task.iter().map(Cell::text).collect();
    row.extend([
        Cell::text(check.metric.title()),
        Cell::text(figure(check, check.base)),
        Cell::text(figure(check, check.candidate)),
        Cell::text(difference(check)),
        Cell::text(scaled(check, check.margin, false)),
        Cell::text(verdict(check.verdict)),
    ]);
    row
}

fn verdict(verdict: GateVerdict) -> &'static str {
    match verdict {
        GateVerdict::Pass => "pass",
        GateVerdict::Worse => "worse",
        GateVerdict::Undecided => "undecided",
    }
}

fn figure(check: &GateCheck, value: Option<f64>) -> String {
    let unit = if check.metric.is_share() {
        Unit::Percent
    } else {
        Unit::Number(2)
    };
    value.map_or_else(
        || "full sets".to_owned(),
        |value| sureness_analysis::number::figure(value, unit),
    )
}

/// The difference with its interval, in percentage points or options.
fn difference(check: &GateCheck) -> String {
    let (Some(base), Some(candidate)) = (check.base, check.candidate) else {
        return String::new();
    };
    let value = scaled(check, candidate - base, true);
    match check.interval {
        Some([low, high]) => {
            format!(
                "{value} [{}, {}]",
                scaled(check, low, true),
                scaled(check, high, true)
            )
        }
        None => format!("{value} (too few questions or clusters)"),
    }
}

/// Percentage points with two decimals, or options.
fn scaled(check: &GateCheck, value: f64, signed: bool) -> String {
    if check.metric.is_share() {
        format!("{} pp", fixed(value * 100.0, 2, signed))
    } else {
        fixed(value, 3, signed)
    }
}

/// A test suite with one test per figure. An undecided one fails if it `fails`, and is skipped
/// otherwise.
pub(crate) fn junit(gate: &Gate, fails: bool) -> String {
    let is_failure = |check: &GateCheck| {
        check.verdict == GateVerdict::Worse || (fails && check.verdict == GateVerdict::Undecided)
    };
    let failures = gate.checks.iter().filter(|check| is_failure(check)).count();
    let skipped = gate
        .checks
        .iter()
        .filter(|check| !is_failure(check) && check.verdict == GateVerdict::Undecided);
    let suite = escaped(&format!("{} against {}", gate.candidate, gate.base));
    let counts = format!(
        "tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{}\"",
        gate.checks.len(),
        skipped.count()
    );
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"{suite}\" {counts}>\n"
    );
    for check in &gate.checks {
        let name = escaped(&name(check));
        let message = escaped(&format!(
            "{}: {}, may be worse by {}",
            verdict(check.verdict),
            difference(check),
            scaled(check, check.margin, false)
        ));
        let inner = match check.verdict {
            _ if is_failure(check) => format!("<failure message=\"{message}\"/>"),
            GateVerdict::Undecided => format!("<skipped message=\"{message}\"/>"),
            _ => format!("<system-out>{message}</system-out>"),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            xml,
            "    <testcase classname=\"sureness.gate\" name=\"{name}\">{inner}</testcase>"
        );
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

/// Text in XML; characters that XML 1.0 does not have become question marks.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\u{0}'..='\u{8}'
            | '\u{b}'
            | '\u{c}'
            | '\u{e}'..='\u{1f}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                escaped.push('?');
            }
            c => escaped.push(c),
        }
    }
    escaped
}
