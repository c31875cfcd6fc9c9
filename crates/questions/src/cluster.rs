//! Which questions belong together.
//!
//! Answers to questions about one passage are correlated, and treating them as independent makes
//! intervals too narrow. So all questions of a cluster share a digest.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Problem;
use crate::question::Digest;
use crate::readers::{Record, wrong_type};
use crate::source::At;
use crate::{DataError, Question};

/// How questions are grouped into clusters.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub enum ClusterBy {
    /// The context, if any; see [`Question::cluster_digest`].
    #[default]
    Auto,
    /// The category, required for every question.
    Category,
    /// The value of a column, or of a key of JSON lines, required for every question.
    Column(String),
    /// Each question is its own cluster.
    Nothing,
}

impl FromStr for ClusterBy {
    type Err = String;

    /// Reads `auto`, `category`, `none`, or the name of a column.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "" => Err("must be category, none, or the name of a column".to_owned()),
            "auto" => Ok(Self::Auto),
            "category" => Ok(Self::Category),
            "none" => Ok(Self::Nothing),
            column => Ok(Self::Column(column.to_owned())),
        }
    }
}

impl TryFrom<String> for ClusterBy {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ClusterBy> for String {
    fn from(by: ClusterBy) -> Self {
        by.name().to_owned()
    }
}

impl ClusterBy {
    /// The name that [`ClusterBy::from_str`] reads.
    pub fn name(&self) -> &str {
        match self {
            Self::Auto => "auto",
            Self::Category => "category",
            Self::Column(column) => column,
            Self::Nothing => "none",
        }
    }

    /// The column that clusters come from, if they do.
    pub(crate) fn column(&self) -> Option<&str> {
        match self {
            Self::Column(column) => Some(column),
            _ => None,
        }
    }

    /// The cluster from a row's column; `None` without one.
    pub(crate) fn of_record(&self, record: &Record<'_>) -> Result<Option<[u8; 32]>, DataError> {
        let Self::Column(column) = self else {
            return Ok(None);
        };
        let text = match record.required(column)? {
            Value::String(text) => text.clone(),
            value @ (Value::Number(_) | Value::Bool(_)) => value.to_string(),
            other => {
                let problem = wrong_type("a string or a number", other);
                return Err(record.at.field(column, problem));
            }
        };
        of_text(column, &text, record.at).map(Some)
    }

    /// Index of the cluster column in a table, if any.
    pub(crate) fn place(&self, names: &[String], at: At<'_>) -> Result<Option<usize>, DataError> {
        let Self::Column(column) = self else {
            return Ok(None);
        };
        let exact = names.iter().position(|name| name == column);
        let place = exact.or_else(|| {
            let alike = |name: &String| name.eq_ignore_ascii_case(column);
            names.iter().position(alike)
        });
        let found = names.to_vec();
        place
            .ok_or_else(|| at.field(column, Problem::Missing { found }))
            .map(Some)
    }

    /// The cluster from a cell.
    pub(crate) fn of_cell(&self, text: &str, at: At<'_>) -> Result<[u8; 32], DataError> {
        of_text(self.name(), text, at)
    }

    /// The cluster of a question without its file. `None` if the category is missing, and always for
    /// columns.
    pub fn digest(&self, question: &Question) -> Option<[u8; 32]> {
        match self {
            Self::Auto => Some(question.cluster_digest()),
            Self::Category => {
                let category = question.category.as_deref()?;
                Some(named("category", category))
            }
            Self::Column(_) => None,
            Self::Nothing => Some(question.content_digest()),
        }
    }

    /// The question's cluster; `column` is the one from its row's column.
    pub(crate) fn of(
        &self,
        question: &Question,
        column: Option<[u8; 32]>,
        at: At<'_>,
    ) -> Result<[u8; 32], DataError> {
        let cluster = column.or_else(|| self.digest(question));
        cluster.ok_or_else(|| {
            let problem = match self {
                Self::Column(_) => Problem::NoColumns,
                _ => Problem::NoCluster,
            };
            at.field(self.name(), problem)
        })
    }
}

/// The cluster of this text in a column.
fn of_text(column: &str, text: &str, at: At<'_>) -> Result<[u8; 32], DataError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(at.field(column, Problem::Blank));
    }
    Ok(named(column, text))
}

/// The cluster of the questions with this text in this column.
fn named(column: &str, text: &str) -> [u8; 32] {
    let digest = Digest::new("sureness cluster 1");
    digest.text("column").text(column).text(text).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(context: Option<&str>, stem: &str, options: &[&str], answer: usize) -> Question {
        Question {
            accepted: Vec::new(),
            id: "1".to_owned(),
            category: None,
            context: context.map(str::to_owned),
            stem: stem.to_owned(),
            options: options.iter().map(|&option| option.to_owned()).collect(),
            right: answer.into(),
        }
    }

    #[test]
    fn questions_about_one_passage_are_together() {
        let first = question(Some("It rained. "), "Why?", &["a", "b"], 0);
        let second = question(Some(" It rained."), "Who?", &["c", "d"], 1);
        assert_eq!(first.cluster_digest(), second.cluster_digest());
        let other = question(Some("It snowed."), "Why?", &["a", "b"], 0);
        assert_ne!(first.cluster_digest(), other.cluster_digest());
        // A text is a cluster as a context alone.
        let stem = question(None, "It rained.", &["a", "b"], 0);
        assert_ne!(first.cluster_digest(), stem.cluster_digest());
    }

    #[test]
    fn without_a_passage_copies_are_together_however_their_options_stand() {
        let first = question(None, "Why?", &["a", "b", "c"], 0);
        let shuffled = question(Some("  "), " Why?", &["c ", "a", "b", "a"], 1);
        assert_eq!(first.cluster_digest(), shuffled.cluster_digest());
        assert_eq!(
            first.clone().with_abstention().cluster_digest(),
            first.cluster_digest()
        );
        for other in [
            question(None, "Why?", &["a", "b"], 0),
            question(None, "Why", &["a", "b", "c"], 0),
            question(None, "Why?", &["a", "bc", ""], 0),
        ] {
            assert_ne!(first.cluster_digest(), other.cluster_digest());
        }
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in ["auto", "category", "none", "passage_id"] {
            assert_eq!(name.parse::<ClusterBy>().unwrap().name(), name);
        }
        assert!(" ".parse::<ClusterBy>().is_err());
    }
}
