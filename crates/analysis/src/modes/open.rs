//! Open questions: accuracy, semantic entropy, sets of answers, and how well signs of a right answer
//! tell it from a wrong one.

mod pairs;

use std::collections::HashSet;

use sureness_open::SignPoint;

use super::comparative::axis;
use crate::figures::Figures;
use crate::number::{count, counted};
use crate::open::{OpenGroupFigures, OpenModelFigures};
use crate::results::open::{figure_cells, figure_table, sign_cells, sign_table};
use crate::text::{list, measured, percent};
use crate::{Axis, Better, Cell, Chart, ChartKind, Column, Dot, Line, Point, Section, Table, Unit};

/// The sign whose figures stand for a model where one is shown: semantic entropy.
const SIGN: &str = "semantic_entropy";

/// Models that have a sentence each in the summary; of more, the table tells.
const MOST_TOLD: usize = 4;

/// A row of the tables: a model's figures of one task.
type Row<'f, 'a> = (&'f OpenModelFigures<'a>, &'f OpenGroupFigures<'a>);

/// The tables and charts of all open tasks, models side by side.
pub(super) fn section(figures: &Figures<'_>) -> Section {
    let rows = rows(figures);
    let mut section = Section {
        id: "open".into(),
        title: "Open questions".into(),
        ..Section::default()
    };
    if rows.is_empty() {
        section.text.push(
            "No open question was answered: a run of open questions needs --answers sampled."
                .into(),
        );
        section.notes = skipped(figures);
        return section;
    }
    section.text = text(figures);
    section.tables = vec![of_models(figures, &rows), of_signs(&rows)];
    section.tables.extend(pairs::table(figures));
    section.charts = charts(figures);
    section.notes = notes(figures);
    section
}

/// By task, then by model, so that models stand beside each other.
fn rows<'f, 'a>(figures: &'f Figures<'a>) -> Vec<Row<'f, 'a>> {
    let of_task = |(task, _): (&'a str, &'a str)| {
        let models = figures.open.iter();
        models.filter_map(move |model| Some((model, model.of_task(task)?)))
    };
    figures.open_tasks().into_iter().flat_map(of_task).collect()
}

/// What is shown, and what coverage means.
fn text(figures: &Figures<'_>) -> Vec<String> {
    let alpha = figures.settings.config.alpha;
    vec![
        "Several answers are drawn to each question and grouped into meanings. The most frequent \
         meaning is the model's answer; semantic entropy is that of the meanings' shares. All \
         figures are of the test half."
            .into(),
        format!(
            "Coverage is the share of sets that hold an accepted answer; its target is {} %. No set of \
             drawn answers can hold a truth that was never drawn: such questions count as not covered. \
             If the truth of more than about {} % of the calibration questions was never drawn, only \
             the set of every possible answer keeps the promise, so that set size and coverage are \
             missing; Least α is the smallest error rate that the answers can promise.",
            percent(1.0 - alpha),
            percent(alpha),
        ),
        "A sign tells right from wrong answers if the model is surer of the right ones. AUROC is how \
         often that is so, AURC the area under the risk-coverage curve, PRR the part of a perfect \
         ranking's gain over a random one."
            .into(),
    ]
}

fn names((model, group): &Row<'_, '_>) -> Vec<Cell> {
    vec![
        Cell::text(&model.model.name),
        Cell::text(&group.rows.title),
        Cell::count(group.rows.draws() as usize),
    ]
}

fn name_columns() -> Vec<Column> {
    vec![
        Column::text("model", "Model"),
        Column::text("task", "Task"),
        Column::new("draws", "Answers", Unit::Count).help("Answers drawn to each question."),
    ]
}

fn of_models(figures: &Figures<'_>, rows: &[Row<'_, '_>]) -> Table {
    let cells = |row: &Row<'_, '_>| {
        let mut cells = names(row);
        cells.extend(figure_cells(&row.1.figures));
        cells
    };
    let mut table = Table {
        rows: rows.iter().map(cells).collect(),
        ..figure_table(name_columns())
    };
    // Of different tasks, or of models that were asked in different ways, none is the best.
    if let [(task, _)] = figures.open_tasks().as_slice()
        && rows.len() > 1
        && (figures.settings.insist || obstacles(figures, task).is_empty())
    {
        mark_best(&mut table);
    }
    table
}

fn mark_best(table: &mut Table) {
    for column in &mut table.columns {
        column.better = match &*column.key {
            "acc" | "one_answer_acc" | "generated" => Some(Better::Higher),
            "set_size" => Some(Better::Lower),
            _ => None,
        };
    }
}

fn of_signs(rows: &[Row<'_, '_>]) -> Table {
    let of_row = |row: &Row<'_, '_>| -> Vec<Vec<Cell>> {
        let signs = row.1.figures.signs.iter();
        signs
            .map(|sign| names(row).into_iter().chain(sign_cells(sign)).collect())
            .collect()
    };
    Table {
        rows: rows.iter().flat_map(of_row).collect(),
        ..sign_table(name_columns())
    }
}

