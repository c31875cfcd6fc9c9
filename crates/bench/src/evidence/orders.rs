//! Groups that were asked in several orders of the options.

use sureness_analysis::{GroupId, GroupRows, OrderedQuestion, OrderedRows};
use sureness_record::Orders;
use sureness_store::{Reader, RunInfo, StoreError, StoredRow};

use super::offered::Offered;
use super::selection::Selection;
use super::{read_rows, rows_of};
use crate::orders::OrderedGroup;

/// What a run in several orders adds to the evidence.
#[derive(Default)]
pub(super) struct Ordered {
    /// The figures of all orders together, where they are selected.
    pub(super) selected: Vec<GroupRows>,
    /// Each order, for what changes with it.
    pub(super) rows: Vec<OrderedRows>,
    /// The run's groups that these are made of.
    parts: Vec<usize>,
}

impl Ordered {
    /// Reads those of a run; nothing of a run in one order.
    pub(super) fn of(
        reader: &Reader,
        run: &RunInfo,
        selection: &Selection,
        offered: &mut Offered,
    ) -> Result<Self, StoreError> {
        let mut ordered = Self::default();
        for group in OrderedGroup::all(reader, run)? {
            ordered.parts.extend(&group.groups);
            let id = GroupId {
                task: group.task.clone(),
                strategy: group.name(),
            };
            let is_selected = offered.takes(selection, &id);
            if !is_selected && !selects_part(run, &group, selection) {
                continue;
            }
            let derived = ordered_rows(reader, &group)?;
            if is_selected {
                ordered.selected.push(derived.clone());
            }
            ordered.rows.push(rows(reader, run, &group, derived)?);
        }
        Ok(ordered)
    }

    /// Whether a group of the run is left out since the figures of all orders stand for it: where no
    /// strategy is named.
    pub(super) fn stand_for(&self, selection: &Selection, index: usize) -> bool {
        selection.strategies.is_empty() && self.parts.contains(&index)
    }
}

/// Whether one of the orders is named.
fn selects_part(run: &RunInfo, group: &OrderedGroup, selection: &Selection) -> bool {
    let mut parts = group
        .groups
        .iter()
        .filter_map(|&index| run.groups.get(index));
    parts.any(|(task, strategy)| {
        selection.wants(&GroupId {
            task: task.clone(),
            strategy: strategy.clone(),
        })
    })
}

/// The rows of all orders together.
pub(crate) fn ordered_rows(reader: &Reader, group: &OrderedGroup) -> Result<GroupRows, StoreError> {
    read_rows(&group.task, &group.name(), |visit| {
        group.rows(reader, visit)
    })
}

fn rows(
    reader: &Reader,
    run: &RunInfo,
    group: &OrderedGroup,
    derived: GroupRows,
) -> Result<OrderedRows, StoreError> {
    let settings = run.settings.run();
    let is_part = matches!(
        settings.and_then(|settings| settings.orders),
        Some(Orders::Auto { .. })
    );
    // All but the first have only the questions of the prior there.
    let whole = if is_part { 1 } else { group.groups.len() };
    let mut orders = Vec::with_capacity(whole);
    for &index in group.groups.iter().take(whole) {
        if let Some((task, strategy)) = run.groups.get(index) {
            orders.push(rows_of(reader, run.id, index, task, strategy)?);
        }
    }
    let mut questions = Vec::new();
    group.orders(reader, |rows| questions.extend(question(rows)))?;
    Ok(OrderedRows {
        id: GroupId {
            task: group.task.clone(),
            strategy: group.strategy.clone(),
        },
        title: derived.title.clone(),
        orders,
        derived,
        questions,
    })
}

/// A question in its orders; `None` if an answer is missing.
fn question(rows: Vec<StoredRow>) -> Option<OrderedQuestion> {
    let first = rows.first()?.question.clone();
    let mut turns = Vec::with_capacity(rows.len());
    let mut logits = Vec::with_capacity(rows.len());
    for row in rows {
        turns.push(row.turn?);
        logits.push(row.scores?.logprobs);
    }
    Some(OrderedQuestion {
        key: first.content,
        cluster: first.cluster.unwrap_or(first.content),
        category: first.category,
        right: first.right,
        turns,
        logits,
    })
}
