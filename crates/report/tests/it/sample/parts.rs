//! The sections of the made-up comparison.

use sureness_analysis::{
    Axis, Bin, Cell, Chart, ChartKind, Column, Dot, Line, Mark, Point, Reference, Scale, Section,
    Segment, Stack, Table, Unit,
};

use super::figures::{Figures, N_TEST, around, noise};
use super::{STRATEGIES, TASKS};

pub(super) fn sections(models: &[Figures]) -> Vec<Section> {
    vec![
        leaderboard(models),
        coverage(models),
        tasks(models),
        subjects(models),
        confidence(models),
    ]
}

fn axis(title: &str, unit: Unit) -> Axis {
    Axis {
        title: title.to_owned(),
        unit,
        log: false,
        range: None,
    }
}

fn columns() -> Vec<Column> {
    vec![
        Column::new("set_size", "Set size", Unit::Number(2))
            .lower()
            .help("Mean number of options that stay in the prediction set."),
        Column::new("acc", "Accuracy", Unit::Percent)
            .higher()
            .help("How often the most probable option is the right one."),
        Column::new("coverage", "Coverage", Unit::Percent)
            .help("How often the right option is in the set; 90 % were asked for."),
        Column::new("uacc", "UAcc", Unit::Percent)
            .higher()
            .help("Accuracy, corrected by the size of the sets."),
    ]
}

fn cells(acc: f64, coverage: f64, set_size: f64, n: usize) -> Vec<Cell> {
    vec![
        Cell::estimate(set_size, (set_size - 0.03, set_size + 0.03)),
        Cell::estimate(acc, around(acc, n)),
        Cell::estimate(coverage, around(coverage, n)),
        Cell::figure(acc / set_size * 6_f64.sqrt()),
    ]
}

fn leaderboard(models: &[Figures]) -> Section {
    let n = N_TEST * TASKS.len();
    let mut columns = columns();
    columns.insert(0, Column::text("model", "Model"));
    columns.push(Column::new(
        "versus",
        "Against the next",
        Unit::PercentDifference,
    ));
    columns.push(Column::new("p", "p", Unit::PValue).help("McNemar’s test, Holm-adjusted."));
    columns.push(Column::new("n", "n", Unit::Count).help("Test questions."));
    let row = |(at, m): (usize, &Figures)| {
        let next = models.get(at + 1).map(|next| m.acc - next.acc);
        let mut row = vec![Cell::text(&m.name)];
        row.extend(cells(m.acc, m.coverage, m.set_size, n));
        row.push(next.map_or(Cell::Empty, |d| Cell::estimate(d, (d - 0.006, d + 0.006))));
        row.push(Cell::maybe(
            next.map(|d| (0.2 - 10.0 * d.abs()).max(0.000_02)),
        ));
        row.push(Cell::count(n));
        row
    };
    let dot = |m: &Figures| Dot {
        label: m.name.clone(),
        series: String::new(),
        value: m.set_size,
        interval: Some((m.set_size - 0.03, m.set_size + 0.03)),
    };
    Section {
        id: "leaderboard".to_owned(),
        title: "Leaderboard".to_owned(),
        text: vec![
            "Models by the mean size of their prediction sets over all tasks. A smaller set at \
             the same coverage means a surer model."
                .to_owned(),
        ],
        tables: vec![Table {
            model: None,
            id: "leaderboard".to_owned(),
            title: "All models".to_owned(),
            caption: "Means over five tasks and three strategies, with 95 % intervals.".to_owned(),
            columns,
            rows: models.iter().enumerate().map(row).collect(),
            rules_after: vec![],
        }],
        charts: vec![Chart {
            id: "set-size".to_owned(),
            title: "Mean set size".to_owned(),
            caption: format!(
                "{} needs the fewest options; the intervals of its neighbours overlap.",
                models[0].name
            ),
            kind: ChartKind::Dots {
                axis: axis("Mean set size", Unit::Number(2)),
                rows: models.iter().map(dot).collect(),
                reference: None,
            },
        }],
        notes: vec!["Intervals are from 1,000 bootstrap replicates of the test rows.".to_owned()],
    }
}