/// Accuracy of several models, and a risk-coverage chart per task.
fn charts(figures: &Figures<'_>) -> Vec<Chart> {
    let mut charts = Vec::new();
    for (task, title) in figures.open_tasks() {
        let of_task: Vec<Row<'_, '_>> = rows(figures)
            .into_iter()
            .filter(|(_, group)| group.rows.id.task == task)
            .collect();
        charts.extend(accuracy(task, title, &of_task));
        charts.extend(risk(task, title, &of_task));
    }
    charts
}

fn accuracy(task: &str, title: &str, rows: &[Row<'_, '_>]) -> Option<Chart> {
    let dot = |(model, group): &Row<'_, '_>| {
        let ends = group.figures.intervals.as_ref().and_then(|it| it.acc);
        Dot {
            label: model.model.name.clone(),
            series: String::new(),
            value: group.figures.acc,
            interval: ends.map(|[low, high]| (low, high)),
        }
    };
    (rows.len() > 1).then(|| Chart {
        id: format!("open-accuracy-{task}"),
        title: format!("{title}: accuracy"),
        caption: "Share of questions whose most frequent answer is accepted, by exact match after \
                  normalisation unless a judge compared the answers."
            .into(),
        kind: ChartKind::Dots {
            axis: axis("Accuracy", Unit::Percent),
            rows: rows.iter().map(dot).collect(),
            reference: None,
        },
    })
}

/// A line per model by semantic entropy; of one model, a line per sign.
fn risk(task: &str, title: &str, rows: &[Row<'_, '_>]) -> Option<Chart> {
    let line = |name: &str, curve: &[SignPoint]| Line {
        name: name.to_owned(),
        points: curve.iter().map(point).collect(),
    };
    let lines: Vec<Line> = match rows {
        [(_, group)] => {
            let signs = group.figures.signs.iter();
            signs
                .map(|sign| line(&sign.name.replace('_', " "), &sign.curve))
                .collect()
        }
        rows => rows
            .iter()
            .filter_map(|(model, group)| {
                let mut signs = group.figures.signs.iter();
                let sign = signs.find(|sign| sign.name == SIGN)?;
                Some(line(&model.model.name, &sign.curve))
            })
            .collect(),
    };
    let by = if rows.len() == 1 {
        "by each sign"
    } else {
        "by semantic entropy"
    };
    (!lines.is_empty()).then(|| Chart {
        id: format!("open-risk-{task}"),
        title: format!("{title}: risk over the share answered"),
        caption: format!(
            "How often the most frequent answer is wrong when only the surest questions are answered, \
             {by}. The lower on the left, the better the sign tells right from wrong."
        ),
        kind: ChartKind::Lines {
            x: Axis {
                range: Some((0.0, 1.0)),
                ..axis("Share of questions answered", Unit::Percent)
            },
            y: axis("Share of them wrong", Unit::Percent),
            lines,
            reference: None,
        },
    })
}

fn point(point: &SignPoint) -> Point {
    Point {
        x: point.answered,
        y: point.risk,
        interval: None,
    }
}

/// Why the models of a task should not be ranked, for people. Empty where nothing speaks against it.
pub(super) fn obstacles(figures: &Figures<'_>, task: &str) -> Vec<String> {
    let rows = rows(figures);
    let of_task = || rows.iter().filter(|(_, group)| group.rows.id.task == task);
    let mut obstacles = Vec::new();
    let mut differ = |what: &str, values: Vec<String>| {
        let different: HashSet<&String> = values.iter().collect();
        if different.len() > 1 {
            let named = of_task().zip(&values);
            let each = named.map(|((model, _), value)| format!("{} {value}", model.model.name));
            obstacles.push(format!("{what} ({})", each.collect::<Vec<_>>().join("; ")));
        }
    };
    let drawn = of_task().map(|(_, group)| group.rows.draws().to_string());
    differ(
        "they differ in the number of answers per question",
        drawn.collect(),
    );
    differ(
        "they differ in the sampling",
        of_task().map(sampling).collect(),
    );
    differ(
        "their answers are grouped in different ways",
        of_task().map(grouping).collect(),
    );
    let keys = of_task().map(|(_, group)| {
        let mut keys: Vec<[u8; 32]> = group.rows.items.iter().map(|it| it.key).collect();
        keys.sort_unstable();
        keys
    });
    if keys.collect::<HashSet<_>>().len() > 1 {
        obstacles.push("they did not answer the same questions".to_owned());
    }
    obstacles
}

