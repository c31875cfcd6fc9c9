//! How many drawn answers are worth it, and what ties among their shares cost.

use rayon::prelude::*;
use sureness_conformal::{
    Nonconformity, RandomisedTies, Row, Scheme, Scores, SetMetrics, Stream, calibrate, predict,
    randomised_ties, set_metrics,
};
use sureness_record::log_shares;

use super::calibration::groups;
use super::comparative::axis;
use crate::figures::{Figures, GroupFigures};
use crate::{
    Cell, Chart, ChartKind, Column, DrawnCounts, Line, Point, Section, Settings, Table, Unit,
};

/// Numbers of answers of the curve, up to the number that was drawn.
const NUMBERS: [u32; 10] = [1, 2, 3, 5, 10, 20, 50, 100, 200, 500];
/// Subsets of the answers at each number, over which figures are averaged.
const SUBSETS: usize = 20;

/// Ties at the threshold, and figures over the number of answers.
pub(super) fn section(figures: &Figures<'_>) -> Section {
    let mut section = Section {
        id: "draws".into(),
        title: "How many answers are enough?".into(),
        ..Section::default()
    };
    let groups: Vec<(&str, &GroupFigures<'_>)> = groups(figures)
        .into_iter()
        .filter(|(_, group)| !group.rows.drawn.is_empty())
        .collect();
    if groups.is_empty() {
        section
            .text
            .push("No model was asked by drawing answers (--answers sampled).".into());
        return section;
    }
    section.text.push("With few answers, shares take few values, and many options tie at the threshold. Sets then hold all of them: coverage stays valid and lies above 1 − α, and sets are larger than they need to be.".into());
    section.tables.extend(ties(figures, &groups));
    let curves: Vec<Vec<Figure>> = groups
        .par_iter()
        .map(|(_, group)| curve(group, figures.settings))
        .collect();
    section.tables.push(table(&groups, &curves));
    section.charts = charts(figures, &groups, &curves);
    section
}

/// Answers of the question that has most of them.
fn most(group: &GroupFigures<'_>) -> u32 {
    let given = group.rows.drawn.iter().map(DrawnCounts::given);
    given.max().unwrap_or(0)
}

/// What ties at LAC's threshold cost. `None` where they cannot be broken at random.
fn ties(figures: &Figures<'_>, groups: &[(&str, &GroupFigures<'_>)]) -> Option<Table> {
    let settings = figures.settings;
    let rows = groups.iter().filter_map(|(model, group)| {
        let table = &group.rows.table;
        let scores = Scores::of(table, Nonconformity::Lac, &settings.view());
        let broken = randomised_ties(&scores, table, &group.split, settings.config.alpha)?;
        Some(ties_row(model, group, &broken))
    });
    let rows: Vec<Vec<Cell>> = rows.collect();
    (!rows.is_empty()).then(|| Table {
        id: "ties".into(),
        title: "What ties cost".into(),
        caption: "By LAC, on the test questions: sets that hold all options tied at the threshold, and sets whose ties are broken at random, on average.".into(),
        columns: vec![
            Column::text("model", "Model"),
            Column::text("task", "Task"),
            Column::text("strategy", "Strategy"),
            Column::new("answers", "Answers", Unit::Count),
            Column::new("tied", "Tied", Unit::Percent)
                .help("Share of calibration questions whose score equals the threshold."),
            Column::new("coverage", "Coverage", Unit::Percent),
            Column::new("coverage_random", "at random", Unit::Percent)
                .help("Coverage with ties broken at random."),
            Column::new("set_size", "Set size", Unit::Number(2)).lower(),
            Column::new("set_size_random", "at random", Unit::Number(2))
                .lower()
                .help("Mean set size with ties broken at random."),
            Column::new("uacc", "UAcc", Unit::Percent).higher(),
            Column::new("uacc_random", "at random", Unit::Percent)
                .higher()
                .help("UAcc with ties broken at random."),
        ],
        rows,
        ..Table::default()
    })
}

fn ties_row(model: &str, group: &GroupFigures<'_>, broken: &RandomisedTies) -> Vec<Cell> {
    let whole = &group.lac().metrics;
    vec![
        Cell::text(model),
        Cell::text(group.rows.title.clone()),
        Cell::text(group.rows.id.strategy.clone()),
        Cell::count(most(group) as usize),
        Cell::figure(broken.tied),
        Cell::figure(whole.coverage),
        Cell::figure(broken.coverage),
        Cell::figure(whole.set_size),
        Cell::figure(broken.set_size),
        Cell::figure(whole.uacc),
        Cell::figure(broken.uacc),
    ]
}

/// Means over subsets of so many answers.
#[derive(Debug, Clone, Copy, Default)]
struct Figure {
    answers: u32,
    acc: f64,
    coverage: f64,
    set_size: f64,
    uacc: f64,
}

impl Figure {
    fn add(&mut self, metrics: &SetMetrics) {
        let share = 1.0 / SUBSETS as f64;
        self.acc += share * metrics.acc;
        self.coverage += share * metrics.coverage;
        self.set_size += share * metrics.set_size;
        self.uacc += share * metrics.uacc;
    }
}

/// Figures over the number of answers: these are drawn from those that were given, without
/// replacement, so that each subset is what a run with fewer answers could have drawn.
fn curve(group: &GroupFigures<'_>, settings: &Settings) -> Vec<Figure> {
    let most = most(group);
    let fewer = NUMBERS.into_iter().filter(|&number| number < most);
    let at = |answers: u32| {
        let mut figure = Figure {
            answers,
            ..Figure::default()
        };
        for subset in 0..SUBSETS {
            let mut stream = Stream::new("drawn answers", settings.config.seed, subset);
            figure.add(&measured(group, settings, answers, &mut stream));
        }
        figure
    };
    fewer.chain([most]).map(at).collect()
}

