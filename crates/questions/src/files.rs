//! The files of a data set: one, a folder of them, or those that a pattern names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::error::Problem;
use crate::{DataError, whole};

/// Endings of the files of a folder that may hold questions; what a file is, its content tells.
const ENDINGS: [&str; 6] = ["parquet", "jsonl", "ndjson", "json", "csv", "tsv"];
const PACKED: [&str; 2] = ["gz", "zst"];
/// Files that libraries put beside the data.
const BESIDE: [&str; 4] = [
    "dataset_info.json",
    "dataset_infos.json",
    "dataset_dict.json",
    "state.json",
];

/// A part of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Split {
    /// To be trained on.
    Train,
    /// To be developed with.
    Validation,
    /// Few rows for examples in prompts.
    Dev,
    /// To be tested with.
    Test,
}

impl Split {
    /// The name on the hub.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Dev => "dev",
            Self::Test => "test",
        }
    }

    /// The split with this name on the hub.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "train" => Some(Self::Train),
            "validation" | "valid" | "val" => Some(Self::Validation),
            "dev" => Some(Self::Dev),
            "test" => Some(Self::Test),
            _ => None,
        }
    }

    /// The split that a file's name, or else its folder's, says.
    fn of(path: &Path) -> Option<Self> {
        let named = |name: &str| {
            let name = name.to_lowercase();
            name.split(|c: char| !c.is_ascii_alphabetic())
                .find_map(|word| match word {
                    "train" | "training" => Some(Self::Train),
                    "validation" | "valid" | "val" => Some(Self::Validation),
                    "dev" => Some(Self::Dev),
                    "test" => Some(Self::Test),
                    _ => None,
                })
        };
        let name = path.file_name()?.to_string_lossy();
        named(&name).or_else(|| {
            let folder = path.parent()?.file_name()?.to_string_lossy();
            let whole = folder.bytes().all(|byte| byte.is_ascii_alphabetic());
            named(&folder).filter(|_| whole)
        })
    }
}

/// The files of a data set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// Where the questions to ask are.
    pub questions: Vec<PathBuf>,
    /// Where the few-shot examples are, if the data set has a split for them.
    pub examples: Vec<PathBuf>,
    /// The split to ask, if the names say so.
    pub split: Option<Split>,
    /// Files of splits that are not read.
    pub others: Vec<PathBuf>,
}

/// Whether a path names one file that is there, or a pipe.
pub(crate) fn is_one(path: &Path) -> bool {
    path.exists() && !path.is_dir()
}

/// All files of a data set, in order.
pub(crate) fn all(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    let files = if path.is_dir() {
        of_folder(path)?
    } else if path.exists() || !is_pattern(path) {
        vec![path.to_owned()]
    } else {
        of_pattern(path)?
    };
    // A file that is named alone is meant to be read alone.
    if files.len() > 1 {
        whole::check(&files)?;
    }
    Ok(files)
}

/// Of the splits that are there, the one to ask: the first of `ask`, or else another.
pub(crate) fn asked(splits: &BTreeSet<Split>, ask: &[Split], examples: &[Split]) -> Option<Split> {
    use Split::{Dev, Test, Train, Validation};
    // Beside their papers, sets for validation are called dev.
    let dev = !examples.contains(&Dev) && !ask.contains(&Dev);
    let preferred = ask.iter().flat_map(|&split| match split {
        Validation if dev => vec![Validation, Dev],
        other => vec![other],
    });
    preferred
        .chain([Test, Validation, Dev, Train])
        .find(|split| splits.contains(split))
}

/// Of the splits that are there, the one that few-shot examples come from.
pub(crate) fn shown(
    splits: &BTreeSet<Split>,
    examples: &[Split],
    asked: Option<Split>,
) -> Option<Split> {
    let mut examples = examples.iter().copied();
    examples.find(|split| Some(*split) != asked && splits.contains(split))
}

/// Divides files by split: those to ask, those of examples, others. Where none of the splits to ask is
/// there, another is asked, and never two at once. Either all files name their split, or none does.
pub(crate) fn divide(
    files: Vec<PathBuf>,
    ask: &[Split],
    examples: &[Split],
) -> Result<Files, DataError> {
    let splits: BTreeSet<_> = files.iter().filter_map(|file| Split::of(file)).collect();
    let asked = asked(&splits, ask, examples);
    let (Some(asked), true) = (asked, files.len() > 1) else {
        return Ok(Files {
            split: None,
            questions: files,
            examples: Vec::new(),
            others: Vec::new(),
        });
    };
    if let Some(file) = files.iter().find(|file| Split::of(file).is_none()) {
        return Err(DataError::of_file(file, Problem::NoSplit));
    }
    let shown = shown(&splits, examples, Some(asked));
    let mut divided = Files {
        questions: Vec::new(),
        examples: Vec::new(),
        split: Some(asked),
        others: Vec::new(),
    };
    for file in files {
        let split = Split::of(&file);
        if split == Some(asked) {
            divided.questions.push(file);
        } else if split == shown {
            divided.examples.push(file);
        } else {
            divided.others.push(file);
        }
    }
    Ok(divided)
}

fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '['])
}

fn of_pattern(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    let failed = |problem| DataError::of_file(path, problem);
    let found = glob::glob(&path.to_string_lossy())
        .map_err(|error| failed(Problem::Pattern(error.to_string())))?;
    let mut files = Vec::new();
    for file in found {
        let file = file.map_err(|error| {
            DataError::of_file(
                error.path(),
                Problem::Io(std::io::Error::other(error.to_string())),
            )
        })?;
        if file.is_file() {
            files.push(file);
        }
    }
    if files.is_empty() {
        return Err(failed(Problem::NoFiles));
    }
    files.sort();
    Ok(files)
}

/// The files of a folder, of its folders if these are splits, or of its only folder with files: hub
/// repositories keep them in `data`, and each configuration in a folder of its own.
fn of_folder(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let (files, folders) = list(folder)?;
    if !files.is_empty() {
        return Ok(files);
    }
    let mut inner = Vec::new();
    for folder in folders {
        let (files, _) = list(&folder)?;
        if !files.is_empty() {
            inner.push((folder, files));
        }
    }
    if inner.is_empty() {
        return Err(DataError::of_file(folder, Problem::NoFiles));
    }
    let is_split = |(folder, _): &(PathBuf, _)| Split::of(&folder.join("_")).is_some();
    if inner.len() == 1 || inner.iter().all(is_split) {
        return Ok(inner.into_iter().flat_map(|(_, files)| files).collect());
    }
    let names = inner.iter().map(|(folder, _)| {
        let name = folder.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    });
    Err(DataError::of_file(
        folder,
        Problem::Folders(names.collect()),
    ))
}

/// The data files and the folders of a folder, by name; skips hidden ones.
fn list(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), DataError> {
    let unreadable = |error| DataError::of_file(folder, Problem::Io(error));
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            folders.push(path);
        } else if is_data(&name) {
            files.push(path);
        }
    }
    files.sort();
    folders.sort();
    Ok((files, folders))
}

fn is_data(name: &str) -> bool {
    let unpacked = PACKED
        .iter()
        .find_map(|end| name.strip_suffix(end)?.strip_suffix('.'));
    let (_, end) = unpacked
        .unwrap_or(name)
        .rsplit_once('.')
        .unwrap_or_default();
    ENDINGS.contains(&end) && !BESIDE.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_splits() {
        for (path, split) in [
            ("data/test-00000-of-00001.parquet", Some(Split::Test)),
            ("mmlu_dev.jsonl.gz", Some(Split::Dev)),
            ("auxiliary_train/rows.parquet", None),
            ("auxiliary_train.parquet", Some(Split::Train)),
            ("val/anatomy.csv", Some(Split::Validation)),
            ("contest.jsonl", None),
            ("latest/rows.jsonl", None),
        ] {
            assert_eq!(Split::of(Path::new(path)), split, "{path}");
        }
    }

    #[test]
    fn one_split_is_asked_and_another_shown() {
        let files = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        let of = |names: &[&str], ask: Split, shown: Split| {
            divide(files(names), &[ask], &[shown]).unwrap()
        };
        let names = ["dev-0.jsonl", "test-0.jsonl", "test-1.jsonl", "train.jsonl"];
        let divided = of(&names, Split::Test, Split::Dev);
        assert_eq!(divided.split, Some(Split::Test));
        assert_eq!(divided.questions, files(&names[1..3]));
        assert_eq!(divided.examples, files(&names[..1]));
        assert_eq!(divided.others, files(&names[3..]));

        let beside = ["dev.jsonl", "test.jsonl", "train.jsonl"];
        let divided = of(&beside, Split::Validation, Split::Train);
        assert_eq!(divided.questions, files(&beside[..1]));
        assert_eq!(divided.examples, files(&beside[2..]));
        let divided = of(&beside[1..], Split::Validation, Split::Train);
        assert_eq!(divided.questions, files(&beside[1..2]));

        let plain = ["a.jsonl", "b.jsonl"];
        assert_eq!(of(&plain, Split::Test, Split::Dev).questions, files(&plain));
        let mixed = files(&["train_stations.csv", "rivers.csv"]);
        let error = divide(mixed, &[Split::Test], &[Split::Dev]).unwrap_err();
        assert!(error.to_string().contains("rivers.csv"), "{error}");
    }
}
