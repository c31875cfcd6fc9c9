//! Differences between models on the same open questions.

use std::collections::{HashMap, HashSet};

use sureness_conformal::{MIN_CLUSTERS, McNemar, holm, influence_interval};

use super::{Row, obstacles, rows};
use crate::figures::Figures;
use crate::{Cell, Column, Table, Unit};

/// Models whose pairs are listed; of more, a table would hold hundreds of rows.
const MOST: usize = 12;

/// Accuracy of each pair of models, on the test questions that both answered; `None` where nothing can
/// be compared.
pub(super) fn table(figures: &Figures<'_>) -> Option<Table> {
    let all = rows(figures);
    let mut found = Vec::new();
    for (task, title) in figures.open_tasks() {
        let of_task: Vec<&Row<'_, '_>> = all
            .iter()
            .filter(|(_, group)| group.rows.id.task == task)
            .collect();
        let comparable = figures.settings.insist || obstacles(figures, task).is_empty();
        if comparable && (2..=MOST).contains(&of_task.len()) {
            found.extend(of_pairs(figures, title, &of_task));
        }
    }
    (!found.is_empty()).then(|| Table {
        id: "open-differences".into(),
        title: "Differences in accuracy".into(),
        caption: "First minus second, on the same test questions. The p-values are those of McNemar's \
                  exact test, adjusted within a task by Holm's method; there are none where questions \
                  come in clusters."
            .into(),
        columns: columns(),
        rows: found,
        ..Table::default()
    })
}

fn columns() -> Vec<Column> {
    vec![
        Column::text("task", "Task"),
        Column::text("first", "First"),
        Column::text("second", "Second"),
        Column::new("n", "n", Unit::Count),
        Column::new("difference", "Difference", Unit::PercentDifference)
            .help("Accuracy of the first minus that of the second."),
        Column::new("only_first", "Only first", Unit::Count)
            .help("Questions that only the first answers right."),
        Column::new("only_second", "Only second", Unit::Count)
            .help("Questions that only the second answers right."),
        Column::new("p", "p", Unit::PValue),
        Column::new("holm", "p (Holm)", Unit::PValue),
    ]
}

fn of_pairs(figures: &Figures<'_>, title: &str, rows: &[&Row<'_, '_>]) -> Vec<Vec<Cell>> {
    let mut pairs = Vec::new();
    for (index, first) in rows.iter().enumerate() {
        for second in &rows[index + 1..] {
            pairs.push((*first, *second, Pair::of(first, second)));
        }
    }
    let p: Option<Vec<f64>> = pairs.iter().map(|(.., pair)| pair.p()).collect();
    let p = p.map_or_else(
        || vec![[Cell::Empty, Cell::Empty]; pairs.len()],
        |p| {
            let adjusted = holm(&p).into_iter().map(Cell::figure);
            let both = p.into_iter().map(Cell::figure).zip(adjusted);
            both.map(|(p, holm)| [p, holm]).collect()
        },
    );
    let cells = |((first, second, pair), [p, holm]): (&Compared<'_, '_>, [Cell; 2])| {
        vec![
            Cell::text(title),
            Cell::text(&first.0.model.name),
            Cell::text(&second.0.model.name),
            Cell::count(pair.n()),
            pair.difference(figures),
            Cell::count(pair.test.only_a),
            Cell::count(pair.test.only_b),
            p,
            holm,
        ]
    };
    pairs.iter().zip(p).map(cells).collect()
}

/// Two models with what tells them apart.
type Compared<'f, 'a> = (&'f Row<'f, 'a>, &'f Row<'f, 'a>, Pair);

/// Two models on the test questions that both answered.
struct Pair {
    test: McNemar,
    /// By question: 1 where only the first answers right, −1 where only the second does, else 0; and its
    /// cluster.
    differences: Vec<f64>,
    clusters: Vec<[u8; 32]>,
}

impl Pair {
    fn of(first: &Row<'_, '_>, second: &Row<'_, '_>) -> Self {
        let items = |row: &Row<'_, '_>| {
            let of_row = row.1.split.test.iter().map(|&at| &row.1.rows.items[at]);
            of_row
                .map(|item| {
                    let is_right = item.meanings.top().is_some_and(|top| top.accepted);
                    (item.key, is_right, item.cluster)
                })
                .collect::<Vec<_>>()
        };
        let of_second: HashMap<[u8; 32], bool> = items(second)
            .into_iter()
            .map(|(key, is_right, _)| (key, is_right))
            .collect();
        let (mut differences, mut clusters) = (Vec::new(), Vec::new());
        for (key, a, cluster) in items(first) {
            let Some(&b) = of_second.get(&key) else {
                continue;
            };
            differences.push(f64::from(u8::from(a)) - f64::from(u8::from(b)));
            clusters.push(cluster);
        }
        let only = |sign: f64| differences.iter().filter(|&&it| it * sign > 0.0).count();
        Self {
            test: McNemar::of(only(1.0), only(-1.0)),
            differences,
            clusters,
        }
    }

    fn n(&self) -> usize {
        self.differences.len()
    }

    fn different_clusters(&self) -> usize {
        self.clusters.iter().collect::<HashSet<_>>().len()
    }

    /// The p-value of equal accuracy; `None` where questions come in clusters, which the test does not
    /// know.
    fn p(&self) -> Option<f64> {
        (self.different_clusters() == self.n()).then_some(self.test.exact_p)
    }

    /// The difference, with its interval over clusters.
    fn difference(&self, figures: &Figures<'_>) -> Cell {
        if self.n() == 0 {
            return Cell::Empty;
        }
        let value = self.differences.iter().sum::<f64>() / self.n() as f64;
        if self.different_clusters() < MIN_CLUSTERS {
            return Cell::without_interval(value, "too few");
        }
        let influences: Vec<f64> = self.differences.iter().map(|it| it - value).collect();
        let level = figures.settings.resampling.level;
        // In other questions the models may differ where they do not here.
        influence_interval(value, &influences, &self.clusters, level, 1.0)
            .map_or(Cell::figure(value), |found| {
                Cell::estimate(value, (found.low.max(-1.0), found.high.min(1.0)))
            })
    }
}