fn coverage(models: &[Figures]) -> Section {
    let of_task = |m: &Figures, task: usize| {
        m.groups[task].iter().map(|g| g.coverage).sum::<f64>() / STRATEGIES.len() as f64
    };
    let heatmap = ChartKind::Heatmap {
        rows: models.iter().map(|m| m.name.clone()).collect(),
        columns: TASKS.iter().map(|(_, title)| (*title).to_owned()).collect(),
        values: models
            .iter()
            .map(|m| (0..TASKS.len()).map(|t| Some(of_task(m, t))).collect())
            .collect(),
        unit: Unit::Percent,
        scale: Scale::Sequential(0.88, 0.93),
    };
    let lines = models.iter().take(4).map(|m| Line {
        name: m.name.clone(),
        points: (1..=20)
            .map(|step| {
                let x = f64::from(step) * 0.02;
                let y = 1.0 - x + 0.01 * (noise(step as usize, m.name.len(), 3) - 0.3);
                Point {
                    x,
                    y,
                    interval: Some(around(y.min(0.999), N_TEST)),
                }
            })
            .collect(),
    });
    Section {
        id: "coverage".to_owned(),
        title: "Is the promise kept?".to_owned(),
        text: vec!["The right option should be in the set nine times of ten.".to_owned()],
        charts: vec![
            Chart {
                id: "coverage-map".to_owned(),
                title: "Coverage by model and task".to_owned(),
                caption: "All lie between 89 and 92 %.".to_owned(),
                kind: heatmap,
            },
            Chart {
                id: "coverage-curve".to_owned(),
                title: "Coverage over the error rate".to_owned(),
                caption: "Coverage follows the promised line over the whole range.".to_owned(),
                kind: ChartKind::Lines {
                    x: axis("Error rate", Unit::Percent),
                    y: axis("Coverage", Unit::Percent),
                    lines: lines.collect(),
                    reference: Some(Reference::Falling(1.0)),
                },
            },
        ],
        ..Section::default()
    }
}

fn tasks(models: &[Figures]) -> Section {
    let mut head = columns();
    head.insert(0, Column::text("model", "Model"));
    head.insert(1, Column::text("task", "Task"));
    head.insert(2, Column::text("strategy", "Strategy"));
    head.push(Column::new("e", "E", Unit::Percent).help("Answers “I don’t know”."));
    head.push(Column::new("f", "F", Unit::Percent).help("Answers “None of the above”."));
    head.push(Column::new("n", "n", Unit::Count));
    let mut rows = Vec::new();
    for (at, model) in models.iter().enumerate() {
        for (t, (_, title)) in TASKS.iter().enumerate() {
            for (s, strategy) in STRATEGIES.iter().enumerate() {
                let group = model.groups[t][s];
                let mut row = vec![
                    Cell::text(&model.name),
                    Cell::text(*title),
                    Cell::text(*strategy),
                ];
                row.extend(cells(group.acc, group.coverage, group.set_size, N_TEST));
                row.push(Cell::figure(0.02 * noise(at, t, s)));
                row.push(Cell::figure(0.01 * noise(at, t, s + 9)));
                row.push(Cell::count(N_TEST));
                rows.push(row);
            }
        }
    }
    let stack = |m: &Figures| {
        let mut left = 1.0;
        let mut shares: Vec<f64> = (0..5)
            .map(|_| {
                let share = left * (m.acc * 0.75);
                left -= share;
                share
            })
            .collect();
        shares.push(left);
        Stack {
            label: m.name.clone(),
            shares,
        }
    };
    Section {
        id: "tasks".to_owned(),
        title: "By task".to_owned(),
        text: vec!["What each model reaches in each task and strategy.".to_owned()],
        tables: vec![Table {
            model: None,
            id: "groups".to_owned(),
            title: "Every task and strategy".to_owned(),
            caption: "With 95 % intervals.".to_owned(),
            columns: head,
            rows,
            rules_after: vec![],
        }],
        charts: vec![Chart {
            id: "sizes".to_owned(),
            title: "How large the sets are".to_owned(),
            caption: "Surer models answer most questions with a single option.".to_owned(),
            kind: ChartKind::Stacks {
                axis: axis("Share of test questions", Unit::Percent),
                segments: (1..=6)
                    .map(|k| Segment {
                        name: if k == 1 {
                            "1 option".to_owned()
                        } else {
                            format!("{k} options")
                        },
                    })
                    .collect(),
                bars: models.iter().map(stack).collect(),
            },
        }],
        notes: vec![],
    }
}

