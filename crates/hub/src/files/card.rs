//! What a data set's card, `README.md`, says about its files.

use std::collections::BTreeMap;

use glob::{MatchOptions, Pattern};
use serde::Deserialize;

use super::names::by_names;
use super::{Config, ending};
use crate::HubError;

/// Wildcards stay within a folder; `**` crosses them.
const MATCH: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// The part of the front matter that is read.
#[derive(Debug, Deserialize)]
struct Card {
    #[serde(default)]
    configs: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    config_name: String,
    data_files: Option<DataFiles>,
    data_dir: Option<String>,
    #[serde(default)]
    default: bool,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum DataFiles {
    One(String),
    Many(Vec<Item>),
    BySplit(BTreeMap<String, Paths>),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Item {
    Split { split: String, path: Paths },
    Path(String),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Paths {
    One(String),
    Many(Vec<String>),
}

impl Paths {
    fn all(&self) -> &[String] {
        match self {
            Self::One(path) => std::slice::from_ref(path),
            Self::Many(paths) => paths,
        }
    }
}

/// The configurations that a card lists; `None` if it lists none. `all` says that `files` are all
/// files of the repository.
pub(crate) fn configs(
    repo: &str,
    text: &str,
    files: &[String],
    all: bool,
) -> Result<Option<Vec<Config>>, HubError> {
    let Some(matter) = front_matter(text).filter(|matter| matter.contains("configs:")) else {
        return Ok(None);
    };
    let card: Card = serde_saphyr::from_str(matter).map_err(|error| HubError::Card {
        repo: repo.to_owned(),
        problem: error
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned(),
    })?;
    // Without files an entry only sets options of `datasets`.
    let entries: Vec<_> = card
        .configs
        .iter()
        .filter(|entry| entry.data_files.is_some() || entry.data_dir.is_some())
        .collect();
    if entries.is_empty() {
        return Ok(None);
    }
    let read = entries.into_iter().map(|entry| {
        let mut config = Config::new(&entry.config_name);
        config.default = entry.default;
        config.problem = fill(&mut config, entry, files, all).err();
        config
    });
    Ok(Some(read.collect()))
}

/// The YAML between the first two lines of dashes.
fn front_matter(text: &str) -> Option<&str> {
    let text = text.trim_start_matches('\u{feff}');
    let rest = text.strip_prefix("---")?.trim_start_matches([' ', '\r']);
    let rest = rest.strip_prefix('\n')?;
    let end = rest.find("\n---")?;
    rest.get(..=end)
}

fn fill(config: &mut Config, entry: &Entry, files: &[String], all: bool) -> Result<(), String> {
    let folder = entry.data_dir.as_deref().map(|folder| {
        let folder = folder.trim_start_matches("./").trim_matches('/');
        if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        }
    });
    let folder = folder.unwrap_or_default();
    let mut add = |split: &str, paths: &[String]| -> Result<(), String> {
        config.split(split);
        for path in paths {
            let path = format!("{folder}{}", path.trim_start_matches("./"));
            for file in matching(&path, files, all)? {
                config.add(split, &file, false);
            }
        }
        Ok(())
    };
    // Files without a split are those of `train`, as in `datasets`.
    match &entry.data_files {
        Some(DataFiles::One(path)) => add("train", std::slice::from_ref(path))?,
        Some(DataFiles::Many(items)) => {
            for item in items {
                match item {
                    Item::Split { split, path } => add(split, path.all())?,
                    Item::Path(path) => add("train", std::slice::from_ref(path))?,
                }
            }
        }
        Some(DataFiles::BySplit(splits)) => {
            for (split, paths) in splits {
                add(split, paths.all())?;
            }
        }
        None => {
            let below: Vec<_> = files
                .iter()
                .filter_map(|file| file.strip_prefix(&folder).map(str::to_owned))
                .collect();
            for found in by_names(&below) {
                for split in found.splits {
                    for file in split.files {
                        config.add(&split.name, &format!("{folder}{file}"), false);
                    }
                }
            }
        }
    }
    Ok(())
}

/// The files that a path or a pattern of the card names.
fn matching(path: &str, files: &[String], all: bool) -> Result<Vec<String>, String> {
    let pattern = Pattern::new(path).map_err(|error| format!("{path:?}: {error}"))?;
    let found: Vec<_> = files
        .iter()
        .filter(|file| *file == path || pattern.matches_with(file, MATCH))
        .collect();
    if found.is_empty() {
        return match (all, path.contains(['*', '?', '['])) {
            (true, _) => Err(format!(
                "README.md names {path:?}, but there is no such file"
            )),
            (false, true) => Ok(Vec::new()),
            // Missed when it is to be read.
            (false, false) => Ok(vec![path.to_owned()]),
        };
    }
    match found.iter().find(|file| ending(file).is_none()) {
        Some(other) => Err(format!("{other} belongs to it, which is not read")),
        None => Ok(found.into_iter().cloned().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::shown;

    fn read(card: &str, files: &[&str]) -> Result<Option<Vec<Config>>, HubError> {
        let files: Vec<_> = files.iter().map(|&file| file.to_owned()).collect();
        configs("o/n", card, &files, true)
    }

    #[test]
    fn a_card_says_which_files_are_which_split() {
        let card = "---\nlicense: mit\nconfigs:\n- config_name: all\n  default: true\n  data_files:\n  \
                    - split: test\n    path: all/test-*\n  - split: dev\n    path:\n    - a.csv\n    \
                    - b.csv\n- config_name: 2020\n  data_files: whole.jsonl\n- config_name: de\n  \
                    data_dir: langs/de\n- config_name: fr\n  data_files:\n    test: fr/*.csv\n---\n# x\n";
        let files = [
            "all/test-00000-of-00001.parquet",
            "a.csv",
            "b.csv",
            "whole.jsonl",
            "langs/de/test.csv",
            "langs/de/dev.csv",
            "fr/x.csv",
        ];
        let configs = read(card, &files).unwrap().unwrap();
        assert_eq!(
            shown(&configs),
            [
                "all/test: all/test-00000-of-00001.parquet",
                "all/dev: a.csv b.csv",
                "2020/train: whole.jsonl",
                "de/test: langs/de/test.csv",
                "de/dev: langs/de/dev.csv",
                "fr/test: fr/x.csv",
            ]
        );
        assert!(configs[0].default && !configs[1].default);
    }

    #[test]
    fn aliases_that_unfold_without_end_are_refused() {
        let mut card = "---\na0: &a0 [x, x]\n".to_owned();
        for level in 1..40 {
            let inner = level - 1;
            card += &format!("a{level}: &a{level} [*a{inner}, *a{inner}]\n");
        }
        card += "configs: *a39\n---\n";
        assert!(read(&card, &["test.csv"]).is_err());
    }

    #[test]
    fn a_card_without_files_leaves_the_names_to_decide() {
        for card in [
            "# no front matter",
            "---\nlicense: mit\n---\n",
            "---\nconfigs:\n- config_name: all\n---\n",
            "---\nconfigs: []\n---\n",
            "",
        ] {
            assert_eq!(read(card, &["test.csv"]).unwrap(), None, "{card}");
        }
    }

    #[test]
    fn files_that_are_missing_or_not_read_are_told() {
        let card = |path: &str| {
            format!(
                "---\nconfigs:\n- config_name: all\n  data_files:\n  - split: test\n    path: {path:?}\n---\n"
            )
        };
        for (path, words) in [
            ("test-*", "\"test-*\", but there is no such file"),
            (
                "pictures.zip",
                "pictures.zip belongs to it, which is not read",
            ),
            ("a[", "\"a[\""),
        ] {
            let configs = read(&card(path), &["pictures.zip"]).unwrap().unwrap();
            let problem = configs[0].problem.as_deref().unwrap();
            assert!(problem.contains(words), "{problem}");
        }
        let broken = "---\nconfigs:\n- config_name: [\n---\n";
        let error = read(broken, &[]).unwrap_err().to_string();
        assert!(error.contains("README.md"), "{error}");
    }
}
