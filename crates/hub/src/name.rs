//! Names of data sets.

use std::fmt;
use std::str::FromStr;

use crate::HubError;

/// What a name begins with.
const PREFIX: &str = "hf:";
/// The longest name of an owner or a repository on the hub.
const MAX_PART: usize = 96;

/// A data set on the hub: `hf:OWNER/NAME[@REVISION][:CONFIG[/SPLIT]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetName {
    /// Owner and name, such as `cais/mmlu`; the oldest data sets have no owner.
    pub repo: String,
    /// A branch, a tag or a commit; `None` for `main`.
    pub revision: Option<String>,
    /// The configuration, which the hub's pages call subset.
    pub config: Option<String>,
    /// The split.
    pub split: Option<String>,
}

impl DatasetName {
    /// Whether a path is meant as a name: it begins with `hf:`.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with(PREFIX)
    }
}

impl FromStr for DatasetName {
    type Err = HubError;

    /// Reads a name, with or without `hf:`.
    fn from_str(text: &str) -> Result<Self, HubError> {
        let wrong = |problem: String| HubError::Name {
            name: text.to_owned(),
            problem,
        };
        let rest = text.strip_prefix(PREFIX).unwrap_or(text);
        let (left, part) = match rest.split_once(':') {
            Some((left, part)) => (left, Some(part)),
            None => (rest, None),
        };
        let (repo, revision) = match left.split_once('@') {
            Some((repo, revision)) => (repo, Some(revision)),
            None => (left, None),
        };
        if !is_repo(repo) {
            return Err(wrong(format!(
                "{repo:?} cannot be the name of a data set on the hub"
            )));
        }
        if let Some(revision) = revision.filter(|revision| !is_revision(revision)) {
            return Err(wrong(format!("{revision:?} cannot be a revision")));
        }
        let (config, split) = match part.map(|part| part.rsplit_once('/').unwrap_or((part, ""))) {
            None => (None, None),
            Some((config, split)) => (Some(config), Some(split).filter(|_| part != Some(config))),
        };
        if let Some(config) = config.filter(|config| !is_config(config)) {
            return Err(wrong(format!(
                "{config:?} cannot be the name of a configuration"
            )));
        }
        if let Some(split) = split.filter(|split| !is_split(split)) {
            return Err(wrong(format!("{split:?} cannot be the name of a split")));
        }
        Ok(Self {
            repo: repo.to_owned(),
            revision: revision.map(str::to_owned),
            config: config.map(str::to_owned),
            split: split.map(str::to_owned),
        })
    }
}

impl fmt::Display for DatasetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.repo)?;
        for (mark, part) in [
            ('@', &self.revision),
            (':', &self.config),
            ('/', &self.split),
        ] {
            if let Some(part) = part {
                write!(f, "{mark}{part}")?;
            }
        }
        Ok(())
    }
}

/// Names are also folders of the cache, in which `--` stands for the slash.
fn is_repo(text: &str) -> bool {
    let is_part = |part: &str| {
        let edge = |c: char| matches!(c, '-' | '.');
        !part.is_empty()
            && part.len() <= MAX_PART
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
            && !part.starts_with(edge)
            && !part.ends_with(edge)
            && !part.contains("--")
            && !part.contains("..")
    };
    text.split('/').count() <= 2 && text.split('/').all(is_part)
}

/// What git takes for a branch or a tag. Revisions are paths below `refs` in the cache.
pub(crate) fn is_revision(text: &str) -> bool {
    !text.is_empty()
        && text
            .split('/')
            .all(|part| !part.is_empty() && !part.starts_with('.'))
        && !text.contains("..")
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "\\~^:?*[@".contains(c))
}

fn is_config(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_control() || matches!(c, '/' | '\\'))
}

fn is_split(text: &str) -> bool {
    let is_word = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
    };
    text.split('.').all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_but_the_first_may_be_left_out() {
        for text in [
            "hf:squad",
            "hf:cais/mmlu",
            "hf:cais/mmlu@main",
            "hf:cais/mmlu:all",
            "hf:cais/mmlu:all/test",
            "hf:cais/mmlu@refs/convert/parquet:high school/auxiliary_train",
        ] {
            assert_eq!(text.parse::<DatasetName>().unwrap().to_string(), text);
        }
        let name: DatasetName = "cais/mmlu@v1.0:all".parse().unwrap();
        assert_eq!(name.to_string(), "hf:cais/mmlu@v1.0:all");
    }

    #[test]
    fn what_cannot_be_a_name_is_told() {
        for (text, part) in [
            ("hf:", "\"\""),
            ("hf:cais/", "\"cais/\""),
            ("hf:../../etc", "\"../../etc\""),
            ("hf:a/b/c", "\"a/b/c\""),
            ("hf:a--b", "\"a--b\""),
            ("hf:cais/mmlu@", "\"\""),
            ("hf:cais/mmlu@../../x", "\"../../x\""),
            ("hf:cais/mmlu@a@b", "\"a@b\""),
            ("hf:cais/mmlu:", "\"\" cannot be the name of a conf"),
            ("hf:cais/mmlu:/test", "\"\" cannot be the name of a conf"),
            ("hf:cais/mmlu:all/", "\"\" cannot be the name of a split"),
            ("hf:cais/mmlu:a/b/test", "\"a/b\""),
            ("hf:cais/mmlu:all/test[:10]", "\"test[:10]\""),
        ] {
            let error = text.parse::<DatasetName>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
