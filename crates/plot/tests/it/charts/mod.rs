//! Charts as they occur, with invented figures: the same for the tests and for the gallery.
#![allow(
    missing_docs,
    dead_code,
    reason = "shared by several programs, none of which uses it all"
)]

use sureness_analysis::{
    Axis, Bin, Chart, ChartKind, Dot, Line, Mark, Point, Reference, Scale, Segment, Stack, Unit,
};

/// Names as people give them: short, long, and in several scripts.
const NAMES: [&str; 20] = [
    "meta-llama/Llama-3.1-8B-Instruct",
    "Qwen2.5-7B",
    "mistralai/Mixtral-8x22B-Instruct-v0.1",
    "gemma-2-9b-it",
    "SmolLM2-135M-Instruct",
    "千问-72B-指令微调-对话",
    "Yi-34B",
    "internlm-20b",
    "Модель-Сайга-8B",
    "a-very-long-organisation/model-7B-with-a-long-suffix-q4_K_M",
    "a-very-long-organisation/model-8B-with-a-long-suffix-q4_K_M",
    "falcon-40b",
    "mpt-7b",
    "deepseek-llm-67b-chat",
    "Μοντέλο-7B",
    "Größenwahn-13B-übertrainiert",
    "phi-3-mini-4k-instruct",
    "llama-2-70b-chat",
    "solar-10.7b",
    "stablelm-2-12b",
];

/// A small generator (`SplitMix64`): the same charts for ever.
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }
}

pub(crate) fn names(count: usize) -> Vec<String> {
    (0..count)
        .map(|i| match i / NAMES.len() {
            0 => NAMES[i].to_owned(),
            round => format!("{} v{}", NAMES[i % NAMES.len()], round + 1),
        })
        .collect()
}

pub(crate) fn axis(title: &str, unit: Unit) -> Axis {
    Axis {
        title: title.to_owned(),
        unit,
        log: false,
        range: None,
    }
}

pub(crate) fn chart(id: &str, title: &str, caption: &str, kind: ChartKind) -> Chart {
    Chart {
        id: id.to_owned(),
        title: title.to_owned(),
        caption: caption.to_owned(),
        kind,
    }
}

/// One chart for each way in which a kind is used, with so many models, or bins.
pub(crate) fn all(models: usize) -> Vec<Chart> {
    vec![
        leaderboard(models),
        by_score(models),
        differences(models),
        error_rates(models),
        sample_sizes(models),
        trade_off(models),
        sizes(models),
        tasks(models),
        pairs(models),
        set_sizes(models),
        reliability(models),
    ]
}

fn leaderboard(models: usize) -> Chart {
    let mut rng = Rng::new(1);
    let mut rows: Vec<Dot> = names(models)
        .into_iter()
        .map(|label| {
            let value = rng.within(0.35, 0.84);
            let half = rng.within(0.006, 0.014);
            Dot {
                label,
                series: String::new(),
                value,
                interval: Some((value - half, value + half)),
            }
        })
        .collect();
    rows.sort_by(|a, b| b.value.total_cmp(&a.value));
    chart(
        "accuracy",
        "Accuracy, all tasks",
        "Mean of five tasks with 10,000 questions each. Lines are 95% confidence intervals from 2,000 bootstrap samples of questions.",
        ChartKind::Dots {
            axis: axis("Accuracy", Unit::Percent),
            rows,
            reference: None,
        },
    )
}

fn by_score(models: usize) -> Chart {
    let mut rng = Rng::new(2);
    let rows = names(models)
        .into_iter()
        .flat_map(|label| {
            ["LAC", "APS"].map(|series| {
                let value = rng.within(0.885, 0.93);
                Dot {
                    label: label.clone(),
                    series: series.to_owned(),
                    value,
                    interval: Some((value - 0.006, value + 0.006)),
                }
            })
        })
        .collect();
    chart(
        "coverage",
        "Coverage of both scores",
        "How often the set holds the right answer. The dashed line is what was asked for.",
        ChartKind::Dots {
            axis: axis("Coverage", Unit::Percent),
            rows,
            reference: Some(Reference::At(0.9)),
        },
    )
}

