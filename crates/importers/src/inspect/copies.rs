//! Several logs of one evaluation: copies, and retries that went on where one had failed.

use super::LogImport;

impl LogImport {
    /// Whether both are logs of the same evaluation.
    fn is_copy(&self, other: &Self) -> bool {
        let names = |it: &Self| {
            let imported = &it.imported;
            let (task, strategy) = (imported.task.clone(), imported.strategy.clone());
            (imported.model.clone(), task, strategy)
        };
        let (ours, theirs) = (&self.identity, &other.identity);
        let same_run = match (&ours.task, &theirs.task) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => ours.created.is_some() && ours.created == theirs.created,
        };
        names(self) == names(other) && (same_run || self.imported.files == other.imported.files)
    }

    /// Answers, questions, whether it came to its end, and the date.
    fn fullness(&self) -> (usize, usize, bool, Option<&str>) {
        let imported = &self.imported;
        let created = self.identity.created.as_deref();
        (
            imported.answered(),
            imported.rows.len(),
            self.identity.finished,
            created,
        )
    }
}

/// The log with the most answers of each evaluation, and a note for each of the others.
pub(crate) fn fullest(logs: Vec<LogImport>) -> (Vec<LogImport>, Vec<String>) {
    let mut kept: Vec<LogImport> = Vec::with_capacity(logs.len());
    let mut notes = Vec::new();
    for mut log in logs {
        if let Some(other) = kept.iter_mut().find(|other| other.is_copy(&log)) {
            if log.fullness() > other.fullness() {
                std::mem::swap(other, &mut log);
            }
            notes.push(format!(
                "skipped {}: {} is of the same evaluation and has {} answers, this one {}",
                log.path.display(),
                other.path.display(),
                other.imported.answered(),
                log.imported.answered(),
            ));
        } else {
            kept.push(log);
        }
    }
    (kept, notes)
}
