//! Gathers rows and checks what must hold in every format.

use std::collections::{BTreeSet, HashSet};

use super::error::Problem;
use super::row::Beside;
use super::shares::Shares;
use super::{Kind, RecordedLogits};

/// Takes rows in file order and rejects invalid ones.
pub(super) struct Collector<'a> {
    /// Ids of rows to leave out, whatever they hold.
    drop: &'a BTreeSet<i64>,
    dropped: BTreeSet<i64>,
    ids: Vec<i64>,
    width: Option<usize>,
    values: Vec<f32>,
    values64: Option<Vec<f64>>,
    kind: Option<Kind>,
    shares: Shares,
    beside: Vec<Beside>,
    /// Whether any row says something beside its scores.
    says_more: bool,
    /// Used only once ids stop ascending: files in question order need no set.
    seen: Option<HashSet<i64>>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(drop: &'a BTreeSet<i64>) -> Self {
        Self {
            drop,
            dropped: BTreeSet::new(),
            ids: Vec::new(),
            width: None,
            values: Vec::new(),
            values64: None,
            kind: None,
            shares: Shares::default(),
            beside: Vec::new(),
            says_more: false,
            seen: None,
        }
    }

    /// Whether the row with this id is left out; nothing else in it matters then.
    pub(super) fn drops(&mut self, id: i64) -> Result<bool, Problem> {
        let drops = self.drop.contains(&id);
        if drops && !self.dropped.insert(id) {
            return Err(Problem::DuplicateId { id });
        }
        Ok(drops)
    }

    /// Adds one row.
    pub(super) fn push(
        &mut self,
        id: i64,
        kind: Kind,
        row: &[f64],
        beside: Beside,
    ) -> Result<(), Problem> {
        beside.judge(kind, row)?;
        let width = *self.width.get_or_insert(row.len());
        if width != row.len() {
            return Err(Problem::Width {
                expected: width,
                found: row.len(),
            });
        }
        if *self.kind.get_or_insert(kind) != kind {
            return Err(Problem::MixedKinds);
        }
        self.push_id(id)?;
        if kind == Kind::Logits {
            self.shares.note(row);
        }
        self.push_values(row);
        self.says_more |= beside != Beside::default();
        self.beside.push(beside);
        Ok(())
    }

    fn push_id(&mut self, id: i64) -> Result<(), Problem> {
        let ascending = self.ids.last().is_none_or(|&last| last < id);
        if self.seen.is_none() && !ascending {
            self.seen = Some(self.ids.iter().copied().collect());
        }
        if let Some(seen) = &mut self.seen
            && !seen.insert(id)
        {
            return Err(Problem::DuplicateId { id });
        }
        self.ids.push(id);
        Ok(())
    }

    fn push_values(&mut self, row: &[f64]) {
        let fits = |value: f64| f64::from(value as f32).to_bits() == value.to_bits();
        if self.values64.is_none() && !row.iter().copied().all(fits) {
            self.values64 = Some(self.values.iter().copied().map(f64::from).collect());
        }
        if let Some(values64) = &mut self.values64 {
            values64.extend_from_slice(row);
        }
        self.values.extend(row.iter().map(|&value| value as f32));
    }

    /// All rows; an error if there were none.
    pub(super) fn finish(self) -> Result<RecordedLogits, Problem> {
        if self.shares.are_most() {
            let kind = Kind::Logits;
            return Err(Problem::Probabilities { kind });
        }
        match (self.width, self.kind) {
            (Some(width), Some(kind)) => Ok(RecordedLogits {
                ids: self.ids,
                width,
                values: self.values,
                values64: self.values64,
                kind,
                beside: if self.says_more {
                    self.beside
                } else {
                    Vec::new()
                },
                dropped: self.dropped,
            }),
            _ if self.dropped.is_empty() => Err(Problem::Empty),
            _ => Err(Problem::NothingLeft),
        }
    }
}