fn subjects(models: &[Figures]) -> Section {
    let shown = &models[..models.len().min(6)];
    let mut columns = vec![
        Column::text("subject", "Subject"),
        Column::new("n", "n", Unit::Count),
    ];
    for (at, model) in shown.iter().enumerate() {
        columns.push(Column::new(&format!("m{at}"), &model.name, Unit::Percent).higher());
    }
    let mut rows: Vec<Vec<Cell>> = super::questions::SUBJECTS
        .iter()
        .enumerate()
        .map(|(at, subject)| {
            let n = 40 + (noise(at, 2, 2) * 300.0) as usize;
            let mut row = vec![Cell::text(*subject), Cell::count(n)];
            row.extend(shown.iter().enumerate().map(|(m, model)| {
                let acc = (model.acc + 0.3 * (noise(at, m, 5) - 0.5)).clamp(0.05, 0.98);
                Cell::estimate(acc, around(acc, n))
            }));
            row
        })
        .collect();
    let last = rows.len() - 1;
    let mut mean = vec![Cell::text("All subjects"), Cell::count(N_TEST)];
    mean.extend(
        shown
            .iter()
            .map(|m| Cell::estimate(m.acc, around(m.acc, N_TEST))),
    );
    rows.push(mean);
    Section {
        id: "subjects".to_owned(),
        title: "By subject".to_owned(),
        text: vec!["Accuracy by subject; only the six surest models are shown.".to_owned()],
        tables: vec![Table {
            model: None,
            id: "subjects".to_owned(),
            title: "Accuracy by subject".to_owned(),
            caption: "Question answering, with 95 % intervals.".to_owned(),
            columns,
            rows,
            rules_after: vec![last],
        }],
        ..Section::default()
    }
}

fn confidence(models: &[Figures]) -> Section {
    let bins = (0..10)
        .map(|at| {
            let low = f64::from(at) / 10.0;
            Bin {
                range: (low, low + 0.1),
                confidence: low + 0.055,
                accuracy: (low + 0.05) * 0.9,
                count: if at == 0 { 0 } else { 300 + 40 * at as usize },
            }
        })
        .collect();
    let points = models.iter().enumerate().map(|(at, m)| Mark {
        label: m.name.clone(),
        series: if m.name.ends_with("chat") {
            "chat"
        } else {
            "base"
        }
        .to_owned(),
        x: m.acc,
        y: m.set_size + 0.2 * noise(at, 3, 3),
        x_interval: Some(around(m.acc, N_TEST)),
        y_interval: None,
    });
    Section {
        id: "confidence".to_owned(),
        title: "Confidence".to_owned(),
        text: vec!["Whether a probability of 0.8 means right in eight of ten cases.".to_owned()],
        charts: vec![
            Chart {
                id: "reliability".to_owned(),
                title: format!("Reliability of {}", models[0].name),
                caption: "It is a little too confident throughout.".to_owned(),
                kind: ChartKind::Reliability { bins },
            },
            Chart {
                id: "accuracy-and-size".to_owned(),
                title: "Accuracy and set size".to_owned(),
                caption: "More accurate models are surer, with exceptions.".to_owned(),
                kind: ChartKind::Scatter {
                    x: axis("Accuracy", Unit::Percent),
                    y: axis("Mean set size", Unit::Number(2)),
                    points: points.collect(),
                    trend: None,
                    reference: None,
                },
            },
        ],
        ..Section::default()
    }
}
