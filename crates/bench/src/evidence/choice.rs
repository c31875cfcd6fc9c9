//! Which runs of a store are analysed: the newest of each model.

use std::path::Path;

use sureness_analysis::number::{count, counted};
use sureness_store::{Reader, RunInfo, StoreError};

use super::Loaded;
use crate::folder::STORE;
use crate::provenance::date;

/// Maximum number of runs that a note lists.
const SHOWN: usize = 3;

/// The newest run of each model. Notes what is left out, and warns where that has more answers.
pub(super) fn newest(
    store: &Path,
    reader: &Reader,
    runs: Vec<RunInfo>,
    loaded: &mut Loaded,
) -> Result<Vec<RunInfo>, StoreError> {
    let mut chosen: Vec<(RunInfo, Vec<RunInfo>)> = Vec::new();
    for run in runs {
        let of_model = |(other, _): &&mut (RunInfo, _)| other.model.is_same_model(&run.model);
        match chosen.iter_mut().find(of_model) {
            Some((newest, older)) => older.push(std::mem::replace(newest, run)),
            None => chosen.push((run, Vec::new())),
        }
    }
    let folder = match store.file_name() {
        Some(name) if name == STORE => store.parent().unwrap_or(store),
        _ => store,
    };
    for (taken, older) in chosen.iter().filter(|(_, older)| !older.is_empty()) {
        let (note, warning) = left_out(&folder.display().to_string(), reader, taken, older)?;
        loaded.notes.push(note);
        loaded.warnings.extend(warning);
    }
    Ok(chosen.into_iter().map(|(run, _)| run).collect())
}

/// A note on the runs that are left out, and a warning if one of them has more answers.
fn left_out(
    folder: &str,
    reader: &Reader,
    taken: &RunInfo,
    older: &[RunInfo],
) -> Result<(String, Option<String>), StoreError> {
    let answered = |run: &RunInfo| Ok::<_, StoreError>(reader.counts(run.id)?.1);
    let of_taken = answered(taken)?;
    let mut largest: Option<(&RunInfo, usize)> = None;
    let mut shown = Vec::new();
    // The newest first: those are most likely missed.
    for run in older.iter().rev() {
        let answers = answered(run)?;
        if largest.is_none_or(|(_, most)| answers > most) {
            largest = Some((run, answers));
        }
        shown.push(format!("{} ({})", run.id, counted(answers, "answer")));
    }
    let more = shown.len().saturating_sub(SHOWN);
    shown.truncate(SHOWN);
    let mut list = shown.join(", ");
    if more > 0 {
        list.push_str(&format!(" and {more} more"));
    }
    let name = &taken.model.name;
    let note = format!(
        "{folder}: taking run {} of {name}, the newest ({}, {}), and leaving out run{} {list}; \
         `sureness runs {folder}` lists them, and `{folder}#{}` names one of them",
        taken.id,
        counted(of_taken, "answer"),
        date(taken.started_at),
        if older.len() == 1 { "" } else { "s" },
        older.last().map_or(0, |run| run.id),
    );
    let warning = largest.filter(|(_, most)| *most > of_taken).map(|(run, most)| {
        format!(
            "these are the figures of run {} of {name}, the newest in {folder}, with {}; run {} has \
             {}, and `{folder}#{}` analyses it",
            taken.id,
            counted(of_taken, "answer"),
            run.id,
            count(most),
            run.id
        )
    });
    Ok((note, warning))
}
