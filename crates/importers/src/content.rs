//! Digests that identify a question across files.

use sureness_questions::{Question, RightOptions};

/// The digests of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digests {
    /// Digest of its content.
    pub(crate) content: [u8; 32],
    /// Digest of its cluster, if its text is known.
    pub(crate) cluster: Option<[u8; 32]>,
}

/// The digests of a question with text, the same as in a run.
pub(crate) fn of_question(
    context: Option<&str>,
    stem: &str,
    options: &[String],
    right: RightOptions,
) -> Digests {
    let trimmed = |text: &str| text.trim().to_owned();
    let question = Question {
        accepted: Vec::new(),
        id: String::new(),
        category: None,
        context: context.map(trimmed).filter(|text| !text.is_empty()),
        stem: trimmed(stem),
        options: options.iter().map(|option| trimmed(option)).collect(),
        right,
    };
    Digests {
        content: question.content_digest(),
        cluster: Some(question.cluster_digest()),
    }
}

/// The digests of a question without text, from its name, such as data set and id.
pub(crate) fn of_name<'a>(parts: impl IntoIterator<Item = &'a str>) -> Digests {
    let mut hasher = blake3::Hasher::new();
    for part in std::iter::once("sureness imported question 1").chain(parts) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    Digests {
        content: hasher.finalize().into(),
        cluster: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_run_together() {
        assert_ne!(of_name(["ab", "c"]), of_name(["a", "bc"]));
        assert_eq!(of_name(["mmlu", "7"]), of_name(["mmlu", "7"]));
    }

    #[test]
    fn blanks_around_texts_do_not_count() {
        let options = ["one".to_owned(), " two ".to_owned()];
        let bare = ["one".to_owned(), "two".to_owned()];
        assert_eq!(
            of_question(Some(" "), " Which? ", &options, 1.into()),
            of_question(None, "Which?", &bare, 1.into())
        );
        assert_ne!(
            of_question(None, "Which?", &bare, 0.into()),
            of_question(None, "Which?", &bare, 1.into())
        );
    }
}
