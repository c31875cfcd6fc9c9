//! The branch on which the hub keeps its own copies as Parquet.

use super::{Config, ending};

/// What the folder or the name of an incomplete copy says.
const PARTIAL: &str = "partial";

/// Configurations and splits of `CONFIG/SPLIT/0000.parquet`, and of `CONFIG/NAME-SPLIT.parquet`, as
/// older copies have it.
pub(crate) fn converted(files: &[String]) -> Vec<Config> {
    let mut configs: Vec<Config> = Vec::new();
    for file in files.iter().filter(|file| ending(file) == Some("parquet")) {
        let parts: Vec<_> = file.split('/').collect();
        let (config, split, partial) = match parts[..] {
            [config, folder, _] => match folder.strip_prefix(PARTIAL) {
                Some(split) => (config, split.trim_start_matches('-'), true),
                None => (config, folder, false),
            },
            [config, name] => {
                let name = name.split('.').next().unwrap_or_default();
                let name = match name.split_once("-of-") {
                    Some((shard, _)) => shard.rsplit_once('-').map_or(name, |(begin, _)| begin),
                    None => name,
                };
                let (begin, split) = name.rsplit_once('-').unwrap_or(("", name));
                (config, split, begin.ends_with(PARTIAL))
            }
            _ => continue,
        };
        let at = configs.iter().position(|known| known.name == config);
        let at = at.unwrap_or_else(|| {
            configs.push(Config::new(config));
            configs.len() - 1
        });
        configs[at].add(split, file, partial);
    }
    configs
}

/// Whether all files with questions are named as in a converted copy, by a number alone.
pub(crate) fn is_converted(files: &[String]) -> bool {
    let mut data = files
        .iter()
        .filter(|file| ending(file).is_some())
        .peekable();
    data.peek().is_some()
        && data.all(|file| {
            let name = file.rsplit('/').next().unwrap_or_default();
            let number = name.strip_suffix(".parquet").unwrap_or_default();
            number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_say_configuration_and_split() {
        let files = [
            "all/test/0000.parquet",
            "all/test/0001.parquet",
            "all/partial-train/0000.parquet",
            "law/mmlu-test-00000-of-00001.parquet",
            "law/mmlu-validation.parquet",
            "README.md",
        ];
        let configs = converted(&files.map(str::to_owned));
        let [all, law] = &configs[..] else {
            panic!("{configs:?}");
        };
        let names = |config: &Config| {
            let splits = config.splits.iter();
            splits.map(|split| split.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(
            (names(all), names(law)),
            (
                vec!["test".to_owned(), "train".to_owned()],
                vec!["test".to_owned(), "validation".to_owned()],
            )
        );
        assert_eq!(all.splits[0].files.len(), 2);
        assert!(!all.splits[0].partial && all.splits[1].partial);
    }
}
