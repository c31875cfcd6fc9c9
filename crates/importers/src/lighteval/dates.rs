//! Several runs of one task: lighteval keeps each under its date.

use std::path::{Path, PathBuf};

use super::model_of;
use crate::imported::Imported;

/// The details of one task of one run.
pub(crate) struct Dated {
    path: PathBuf,
    /// The model that the folders tell, since the user may have given one name to all.
    model: Option<String>,
    date: Option<String>,
    pub(crate) imported: Imported,
}

impl Dated {
    pub(crate) fn new(path: &Path, imported: Imported) -> Self {
        Self {
            path: path.to_owned(),
            model: model_of(path),
            date: date_of(path),
            imported,
        }
    }

    /// Whether both are of the same model and task, at two times or as copies.
    fn is_copy(&self, other: &Self) -> bool {
        let names = |it: &Self| {
            let Imported {
                model,
                task,
                strategy,
                ..
            } = &it.imported;
            (
                it.model.clone(),
                model.clone(),
                task.clone(),
                strategy.clone(),
            )
        };
        let (ours, theirs) = (&self.imported.files, &other.imported.files);
        let digests = ours.iter().map(|file| &file.digest);
        let same = digests.eq(theirs.iter().map(|file| &file.digest));
        let dated = self.date.is_some() && other.date.is_some() && self.date != other.date;
        names(self) == names(other) && (same || dated)
    }

    /// Answers, questions and the date.
    fn fullness(&self) -> (usize, usize, Option<&str>) {
        let imported = &self.imported;
        (
            imported.answered(),
            imported.rows.len(),
            self.date.as_deref(),
        )
    }
}

/// The details with the most answers of each model and task, or else the newest, and a note for each of
/// the others.
pub(crate) fn fullest(all: Vec<Dated>) -> (Vec<Imported>, Vec<String>) {
    let mut kept: Vec<Dated> = Vec::with_capacity(all.len());
    let mut notes = Vec::new();
    for mut details in all {
        let Some(other) = kept.iter_mut().find(|other| other.is_copy(&details)) else {
            kept.push(details);
            continue;
        };
        if details.fullness() > other.fullness() {
            std::mem::swap(other, &mut details);
        }
        let (taken, left) = (other.imported.answered(), details.imported.answered());
        let reason = if taken > left {
            format!("has {taken} answers, this one {left}")
        } else if other.date > details.date {
            "is newer".to_owned()
        } else {
            "is the same".to_owned()
        };
        notes.push(format!(
            "skipped {}: {} has the same model and task and {reason}",
            details.path.display(),
            other.path.display(),
        ));
    }
    let kept = kept.into_iter().map(|details| details.imported);
    (kept.collect(), notes)
}

/// The date of a run, as `2026-11-28T00-04-54.631`, at the end of the file's name or as its folder.
fn date_of(path: &Path) -> Option<String> {
    let stem = path.file_stem()?.to_string_lossy();
    let folder = path.parent().and_then(Path::file_name);
    let folder = folder.unwrap_or_default().to_string_lossy();
    let of_name = stem.rsplit_once('_').map(|(_, date)| date);
    let found = of_name.into_iter().chain([&*folder]);
    let mut dates = found.filter(|text| is_date(text));
    dates.next().map(str::to_owned)
}

/// Whether a text begins as `2026-11-28` does.
fn is_date(text: &str) -> bool {
    let form = "0000-00-00".bytes();
    text.len() >= form.len()
        && text.bytes().zip(form).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_or_folders_tell_the_date() {
        let date = |path: &str| date_of(Path::new(path));
        let long = "2026-11-28T00-04-54.631";
        let name = format!("details_toy|0_{long}.parquet");
        assert_eq!(date(&name).as_deref(), Some(long));
        let folder = format!("details/m/{long}/details_toy.parquet");
        assert_eq!(date(&folder).as_deref(), Some(long));
        assert_eq!(date("details/m/details_toy.parquet"), None);
    }
}
