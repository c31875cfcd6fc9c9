//! Intervals for the table after a run.

use sureness_analysis::{Evidence, Figures, GroupRows, ModelEvidence, Settings, Source};
use sureness_conformal::{Config, NoInterval};
use sureness_questions::Task;
use sureness_report::{IntervalOr, Intervals, ModelResult};
use sureness_store::{Reader, StoreError};

use crate::evidence::{ordered_rows, rows_of};
use crate::orders::OrderedGroup;

/// Maximum answers for intervals after a run. Resampling needs all rows in memory, so larger runs
/// leave intervals to `sureness analyze`.
const MAX_ANSWERS: usize = 200_000;

/// Adds the intervals of each task's mean, and of the mean over the tasks.
pub(super) fn add(
    result: &mut ModelResult,
    reader: &Reader,
    groups: &[(&Task, &str)],
    config: &Config,
) -> Result<(), StoreError> {
    let answered: usize = result.asked_groups().map(|group| group.answered).sum();
    if answered > MAX_ANSWERS {
        return Ok(());
    }
    let mut rows = Vec::with_capacity(groups.len());
    // Means are over the figures of all orders together.
    let ordered = OrderedGroup::all(reader, &reader.run(result.run)?)?;
    for group in &ordered {
        rows.push(ordered_rows(reader, group)?);
    }
    for (index, &(task, strategy)) in groups.iter().enumerate() {
        // Open questions have intervals of their own.
        if reader.is_open(result.run, index)? {
            continue;
        }
        if ordered.iter().any(|of| of.groups.contains(&index)) {
            continue;
        }
        let mut found = rows_of(reader, result.run, index, &task.id, strategy)?;
        if let Some(temperature) = config.tempered {
            found.temper(temperature);
        }
        rows.push(found);
    }
    if let [task] = result.tasks.as_mut_slice() {
        task.intervals = intervals_of(rows, config);
        result.intervals = task.intervals.clone();
        return Ok(());
    }
    for task in &mut result.tasks {
        let of_task: Vec<GroupRows> = rows
            .iter()
            .filter(|group| group.id.task == task.task)
            .cloned()
            .collect();
        task.intervals = intervals_of(of_task, config);
    }
    result.intervals = intervals_of(rows, config);
    Ok(())
}

/// The intervals of the mean over these groups; `None` if no group can be evaluated.
fn intervals_of(groups: Vec<GroupRows>, config: &Config) -> Option<Intervals> {
    let evidence = Evidence {
        models: vec![ModelEvidence {
            name: String::new(),
            source: Source::default(),
            groups,
            orders: Vec::new(),
        }],
        ..Evidence::default()
    };
    let settings = Settings {
        config: *config,
        splits: 0,
        ..Settings::default()
    };
    let figures = Figures::of(&evidence, &settings, &[]);
    let resampled = &figures.board.as_ref()?.resampled;
    let interval = |figure: usize| match resampled.interval(0, figure) {
        Ok(interval) => IntervalOr::Ends([interval.low, interval.high]),
        Err(NoInterval::TooFew) => IntervalOr::Missing("too few".into()),
        Err(NoInterval::Full) => IntervalOr::Missing("full sets".into()),
    };
    Some(Intervals {
        level: settings.resampling.level,
        acc: interval(0),
        coverage: interval(1),
        set_size: interval(2),
        uacc: interval(3),
    })
}
