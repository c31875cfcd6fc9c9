//! Whether the files of a split are all there, each once, by their own names:
//! `test-00000-of-00002.parquet`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::DataError;
use crate::error::Problem;

/// The most files that a name may count.
const MOST: u32 = 10_000;

/// A file that is one of several by its name.
struct Numbered<'a> {
    file: &'a Path,
    /// Folder and name before the number, which all files of a split share.
    split: PathBuf,
    number: u32,
    total: u32,
    /// The name after the total. Some writers put a hash there that differs from file to file.
    end: String,
}

impl<'a> Numbered<'a> {
    fn of(file: &'a Path) -> Option<Self> {
        let name = file.file_name()?.to_str()?;
        let (left, right) = name.split_once("-of-")?;
        let (begin, number) = left.rsplit_once('-')?;
        let digits = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
        let total = right.get(..5).filter(|total| digits(total))?;
        let total = total.parse().ok().filter(|&total| total <= MOST)?;
        Some(Self {
            file,
            split: file.with_file_name(begin),
            number: Some(number).filter(|number| digits(number))?.parse().ok()?,
            total,
            end: right[5..].to_owned(),
        })
    }

    /// The file with another number.
    fn sibling(&self, number: u32) -> PathBuf {
        let begin = self.split.file_name().unwrap_or_default().to_string_lossy();
        let Self { total, end, .. } = self;
        let name = format!("{begin}-{number:05}-of-{total:05}{end}");
        self.file.with_file_name(name)
    }

    /// Whether a file is in the same split of as many files.
    fn belongs_with(&self, other: &Self) -> bool {
        self.split == other.split && self.total == other.total
    }
}

/// Refuses files of which some are missing, come twice, or are counted in two ways.
pub(crate) fn check(files: &[PathBuf]) -> Result<(), DataError> {
    let mut splits: BTreeMap<PathBuf, Vec<Numbered<'_>>> = BTreeMap::new();
    for file in files.iter().filter_map(|file| Numbered::of(file)) {
        splits.entry(file.split.clone()).or_default().push(file);
    }
    splits.values().try_for_each(|files| check_split(files))
}

fn check_split(files: &[Numbered<'_>]) -> Result<(), DataError> {
    let Some(first) = files.first() else {
        return Ok(());
    };
    let mut known: BTreeMap<u32, &Path> = BTreeMap::new();
    for file in files {
        let fault = |problem| Err(DataError::of_file(file.file, problem));
        if file.total != first.total {
            return fault(Problem::OtherTotal {
                total: file.total,
                file: first.file.to_owned(),
                first: first.total,
            });
        }
        if let Some(twin) = known.insert(file.number, file.file) {
            let file = twin.to_owned();
            return fault(Problem::DoubledShard { file });
        }
    }
    // Some writers count from 1.
    let begin = u32::from(!known.contains_key(&0) && known.contains_key(&first.total));
    let numbers = begin..begin + first.total;
    let missing: Vec<u32> = numbers
        .filter(|number| !known.contains_key(number))
        .collect();
    if !missing.is_empty() {
        // A pattern may name some of the files that are there.
        let there = beside(first);
        if let Some(number) = missing.iter().find(|number| !there.contains(number)) {
            let sibling = first.sibling(*number);
            return Err(DataError::of_file(&sibling, Problem::MissingShard));
        }
    }
    let beyond = known.range(begin + first.total..).next();
    beyond.map_or(Ok(()), |(number, file)| {
        let (number, total) = (*number, first.total);
        Err(DataError::of_file(
            file,
            Problem::BeyondTotal { number, total },
        ))
    })
}

/// The numbers of the files of a split that are in its folder.
fn beside(file: &Numbered<'_>) -> Vec<u32> {
    let folder = file
        .file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let entries = std::fs::read_dir(folder.unwrap_or(Path::new(".")));
    let entries = entries.into_iter().flatten().filter_map(Result::ok);
    let names = entries.map(|entry| file.file.with_file_name(entry.file_name()));
    names
        .filter_map(|path| {
            let other = Numbered::of(&path)?;
            // Another kind of file would not be read with these.
            let kind = |file: &Numbered<'_>| file.file.extension().map(ToOwned::to_owned);
            let same = other.belongs_with(file) && kind(&other) == kind(file);
            same.then_some(other.number)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_knows_how_many_there_are() {
        let file = Numbered::of(Path::new("x/test-00001-of-00003-0a1b.parquet")).unwrap();
        assert_eq!((file.number, file.total), (1, 3));
        assert_eq!(file.split, Path::new("x/test"));
        assert_eq!(
            file.sibling(2),
            Path::new("x/test-00002-of-00003-0a1b.parquet")
        );
        assert!(Numbered::of(Path::new("two-of-three.parquet")).is_none());
    }
}
