//! How far a run has come, in few queries that a run under way does not notice.

use rusqlite::params;

use crate::{Reader, StoreError};

/// How far one group of a run has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GroupProgress {
    /// Answers planned: one per question, or as many as are drawn for each.
    pub planned: usize,
    /// Answers given.
    pub answered: usize,
    /// Requests that were given up in this run.
    pub failed: usize,
}

/// The place of a question in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Spot {
    /// Index into the run's groups.
    pub group: usize,
    /// Position in the group.
    pub position: u32,
}

impl Reader {
    /// A number that is another one after every commit of another connection to the file. Compare only
    /// numbers of one reader.
    pub fn data_version(&self) -> Result<i64, StoreError> {
        self.wrap(
            self.connection()
                .pragma_query_value(None, "data_version", |row| row.get(0)),
        )
    }

    /// The progress of each group of a run, in order; groups without a question are left out at the end.
    pub fn progress(&self, run: i64) -> Result<Vec<GroupProgress>, StoreError> {
        let table = self.answers_of(run)?;
        self.wrap((|| {
            let mut groups = Vec::new();
            let mut select = self.connection().prepare_cached(&format!(
                "SELECT grp, count(*), count(reply), sum(reply IS NULL AND error IS NOT NULL) \
                 FROM {table} WHERE run = ? GROUP BY grp ORDER BY grp"
            ))?;
            let mut rows = select.query([run])?;
            while let Some(row) = rows.next()? {
                let group: usize = row.get(0)?;
                groups.resize(group, GroupProgress::default());
                groups.push(GroupProgress {
                    planned: row.get(1)?,
                    answered: row.get(2)?,
                    failed: row.get(3)?,
                });
            }
            Ok(groups)
        })())
    }

    /// When the newest answer of the file was given, in milliseconds since 1970; `None` without answers.
    pub fn last_answer_at(&self) -> Result<Option<i64>, StoreError> {
        self.wrap(self.connection().query_row(
            "SELECT (SELECT answered_at FROM answers ORDER BY id DESC LIMIT 1)",
            [],
            |row| row.get(0),
        ))
    }

    /// The questions of a run that were answered last, the newest first, `count` at most.
    pub fn latest(&self, run: i64, count: u32) -> Result<Vec<Spot>, StoreError> {
        let table = self.answers_of(run)?;
        self.wrap((|| {
            self.connection()
                .prepare_cached(&format!(
                    "SELECT grp, pos FROM {table} WHERE run = ? AND reply IS NOT NULL \
                     GROUP BY grp, pos ORDER BY max(reply) DESC LIMIT ?"
                ))?
                .query_map(params![run, count], |row| {
                    Ok(Spot {
                        group: row.get(0)?,
                        position: row.get(1)?,
                    })
                })?
                .collect()
        })())
    }

    /// The table with a row per answer of a run.
    pub(crate) fn answers_of(&self, run: i64) -> Result<&'static str, StoreError> {
        Ok(if self.wrap(self.draws(run))? {
            "draws"
        } else {
            "items"
        })
    }
}
