//! A small document as the comparison of a few models gives it, with whatever may go wrong in a
//! format: its special characters, empty cells, intervals on some figures only.

use sureness_analysis::{
    Axis, Bin, Cell, Chart, ChartKind, Column, Document, Dot, Line, Mark, Point, Reference, Scale,
    Section, Segment, Stack, Table, Unit,
};

pub(crate) fn document() -> Document {
    Document {
        method: "Protocol paper, α 0.1".into(),
        version: 1,
        program: "sureness 0.1.0".into(),
        title: "Comparison of 3 models & a baseline".into(),
        summary: vec![
            "Qwen-72B is right most often: 71.2 % of 5,000 test questions, 8.4 points more than \
             Yi-34B [6.9, 9.9]."
                .into(),
            "1. No model of *these* is as sure as it is right; see `lac_set_size` | $\\alpha$ = 0.1 \
             <here>."
                .into(),
        ],
        sections: vec![leaderboard(), differences()],
        settings: serde_json::json!({
            "command": "sureness compare runs/*",
            "protocol": "standard",
            "seed": 42,
            "note": "``` ends no fence",
        }),
    }
}

fn leaderboard() -> Section {
    Section {
        id: "leaderboard".into(),
        title: "Which model is best?".into(),
        text: vec![
            "Intervals hold 95 % of 1,000 resampled test halves. A model's set size says how many \
             options it needs on average to have the right one among them nine times out of ten, \
             so that a smaller one is better."
                .into(),
        ],
        tables: vec![leaderboard_table(), strategies_table()],
        charts: vec![dots(), lines()],
        notes: vec![
            "Yi-34B gave 12 answers with tied options; the order of these is random.".into(),
        ],
    }
}

fn leaderboard_table() -> Table {
    let estimate = |value, low, high| Cell::estimate(value, (low, high));
    Table {
        model: None,
        id: "leaderboard".into(),
        title: "Leaderboard".into(),
        caption: "All figures are of the test half (alpha = 0.1).".into(),
        columns: vec![
            Column::text("model", "Model"),
            Column::new("n", "n", Unit::Count),
            Column::new("acc", "Acc", Unit::Percent).higher(),
            Column::new("set_size", "Set size", Unit::Number(2)).lower(),
            Column::new("coverage", "Coverage", Unit::Percent),
            Column::new("p_coverage", "p", Unit::PValue).help("Coverage as promised?"),
        ],
        rows: vec![
            vec![
                Cell::text("Qwen-72B"),
                Cell::count(5000),
                estimate(0.7123, 0.6995, 0.7248),
                estimate(2.31, 2.27, 2.35),
                estimate(0.9042, 0.8961, 0.9120),
                Cell::figure(0.3318),
            ],
            vec![
                Cell::text("Yi-34B_chat (v1.5) 100%"),
                Cell::count(5000),
                estimate(0.6284, 0.6149, 0.6417),
                estimate(2.804, 2.76, 2.85),
                estimate(0.8702, 0.8609, 0.8795),
                Cell::figure(0.000_012),
            ],
            vec![
                Cell::text("a|b <c> {d} #1 ~ ^ \\e & \"f\""),
                Cell::count(12_480),
                Cell::figure(0.0961),
                estimate(2.306, 2.1, 2.5),
                Cell::Empty,
                Cell::Empty,
            ],
            vec![
                Cell::text("Mean"),
                Cell::Empty,
                Cell::figure(0.4789),
                Cell::figure(2.473_333),
                Cell::Figure {
                    value: 0.8872,
                    low: None,
                    high: None,
                    n: Some(10_000),
                    no_interval: None,
                },
                Cell::Text("see notes".into()),
            ],
        ],
        rules_after: vec![2],
    }
}

/// Too wide for most pages.
fn strategies_table() -> Table {
    let tasks = ["qa", "rc", "ci", "drs", "ds"];
    let mut columns = vec![
        Column::text("model", "Model"),
        Column::text("strategy", "Strategy"),
    ];
    columns.extend(tasks.map(|task| {
        Column::new(
            task,
            &format!("{} set size", task.to_uppercase()),
            Unit::Number(2),
        )
        .lower()
    }));
    let row = |(at, (model, strategy)): (usize, (&str, &str))| {
        let mut row = vec![Cell::text(model), Cell::text(strategy)];
        row.extend((0..tasks.len()).map(|task| {
            let value = 2.0 + 0.11 * at as f64 + 0.07 * task as f64;
            Cell::estimate(value, (value - 0.05, value + 0.06))
        }));
        row
    };
    let rows = [
        ("Qwen-72B", "base"),
        ("Qwen-72B", "shared"),
        ("Yi-34B_chat (v1.5) 100%", "base"),
        ("Yi-34B_chat (v1.5) 100%", "shared"),
    ];
    Table {
        model: None,
        id: "strategies".into(),
        title: "By task and strategy".into(),
        caption: String::new(),
        columns,
        rows: rows.into_iter().enumerate().map(row).collect(),
        rules_after: vec![1],
    }
}

