//! Splits by the names of files and folders.

use super::{Config, DEFAULT, ending};

/// The split of files whose names say none, if none say one.
const ALL: &str = "train";

/// Configurations and splits by names: `data/test-00000-of-00001.parquet`, `CONFIG/test.jsonl`,
/// `validation/x.csv`.
pub(crate) fn by_names(files: &[String]) -> Vec<Config> {
    let files: Vec<_> = files
        .iter()
        .filter(|file| ending(file).is_some())
        .map(|file| (file, place(file)))
        .collect();
    let named = files.iter().any(|(_, place)| place.split.is_some());
    let mut configs: Vec<Config> = Vec::new();
    for (file, place) in &files {
        let split = match place.split {
            Some(split) => split,
            None if named => continue,
            None => ALL,
        };
        let name = if place.folders.is_empty() {
            DEFAULT.to_owned()
        } else {
            place.folders.join("-")
        };
        let at = configs.iter().position(|config| config.name == name);
        let at = at.unwrap_or_else(|| {
            configs.push(Config::new(&name));
            configs.len() - 1
        });
        configs[at].add(split, file, false);
    }
    configs
}

/// What the path of a file says.
struct Place<'a> {
    split: Option<&'a str>,
    /// The folders that are not those of splits, without `data` at the top.
    folders: Vec<&'a str>,
}

fn place(file: &str) -> Place<'_> {
    let (folders, name) = file.rsplit_once('/').unwrap_or(("", file));
    let mut folders: Vec<_> = folders.split('/').filter(|part| !part.is_empty()).collect();
    if folders.first() == Some(&"data") {
        folders.remove(0);
    }
    let mut split = sharded(name).or_else(|| keyword(name));
    if split.is_none()
        && let Some(at) = folders.iter().rposition(|folder| is_split(folder))
    {
        split = keyword(folders.remove(at));
    }
    // A folder of the split's own name, such as `test/test.csv`, is no configuration.
    folders.retain(|folder| !is_split(folder) || keyword(folder) != split);
    Place { split, folders }
}

/// The split of `auxiliary_train-00000-of-00003.parquet`, whatever its name.
fn sharded(name: &str) -> Option<&str> {
    let (left, right) = name.split_once("-of-")?;
    let (split, number) = left.rsplit_once('-')?;
    let digits = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    let is_shard = digits(number) && right.get(..5).is_some_and(digits);
    (is_shard && !split.is_empty() && split.chars().all(is_word)).then_some(split)
}

/// The split that a word of the name says. `dev` stays apart from `validation`, since MMLU has both.
fn keyword(name: &str) -> Option<&'static str> {
    let name = name.rsplit('/').next()?;
    name.split(|c: char| "-._ 0123456789".contains(c))
        .find_map(|word| match word.to_lowercase().as_str() {
            "train" | "training" => Some("train"),
            "validation" | "valid" | "val" => Some("validation"),
            "dev" => Some("dev"),
            "test" | "testing" | "eval" | "evaluation" => Some("test"),
            _ => None,
        })
}

/// Whether a folder is that of a split: the whole name says so.
fn is_split(folder: &str) -> bool {
    folder.bytes().all(|byte| byte.is_ascii_alphabetic()) && keyword(folder).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(files: &[&str]) -> Vec<String> {
        let files: Vec<_> = files.iter().map(|&file| file.to_owned()).collect();
        crate::files::shown(&by_names(&files))
    }

    #[test]
    fn names_say_splits_and_folders_configurations() {
        let one = [
            "README.md",
            "data/dev-00000-of-00001.parquet",
            "data/test-00000-of-00002.parquet",
            "data/test-00001-of-00002.parquet",
            "data/auxiliary_train-00000-of-00001.parquet",
            ".hidden/test.csv",
            "dataset_infos.json",
        ];
        assert_eq!(
            shown(&one),
            [
                "default/dev: data/dev-00000-of-00001.parquet",
                "default/test: data/test-00000-of-00002.parquet data/test-00001-of-00002.parquet",
                "default/auxiliary_train: data/auxiliary_train-00000-of-00001.parquet",
            ]
        );
        let many = ["all/test.jsonl", "law/test.jsonl", "law/val.jsonl.gz"];
        assert_eq!(
            shown(&many),
            [
                "all/test: all/test.jsonl",
                "law/test: law/test.jsonl",
                "law/validation: law/val.jsonl.gz",
            ]
        );
        let folders = ["test/a.csv", "test/test_b.csv", "train/a.csv", "notes.csv"];
        assert_eq!(
            shown(&folders),
            [
                "default/test: test/a.csv test/test_b.csv",
                "default/train: train/a.csv"
            ]
        );
    }

    #[test]
    fn files_without_a_split_are_one() {
        assert_eq!(
            shown(&["contest.csv", "data/latest.csv"]),
            ["default/train: contest.csv data/latest.csv"]
        );
        assert!(shown(&["README.md", "mmlu.py", "data.tar"]).is_empty());
    }
}
