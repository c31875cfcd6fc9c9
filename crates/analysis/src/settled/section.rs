//! What a run that stopped early has shown, as a section of a document.

use sureness_anytime::{Goal, Metric, Verdict};

use super::{Settled, SettledFigure, SettledPair, Stopped};
use crate::number::count;
use crate::{Cell, Column, Section, Table, Unit};

impl Settled {
    /// Why the run stopped, and what it has shown: a table for each figure.
    pub fn section(&self) -> Section {
        let metrics = Metric::ALL.into_iter();
        let tables = metrics.flat_map(|metric| [pairs(self, metric), figures(self, metric)]);
        Section {
            id: "settled".into(),
            title: "Stopped early".into(),
            text: [self.summary()].into_iter().chain(self.at()).collect(),
            tables: tables.flatten().collect(),
            ..Section::default()
        }
    }

    /// What a run under way has shown up to now, in the same tables.
    pub fn so_far(&self) -> Section {
        let (open, all) = self.open();
        let (title, what) = match self.goal {
            Goal::Width => ("Intervals so far", "intervals are not narrow enough yet"),
            Goal::Settled | Goal::Gate => ("Verdicts so far", "comparisons are open"),
        };
        let text = format!(
            "{} {open} of {all} {what}. What is shown here holds with {} % confidence, however often you look.",
            self.after("After"),
            self.percent()
        );
        Section {
            title: title.into(),
            text: [text].into_iter().chain(self.at()).collect(),
            ..self.section()
        }
    }

    /// Why the run stopped, after how many questions, in sentences.
    pub fn summary(&self) -> String {
        format!(
            "{}: {}. {} hold together with {} % confidence.",
            self.after("Stopped after"),
            self.reason(),
            match self.goal {
                Goal::Width => "All intervals",
                Goal::Settled | Goal::Gate => "All verdicts and intervals",
            },
            self.percent()
        )
    }

    /// Such as `After 30 of 100 questions`.
    fn after(&self, word: &str) -> String {
        let most = self.asked.values().max().copied().unwrap_or(0);
        format!("{word} {} of {} questions", count(most), count(self.of))
    }

    /// The confidence in percent.
    fn percent(&self) -> f64 {
        (self.confidence * 1000.0).round() / 10.0
    }

    /// Which thresholds coverage is about.
    fn at(&self) -> Option<String> {
        let source = self.thresholds.as_ref()?;
        Some(format!(
            "Coverage is that of the questions asked here, by the thresholds of LAC in {source}."
        ))
    }

    fn reason(&self) -> String {
        let (open, all) = self.open();
        let rest = match self.goal {
            Goal::Width => format!("{open} of {all} intervals are wider than asked for"),
            Goal::Settled | Goal::Gate => format!("{open} of {all} comparisons are open"),
        };
        match (self.stopped, self.goal) {
            (Stopped::Settled, Goal::Settled) => "every comparison is settled".to_owned(),
            (Stopped::Settled, Goal::Gate) => "the gate is decided".to_owned(),
            (Stopped::Settled, Goal::Width) => "every interval is narrow enough".to_owned(),
            (Stopped::AllAsked, _) => format!("all questions are asked, and {rest}"),
            (Stopped::MaxQuestions, _) => format!("--max-questions is reached, and {rest}"),
            (Stopped::Interrupted, _) => format!("interrupted, and {rest}"),
        }
    }
}

/// The unit of a difference of figures.
fn difference(metric: Metric) -> Unit {
    if metric.is_share() {
        Unit::PercentDifference
    } else {
        Unit::Difference(2)
    }
}

fn pairs(found: &Settled, metric: Metric) -> Option<Table> {
    let pairs = found.pairs.iter().filter(|pair| pair.metric == metric);
    let pairs: Vec<&SettledPair> = pairs.collect();
    let first = pairs.first()?;
    let mut columns = vec![Column::text("a", "A"), Column::text("b", "B")];
    if first.task.is_some() {
        columns.push(Column::text("task", "Task"));
    }
    let (verdict, title) = match found.goal {
        Goal::Gate => (
            "B",
            format!("Is {} no worse in {}?", first.b, metric.title()),
        ),
        _ => (
            "Better",
            format!("Which has the better {}?", metric.title()),
        ),
    };
    let unit = difference(metric);
    columns.extend([
        Column::text("verdict", verdict),
        Column::new("low", "A − B from", unit),
        Column::new("high", "to", unit),
        Column::new("asked", "Questions", Unit::Count),
    ]);
    Some(Table {
        id: format!("settled-{metric}"),
        title,
        columns,
        rows: pairs
            .into_iter()
            .map(|pair| pair_row(pair, found.goal))
            .collect(),
        ..Table::default()
    })
}

fn pair_row(pair: &SettledPair, goal: Goal) -> Vec<Cell> {
    let mut row = vec![Cell::text(&pair.a), Cell::text(&pair.b)];
    row.extend(pair.task.as_ref().map(Cell::text));
    let verdict = match pair.verdict {
        Verdict::A if goal == Goal::Gate => "worse",
        Verdict::A => &pair.a,
        Verdict::B => &pair.b,
        Verdict::Equal => "equal within the margin",
        Verdict::NoWorse => "no worse than the margin",
        Verdict::Open => "open",
    };
    row.push(Cell::text(verdict));
    let end = |which: usize| Cell::maybe(pair.interval.map(|ends| ends[which]));
    row.extend([end(0), end(1), Cell::count(pair.asked)]);
    row
}

fn figures(found: &Settled, metric: Metric) -> Option<Table> {
    let figures = found.figures.iter().filter(|it| it.metric == metric);
    let figures: Vec<&SettledFigure> = figures.collect();
    let first = figures.first()?;
    let (unit, width) = if metric.is_share() {
        (
            Unit::Percent,
            format!("{} pp", rounded(first.width * 100.0)),
        )
    } else {
        (Unit::Number(2), format!("{} options", rounded(first.width)))
    };
    let mut columns = vec![Column::text("model", "Model")];
    if first.task.is_some() {
        columns.push(Column::text("task", "Task"));
    }
    columns.extend([
        Column::new("figure", "So far", unit),
        Column::new("low", "All questions from", unit),
        Column::new("high", "to", unit),
        Column::text("reached", "Narrow enough"),
        Column::new("asked", "Questions", Unit::Count),
    ]);
    Some(Table {
        id: format!("settled-{metric}"),
        title: format!("Intervals of {} at most {width} wide", metric.title()),
        columns,
        rows: figures.into_iter().map(figure_row).collect(),
        ..Table::default()
    })
}

fn figure_row(figure: &SettledFigure) -> Vec<Cell> {
    let mut row = vec![Cell::text(&figure.model)];
    row.extend(figure.task.as_ref().map(Cell::text));
    let end = |which: usize| Cell::maybe(figure.interval.map(|ends| ends[which]));
    row.extend([
        Cell::maybe(figure.value),
        end(0),
        end(1),
        Cell::text(if figure.reached { "yes" } else { "no" }),
        Cell::count(figure.asked),
    ]);
    row
}

/// A width as it was given, without the noise of binary fractions.
fn rounded(width: f64) -> f64 {
    (width * 1e6).round() / 1e6
}