fn differences() -> Section {
    let difference = |value, low, high| Cell::estimate(value, (low, high));
    Section {
        id: "differences".into(),
        title: "Which differences are real?".into(),
        text: vec!["Paired by question; p-values are Holm's.".into()],
        tables: vec![Table {
            model: None,
            id: "differences".into(),
            title: "Differences to Qwen-72B".into(),
            caption: "Negative: worse than Qwen-72B.".into(),
            columns: vec![
                Column::text("model", "Model"),
                Column::new("acc", "Δ Acc", Unit::PercentDifference),
                Column::new("set_size", "Δ Set size", Unit::Difference(2)),
                Column::new("p", "p (Holm)", Unit::PValue),
                Column::text("verdict", "What it means"),
            ],
            rows: vec![
                vec![
                    Cell::text("Yi-34B_chat (v1.5) 100%"),
                    difference(-0.0839, -0.0993, -0.0687),
                    difference(0.494, 0.43, 0.56),
                    Cell::figure(1e-9),
                    Cell::text(
                        "Worse in both: the difference is far beyond what the choice of \
                         questions could explain, and at 5,000 questions of each task one of \
                         1.8 points would have been found.",
                    ),
                ],
                vec![
                    Cell::text("Llama-3–8B Größe α ≥ 1"),
                    difference(0.0004, -0.0121, 0.0130),
                    difference(-0.004, -0.03, 0.02),
                    Cell::figure(0.9999),
                    Cell::text("No difference, found"),
                ],
            ],
            rules_after: vec![],
        }],
        charts: vec![scatter(), heatmap(), stacks(), reliability()],
        notes: vec![],
    }
}

fn chart(id: &str, kind: ChartKind) -> Chart {
    Chart {
        id: id.into(),
        title: format!("The chart_{id} [1]"),
        caption: "What it shows, in a sentence.".into(),
        kind,
    }
}

fn axis(title: &str, unit: Unit) -> Axis {
    Axis {
        title: title.into(),
        unit,
        log: false,
        range: Some((0.0, 1.0)),
    }
}

fn dots() -> Chart {
    let rows = vec![Dot {
        label: "Qwen-72B".into(),
        series: String::new(),
        value: 0.71,
        interval: Some((0.69, 0.73)),
    }];
    let axis = axis("Accuracy", Unit::Percent);
    let reference = Some(Reference::At(0.9));
    chart(
        "dots",
        ChartKind::Dots {
            axis,
            rows,
            reference,
        },
    )
}

fn line() -> Line {
    let point = |x: f64| Point {
        x,
        y: 1.0 - x,
        interval: None,
    };
    Line {
        name: "Qwen-72B".into(),
        points: [0.05, 0.1, 0.2].map(point).into(),
    }
}

fn lines() -> Chart {
    let kind = ChartKind::Lines {
        x: axis("Error rate", Unit::Percent),
        y: axis("Coverage", Unit::Percent),
        lines: vec![line()],
        reference: Some(Reference::Falling(1.0)),
    };
    chart("lines", kind)
}

fn scatter() -> Chart {
    let kind = ChartKind::Scatter {
        x: axis("Accuracy", Unit::Percent),
        y: axis("Set size", Unit::Number(2)),
        points: vec![Mark {
            label: "Qwen-72B".into(),
            series: "base".into(),
            x: 0.71,
            y: 2.31,
            x_interval: None,
            y_interval: Some((2.27, 2.35)),
        }],
        trend: Some(line()),
        reference: Some(Reference::Diagonal),
    };
    chart("scatter", kind)
}

fn heatmap() -> Chart {
    let kind = ChartKind::Heatmap {
        rows: vec!["a".into(), "b".into()],
        columns: vec!["qa".into()],
        values: vec![vec![Some(0.25)], vec![None]],
        unit: Unit::PercentDifference,
        scale: Scale::Diverging(0.5),
    };
    chart("heatmap", kind)
}

fn stacks() -> Chart {
    let segment = |name: &str| Segment { name: name.into() };
    let kind = ChartKind::Stacks {
        axis: axis("Share of sets", Unit::Percent),
        segments: ["1 option", "2 options"].map(segment).into(),
        bars: vec![Stack {
            label: "Qwen-72B".into(),
            shares: vec![0.75, 0.25],
        }],
    };
    chart("stacks", kind)
}

fn reliability() -> Chart {
    let bins = vec![Bin {
        range: (0.9, 1.0),
        confidence: 0.95,
        accuracy: 0.81,
        count: 1200,
    }];
    chart("reliability", ChartKind::Reliability { bins })
}
