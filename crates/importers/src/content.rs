//! Digests by which the same question is known in different files.

use sureness_questions::Question;

/// What is known of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    /// The digest of its content.
    pub(crate) content: [u8; 32],
    /// Its cluster, where its text is known.
    pub(crate) cluster: Option<[u8; 32]>,
}

/// The digests of a question whose text is known: the same as in a run of our own.
pub(crate) fn of_question(
    context: Option<&str>,
    stem: &str,
    options: &[String],
    answer: usize,
) -> Known {
    let trimmed = |text: &str| text.trim().to_owned();
    let question = Question {
        id: String::new(),
        category: None,
        context: context.map(trimmed).filter(|text| !text.is_empty()),
        stem: trimmed(stem),
        options: options.iter().map(|option| trimmed(option)).collect(),
        answer,
    };
    Known {
        content: question.content_digest(),
        cluster: Some(question.cluster_digest()),
    }
}

/// The digest of a question of which only the name is known, such as its data set and its id.
pub(crate) fn of_name<'a>(parts: impl IntoIterator<Item = &'a str>) -> Known {
    let mut hasher = blake3::Hasher::new();
    for part in std::iter::once("sureness imported question 1").chain(parts) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    Known {
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
            of_question(Some(" "), " Which? ", &options, 1),
            of_question(None, "Which?", &bare, 1)
        );
        assert_ne!(
            of_question(None, "Which?", &bare, 0),
            of_question(None, "Which?", &bare, 1)
        );
    }
}
