//! Differences between models on the same open questions.

use std::collections::{BTreeMap, HashMap};

use sureness_conformal::{McNemar, bootstrap, holm};

use super::{Row, obstacles, rows};
use crate::figures::Figures;
use crate::{Cell, Column, Table, Unit};

/// Models whose pairs are listed; of more, a table would hold hundreds of rows.
const MOST: usize = 12;
/// Clusters that an interval takes.
const LEAST: usize = 20;

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
            Cell::count(pair.n),
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
    n: usize,
    test: McNemar,
    /// By cluster: its questions, and how many more of them the first answers right.
    clusters: Vec<(usize, f64)>,
}

impl Pair {
    fn of(first: &Row<'_, '_>, second: &Row<'_, '_>) -> Self {
        let right = |row: &Row<'_, '_>| -> HashMap<[u8; 32], (bool, [u8; 32])> {
            let items = row.1.split.test.iter().map(|&at| &row.1.rows.items[at]);
            let right = items.map(|item| {
                let top = item.meanings.top();
                let is_right = top.is_some_and(|top| top.accepted);
                (item.key, (is_right, item.cluster))
            });
            right.collect()
        };
        let (of_first, of_second) = (right(first), right(second));
        let (mut only_first, mut only_second) = (0, 0);
        let mut clusters: BTreeMap<[u8; 32], (usize, f64)> = BTreeMap::new();
        for (key, (a, cluster)) in of_first {
            let Some((b, _)) = of_second.get(&key) else {
                continue;
            };
            only_first += usize::from(a && !b);
            only_second += usize::from(!a && *b);
            let entry = clusters.entry(cluster).or_default();
            entry.0 += 1;
            entry.1 += f64::from(u8::from(a)) - f64::from(u8::from(*b));
        }
        let clusters: Vec<(usize, f64)> = clusters.into_values().collect();
        Self {
            n: clusters.iter().map(|(n, _)| n).sum(),
            test: McNemar::of(only_first, only_second),
            clusters,
        }
    }

    /// The p-value of equal accuracy; `None` where questions come in clusters, which the test does not
    /// know.
    fn p(&self) -> Option<f64> {
        (self.clusters.len() == self.n).then_some(self.test.exact_p)
    }

    /// The difference, with the interval of whole clusters drawn anew.
    fn difference(&self, figures: &Figures<'_>) -> Cell {
        let mean = |drawn: &[usize]| {
            let (mut n, mut sum) = (0, 0.0);
            for &cluster in drawn {
                n += self.clusters[cluster].0;
                sum += self.clusters[cluster].1;
            }
            sum / n as f64
        };
        let all: Vec<usize> = (0..self.clusters.len()).collect();
        let value = mean(&all);
        if value.is_nan() {
            return Cell::Empty;
        }
        if self.clusters.len() < LEAST {
            return Cell::without_interval(value, "too few");
        }
        let drawn = bootstrap(self.clusters.len(), &figures.settings.resampling, mean);
        drawn.map_or(Cell::figure(value), |found| {
            Cell::estimate(value, found.bca)
        })
    }
}