/// LAC's sets from `answers` of each question's answers.
fn measured(
    group: &GroupFigures<'_>,
    settings: &Settings,
    answers: u32,
    stream: &mut Stream,
) -> SetMetrics {
    let whole = &group.rows.table;
    let mut table = sureness_conformal::Table::new(whole.stride());
    for (index, drawn) in group.rows.drawn.iter().enumerate() {
        let logits = log_shares(&drawn.subset(answers, stream));
        let row = Row {
            logits: (&logits).into(),
            ..whole.row(index)
        };
        // The row is that of a table, with other finite scores.
        let _ = table.push(whole.keys()[index], &row, None);
    }
    let alpha = settings.config.alpha;
    let scores = Scores::of(&table, Nonconformity::Lac, &settings.view());
    let split = &group.split;
    let calibrated = calibrate(&scores, &table, &split.calibration, alpha, Scheme::Split);
    let sets = predict(&calibrated, &scores, &table, &split.test);
    set_metrics(&sets, &scores, &table, &split.calibration, alpha)
}

fn table(groups: &[(&str, &GroupFigures<'_>)], curves: &[Vec<Figure>]) -> Table {
    let mut rows = Vec::new();
    for ((model, group), curve) in groups.iter().zip(curves) {
        rows.extend(curve.iter().map(|figure| {
            vec![
                Cell::text(*model),
                Cell::text(group.rows.title.clone()),
                Cell::text(group.rows.id.strategy.clone()),
                Cell::count(figure.answers as usize),
                Cell::figure(figure.acc),
                Cell::figure(figure.coverage),
                Cell::figure(figure.set_size),
                Cell::figure(figure.uacc),
            ]
        }));
    }
    Table {
        id: "draws".into(),
        title: "Over the number of answers".into(),
        caption: format!(
            "By LAC, means over {SUBSETS} random subsets of the answers to each question. A question none of whose answers chooses an option counts with equal shares. More answers than these were not drawn."
        ),
        columns: vec![
            Column::text("model", "Model"),
            Column::text("task", "Task"),
            Column::text("strategy", "Strategy"),
            Column::new("answers", "Answers", Unit::Count),
            Column::new("acc", "Acc", Unit::Percent),
            Column::new("coverage", "Coverage", Unit::Percent),
            Column::new("set_size", "Set size", Unit::Number(2)),
            Column::new("uacc", "UAcc", Unit::Percent),
        ],
        rows,
        ..Table::default()
    }
}

/// Set size over the number of answers, one chart per task; each model's first strategy.
fn charts(
    figures: &Figures<'_>,
    groups: &[(&str, &GroupFigures<'_>)],
    curves: &[Vec<Figure>],
) -> Vec<Chart> {
    let mut charts = Vec::new();
    for (task, title) in figures.tasks() {
        let mut lines: Vec<Line> = Vec::new();
        for ((model, group), curve) in groups.iter().zip(curves) {
            let is_first = lines.iter().all(|line| line.name != *model);
            if group.rows.id.task == task && is_first {
                lines.push(line(model, curve));
            }
        }
        if lines.is_empty() {
            continue;
        }
        charts.push(Chart {
            id: format!("draws-{task}"),
            title: format!("{title}: set size over the number of answers"),
            caption: "By LAC, in each model's first prompt strategy. Where the line is flat, more answers are not worth their price.".into(),
            kind: ChartKind::Lines {
                x: crate::Axis {
                    log: true,
                    ..axis("Answers to each question", Unit::Count)
                },
                y: axis("Mean set size", Unit::Number(1)),
                lines,
                reference: None,
            },
        });
    }
    charts
}

fn line(model: &str, curve: &[Figure]) -> Line {
    let point = |figure: &Figure| Point {
        x: f64::from(figure.answers),
        y: figure.set_size,
        interval: None,
    };
    Line {
        name: model.to_owned(),
        points: curve.iter().map(point).collect(),
    }
}

impl DrawnCounts {
    /// All answers.
    fn given(&self) -> u32 {
        self.chosen.iter().sum::<u32>() + self.others
    }

    /// How often each option is chosen by `number` of the answers, or all where there are fewer.
    fn subset(&self, number: u32, stream: &mut Stream) -> Vec<u32> {
        let mut left = self.chosen.clone();
        let mut of = self.given();
        let mut found = vec![0; left.len()];
        for _ in 0..number.min(of) {
            let mut place = stream.below(of as usize) as u32;
            of -= 1;
            // Beyond the options lie the answers that choose none, in no need of a count.
            for (option, count) in left.iter_mut().enumerate() {
                if place < *count {
                    *count -= 1;
                    found[option] += 1;
                    break;
                }
                place -= *count;
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subsets_are_drawn_without_replacement() {
        let drawn = DrawnCounts {
            chosen: vec![6, 0, 3],
            others: 1,
        };
        let mut stream = Stream::new("test", 1, 0);
        assert_eq!(drawn.subset(10, &mut stream), [6, 0, 3]);
        assert_eq!(drawn.subset(99, &mut stream), [6, 0, 3]);
        let mut sums = [0.0; 3];
        for _ in 0..20_000 {
            let subset = drawn.subset(4, &mut stream);
            assert!(subset.iter().sum::<u32>() <= 4 && subset[0] <= 6 && subset[2] <= 3);
            for (sum, count) in sums.iter_mut().zip(subset) {
                *sum += f64::from(count) / 20_000.0;
            }
        }
        // Means of the hypergeometric law.
        for (sum, mean) in sums.into_iter().zip([2.4, 0.0, 1.2]) {
            assert!((sum - mean).abs() < 0.03, "{sums:?}");
        }
    }
}
