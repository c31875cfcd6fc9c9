//! Finds questions of a group by their content.

use std::collections::{HashMap, HashSet};

use rusqlite::params;
use sureness_scorers::RequestKey;

use crate::{Reader, StoreError};

/// Where a question of a group stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Position in the group.
    pub position: u32,
    /// Content key of its request; of the first one where several answers are drawn.
    pub key: RequestKey,
}

impl Reader {
    /// The places of the questions with these contents in a group of a run that draws answers in words,
    /// of doubles the first; none in other runs. One pass over the group.
    pub fn places_of_drawn(
        &self,
        run: i64,
        group: usize,
        contents: &HashSet<[u8; 32]>,
    ) -> Result<HashMap<[u8; 32], Place>, StoreError> {
        self.wrap((|| {
            let mut found = HashMap::new();
            if !self.draws(run)? {
                return Ok(found);
            }
            let mut select = self.connection().prepare_cached(
                "SELECT content, pos, key FROM items WHERE run = ? AND grp = ? ORDER BY pos",
            )?;
            let mut rows = select.query(params![run, group])?;
            while let Some(row) = rows.next()? {
                let content: [u8; 32] = row.get(0)?;
                if contents.contains(&content) {
                    let (position, key) = (row.get(1)?, RequestKey(row.get(2)?));
                    found.entry(content).or_insert(Place { position, key });
                }
            }
            Ok(found)
        })())
    }
}