fn differences(models: usize) -> Chart {
    let mut rng = Rng::new(3);
    let rows = names(models)
        .into_iter()
        .map(|label| {
            let value = rng.within(-0.05, 0.03);
            Dot {
                label,
                series: String::new(),
                value,
                interval: Some((value - rng.within(0.005, 0.02), value + 0.01)),
            }
        })
        .collect();
    chart(
        "difference",
        "Accuracy less that of the first model",
        "Paired differences with 95% confidence intervals.",
        ChartKind::Dots {
            axis: axis("Difference in accuracy", Unit::PercentDifference),
            rows,
            reference: Some(Reference::At(0.0)),
        },
    )
}

fn error_rates(models: usize) -> Chart {
    let mut rng = Rng::new(4);
    let lines = names(models)
        .into_iter()
        .map(|name| {
            let off = rng.within(-0.015, 0.03);
            Line {
                name,
                points: (1..=30)
                    .map(|i| {
                        let x = 0.01 * f64::from(i);
                        let y = 1.0 - x + off * x.sqrt() + rng.within(-0.003, 0.003);
                        Point {
                            x,
                            y,
                            interval: Some((y - 0.008, y + 0.008)),
                        }
                    })
                    .collect(),
            }
        })
        .collect();
    chart(
        "error-rates",
        "Coverage at every error rate",
        "The dashed line is the promise; bands are 95% intervals.",
        ChartKind::Lines {
            x: axis("Error rate that is allowed", Unit::Percent),
            y: axis("Coverage", Unit::Percent),
            lines,
            reference: Some(Reference::Falling(1.0)),
        },
    )
}

fn sample_sizes(models: usize) -> Chart {
    let mut rng = Rng::new(5);
    let lines = names(models)
        .into_iter()
        .map(|name| {
            let level = rng.within(1.4, 3.6);
            Line {
                name,
                points: [50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0]
                    .map(|x: f64| Point {
                        x,
                        y: level + 6.0 / x.sqrt(),
                        interval: None,
                    })
                    .to_vec(),
            }
        })
        .collect();
    chart(
        "sample-sizes",
        "Set size by number of calibration questions",
        "",
        ChartKind::Lines {
            x: Axis {
                log: true,
                ..axis("Calibration questions", Unit::Count)
            },
            y: axis("Mean set size", Unit::Number(2)),
            lines,
            reference: None,
        },
    )
}

fn trade_off(models: usize) -> Chart {
    let mut rng = Rng::new(6);
    let points = names(models)
        .into_iter()
        .map(|label| {
            let x = rng.within(0.35, 0.84);
            let y = 4.4 - 3.4 * x + rng.within(-0.35, 0.35);
            Mark {
                label,
                series: String::new(),
                x,
                y,
                x_interval: Some((x - 0.01, x + 0.01)),
                y_interval: Some((y - 0.05, y + 0.05)),
            }
        })
        .collect();
    let trend = Line {
        name: "least squares, with its 95% band".to_owned(),
        points: (0..=20)
            .map(|i| {
                let x = 0.35 + 0.0245 * f64::from(i);
                let y = 4.4 - 3.4 * x;
                let half = 0.06 + 0.4 * (x - 0.6).abs();
                Point {
                    x,
                    y,
                    interval: Some((y - half, y + half)),
                }
            })
            .collect(),
    };
    chart(
        "trade-off",
        "Sure and right do not always go together",
        "Each point is a model; lines through it are 95% intervals.",
        ChartKind::Scatter {
            x: axis("Accuracy", Unit::Percent),
            y: axis("Mean set size", Unit::Number(2)),
            points,
            trend: Some(trend),
            reference: None,
        },
    )
}