/// How answers are grouped into meanings.
fn grouping((model, _): &Row<'_, '_>) -> String {
    let settings = model.model.source.record.settings();
    let judge = settings.and_then(|settings| settings.judge.as_ref());
    judge.map_or_else(
        || "by exact match".to_owned(),
        |judge| {
            format!(
                "by the judge {}, {} pairs at most",
                judge.model.name, judge.pairs
            )
        },
    )
}

fn sampling((model, _): &Row<'_, '_>) -> String {
    let settings = model.model.source.record.settings();
    let sampled = settings.and_then(|settings| settings.answers.sampled());
    sampled.map_or_else(
        || "unknown".to_owned(),
        |it| {
            format!(
                "at temperature {}, up to {} tokens",
                it.temperature, it.max_tokens
            )
        },
    )
}

fn notes(figures: &Figures<'_>) -> Vec<String> {
    let mut notes = skipped(figures);
    for (task, title) in figures.open_tasks() {
        let why = obstacles(figures, task);
        if !why.is_empty() && !figures.settings.insist {
            notes.push(format!(
                "{title}: the models are not ranked: {}.",
                why.join("; ")
            ));
        }
    }
    for (model, group) in rows(figures) {
        let sets = &group.figures.sets;
        if sets.threshold.is_none() {
            notes.push(format!(
                "{}, {}: the truth of too many calibration questions was never drawn: sets of these \
                 answers cannot promise an error rate below {} %.",
                model.model.name,
                group.rows.title,
                measured(sets.least_error_rate),
            ));
        }
        let missing = group.rows.planned - group.rows.items.len();
        if missing > 0 {
            notes.push(format!(
                "{}, {}: {} of {} have no answer and are left out.",
                model.model.name,
                group.rows.title,
                count(missing),
                counted(group.rows.planned, "question")
            ));
        }
    }
    let judged = rows(figures);
    let judged: Vec<String> = judged
        .iter()
        .filter(|(model, _)| {
            let settings = model.model.source.record.settings();
            settings.is_some_and(|settings| settings.judge.is_some())
        })
        .map(|row| {
            let (model, group) = row;
            let (name, title) = (&model.model.name, &group.rows.title);
            format!("{name}, {title}: answers are grouped {}.", grouping(row))
        })
        .collect();
    notes.extend(judged);
    notes.push(
        "Intervals are of whole clusters. Those of sets come from 1,000 draws of both halves, each with a \
         threshold of its own; those of AUROC, AURC and PRR take 50 clusters in the test half, 10 with \
         right and 10 with wrong answers."
            .into(),
    );
    notes
}

fn skipped(figures: &Figures<'_>) -> Vec<String> {
    let of_model = |model: &OpenModelFigures<'_>| -> Vec<String> {
        let skipped = model.skipped.iter();
        skipped
            .map(|(id, error)| format!("{}, {}: {error}.", model.model.name, id.task))
            .collect()
    };
    figures.open.iter().flat_map(of_model).collect()
}

/// A sentence or two per task for the first lines of a document.
pub(super) fn summary(figures: &Figures<'_>) -> Vec<String> {
    let rows = rows(figures);
    let mut sentences = Vec::new();
    for (task, title) in figures.open_tasks() {
        let of_task: Vec<_> = rows
            .iter()
            .filter(|(_, group)| group.rows.id.task == task)
            .collect();
        match of_task.as_slice() {
            [] => {}
            [(model, group)] => sentences.push(one(&model.model.name, title, group)),
            several => {
                let names: Vec<&str> = several
                    .iter()
                    .map(|(model, _)| &*model.model.name)
                    .collect();
                sentences.push(format!(
                    "{title} has open questions, answered by {}.",
                    list(&names)
                ));
                if several.len() <= MOST_TOLD {
                    let each = several.iter();
                    sentences
                        .extend(each.map(|(model, group)| one(&model.model.name, title, group)));
                }
            }
        }
    }
    sentences
}

fn one(name: &str, title: &str, group: &OpenGroupFigures<'_>) -> String {
    let figures = &group.figures;
    let sign = figures.signs.iter().find(|sign| sign.name == SIGN);
    let told = sign.and_then(|sign| sign.auroc).map_or_else(
        || "all answers are alike right or wrong".to_owned(),
        |auroc| format!("semantic entropy tells right from wrong with an AUROC of {auroc:.3}"),
    );
    let sets = figures
        .sets
        .coverage
        .zip(figures.sets.set_size)
        .map_or_else(
            || {
                format!(
                    "sets cannot promise less than {} % errors",
                    measured(figures.sets.least_error_rate)
                )
            },
            |(coverage, size)| {
                format!(
                    "sets hold {size:.2} answers and cover {} % of the questions",
                    measured(coverage)
                )
            },
        );
    format!(
        "{name} answers {} % of {} of {title} right; {told}; {sets}.",
        measured(figures.acc),
        counted(figures.n_test, "test question"),
    )
}
