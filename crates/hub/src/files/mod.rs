//! Which files of a repository belong to which configuration and split.
//!
//! The card decides where it says so ([`card`]). Else the names of files and folders do, by the rules
//! of `datasets` ([`names`]), except that folders of files are configurations: `datasets` would read
//! them as one. On the branch of converted copies, folders are configurations and splits
//! ([`converted`]).

pub(crate) mod card;
mod converted;
mod names;

pub(crate) use converted::{converted, is_converted};
pub(crate) use names::by_names;

use crate::HubError;

/// The name of the only configuration, as `datasets` has it.
pub(crate) const DEFAULT: &str = "default";
/// Endings of files with questions, before those of compression.
const ENDINGS: [&str; 6] = ["parquet", "jsonl", "ndjson", "json", "csv", "tsv"];
const PACKED: [&str; 2] = [".gz", ".zst"];
/// Files that libraries put beside the data.
const BESIDE: [&str; 8] = [
    "config.json",
    "dataset_dict.json",
    "dataset_info.json",
    "dataset_infos.json",
    "metadata.csv",
    "metadata.jsonl",
    "package.json",
    "state.json",
];

/// A split and its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitFiles {
    /// The name, such as `test`.
    pub name: String,
    /// Paths in the repository, in order.
    pub files: Vec<String>,
    /// Whether the hub holds only the beginning of it.
    pub(crate) partial: bool,
}

/// A configuration: a data set in the data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) name: String,
    pub(crate) splits: Vec<SplitFiles>,
    /// Whether the card says that it is the default.
    pub(crate) default: bool,
    /// Why its files cannot be told.
    pub(crate) problem: Option<String>,
}

impl Config {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            splits: Vec::new(),
            default: false,
            problem: None,
        }
    }

    /// Adds a file to a split.
    fn add(&mut self, split: &str, file: &str, partial: bool) {
        let split = self.split(split);
        if !split.files.iter().any(|known| known == file) {
            split.files.push(file.to_owned());
        }
        split.partial |= partial;
    }

    /// The split of a name, added if missing.
    fn split(&mut self, split: &str) -> &mut SplitFiles {
        let at = self.splits.iter().position(|known| known.name == split);
        let at = at.unwrap_or_else(|| {
            self.splits.push(SplitFiles {
                name: split.to_owned(),
                files: Vec::new(),
                partial: false,
            });
            self.splits.len() - 1
        });
        &mut self.splits[at]
    }
}

/// The chosen configuration; else the default one, else the only one.
pub(crate) fn choose(
    repo: &str,
    configs: &[Config],
    config: Option<&str>,
) -> Result<Config, HubError> {
    let known: Vec<_> = configs.iter().map(|config| config.name.clone()).collect();
    let default = |config: &Config| known.len() == 1 || config.default;
    let chosen = match config {
        Some(name) => configs.iter().find(|config| config.name == name),
        None => configs
            .iter()
            .find(|config| default(config))
            .or_else(|| configs.iter().find(|config| config.name == DEFAULT)),
    };
    let Some(chosen) = chosen else {
        return Err(HubError::Config {
            repo: repo.to_owned(),
            config: config.map(str::to_owned),
            known,
        });
    };
    match &chosen.problem {
        None => Ok(chosen.clone()),
        Some(problem) => Err(HubError::Files {
            repo: repo.to_owned(),
            config: chosen.name.clone(),
            problem: problem.clone(),
        }),
    }
}

/// Refuses a split in several formats: they may hold the same rows.
pub(crate) fn check_formats(repo: &str, config: &str, split: &SplitFiles) -> Result<(), HubError> {
    let mut files = split.files.iter();
    let Some(first) = files.next() else {
        return Ok(());
    };
    match files.find(|file| ending(file) != ending(first)) {
        None => Ok(()),
        Some(other) => Err(HubError::Files {
            repo: repo.to_owned(),
            config: config.to_owned(),
            problem: format!(
                "split {} has files in two formats, {first} and {other}, which may hold the same rows",
                split.name
            ),
        }),
    }
}

/// The ending of a file that may hold questions.
pub(crate) fn ending(file: &str) -> Option<&'static str> {
    let name = file.rsplit('/').next()?.to_lowercase();
    if BESIDE.contains(&name.as_str()) || is_hidden(file) {
        return None;
    }
    let unpacked = PACKED.iter().find_map(|end| name.strip_suffix(end));
    let (_, end) = unpacked.unwrap_or(&name).rsplit_once('.')?;
    ENDINGS.into_iter().find(|known| *known == end)
}

/// Whether `datasets` passes over a file, since its name or a folder's begins with a dot or two low
/// lines.
fn is_hidden(file: &str) -> bool {
    file.split('/')
        .any(|part| part.starts_with('.') || part.starts_with("__"))
}

/// `config/split: files`, one a line.
#[cfg(test)]
fn shown(configs: &[Config]) -> Vec<String> {
    let lines = configs.iter().flat_map(|config| {
        let splits = config.splits.iter();
        splits.map(|it| format!("{}/{}: {}", config.name, it.name, it.files.join(" ")))
    });
    lines.collect()
}