fn sizes(models: usize) -> Chart {
    let mut rng = Rng::new(7);
    let points = names(models)
        .into_iter()
        .enumerate()
        .map(|(i, label)| Mark {
            label,
            series: ["Base", "Instruct", "Chat"][i % 3].to_owned(),
            x: [0.135, 0.5, 1.1, 3.0, 7.0, 7.0, 8.0, 13.0, 34.0, 70.0][i % 10],
            y: rng.within(0.3, 0.8),
            x_interval: None,
            y_interval: None,
        })
        .collect();
    chart(
        "sizes",
        "Larger models are more accurate",
        "",
        ChartKind::Scatter {
            x: Axis {
                log: true,
                ..axis("Parameters (billions)", Unit::Number(1))
            },
            y: axis("Accuracy", Unit::Percent),
            points,
            trend: None,
            reference: Some(Reference::At(0.25)),
        },
    )
}

fn tasks(models: usize) -> Chart {
    let mut rng = Rng::new(8);
    let columns = [
        "Question answering",
        "Reading comprehension",
        "Commonsense inference",
        "Dialogue response selection",
        "Document summarisation",
    ];
    let values = (0..models)
        .map(|row| {
            (0..columns.len())
                .map(|column| (row != 3 || column != 2).then(|| rng.within(0.3, 0.95)))
                .collect()
        })
        .collect();
    chart(
        "tasks",
        "Accuracy by task",
        "",
        ChartKind::Heatmap {
            rows: names(models),
            columns: columns.map(str::to_owned).to_vec(),
            values,
            unit: Unit::Percent,
            scale: Scale::Sequential(0.2, 1.0),
        },
    )
}

fn pairs(models: usize) -> Chart {
    let mut rng = Rng::new(9);
    let level: Vec<f64> = (0..models).map(|_| rng.within(0.4, 0.8)).collect();
    let values = (0..models)
        .map(|row| {
            (0..models)
                .map(|column| (row != column).then(|| level[row] - level[column]))
                .collect()
        })
        .collect();
    chart(
        "pairs",
        "Differences between all pairs",
        "Accuracy of the model at the left less that of the model above.",
        ChartKind::Heatmap {
            rows: names(models),
            columns: names(models),
            values,
            unit: Unit::PercentDifference,
            scale: Scale::Diverging(0.4),
        },
    )
}

fn set_sizes(models: usize) -> Chart {
    let mut rng = Rng::new(10);
    let bars = names(models)
        .into_iter()
        .map(|label| {
            let raw: Vec<f64> = (0..7)
                .map(|size| rng.within(0.1, 1.0) * 0.6_f64.powi((size - 1_i32).abs()))
                .collect();
            let total: f64 = raw.iter().sum();
            Stack {
                label,
                shares: raw.iter().map(|share| share / total).collect(),
            }
        })
        .collect();
    let segments = (0..7)
        .map(|size| Segment {
            name: match size {
                1 => "1 option".to_owned(),
                _ => format!("{size} options"),
            },
        })
        .collect();
    chart(
        "set-sizes",
        "How large the sets are",
        "Share of questions whose set holds so many options.",
        ChartKind::Stacks {
            axis: axis("Share of questions", Unit::Percent),
            segments,
            bars,
        },
    )
}

fn reliability(bins: usize) -> Chart {
    let mut rng = Rng::new(11);
    let width = 1.0 / bins.max(1) as f64;
    let bins = (0..bins)
        .map(|i| {
            let low = width * i as f64;
            let confidence = low + width * rng.within(0.35, 0.65);
            Bin {
                range: (low, low + width),
                confidence,
                accuracy: (confidence * 0.8 + rng.within(-0.04, 0.08)).clamp(0.0, 1.0),
                count: (20.0 + 2500.0 * (low + width / 2.0).powi(3)) as usize,
            }
        })
        .collect();
    chart(
        "reliability",
        "Confidence and accuracy",
        "A model that knows what it knows lies on the dashed line.",
        ChartKind::Reliability { bins },
    )
}
