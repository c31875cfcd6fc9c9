//! Which questions belong together.
//!
//! Questions about one passage are right or wrong together more often than others are. Whoever
//! counts them as independent takes few passages for many questions; so each question carries a
//! digest that it shares with the rest of its cluster.

use crate::Question;
use crate::digest::Digest;
use crate::question::is_abstention;

impl Question {
    /// A hash that is the same for questions that belong together: those with one context; else
    /// those with one stem and the same options in whatever order.
    ///
    /// Neither blanks around texts nor the abstention options count, nor which option is right: a
    /// copy of a question with its options shuffled is in the cluster of the original.
    pub fn cluster_digest(&self) -> [u8; 32] {
        let digest = Digest::new("sureness cluster 1");
        let context = self.context.as_deref().map(str::trim);
        if let Some(context) = context.filter(|context| !context.is_empty()) {
            return digest.text("context").text(context).finish();
        }
        let options = self.options.iter().map(|option| option.trim());
        let mut options: Vec<&str> = options.filter(|option| !is_abstention(option)).collect();
        options.sort_unstable();
        options.dedup();
        let digest = digest.text("question").text(self.stem.trim());
        let digest = options.into_iter().fold(digest, Digest::text);
        digest.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(context: Option<&str>, stem: &str, options: &[&str], answer: usize) -> Question {
        Question {
            id: "1".to_owned(),
            category: None,
            context: context.map(str::to_owned),
            stem: stem.to_owned(),
            options: options.iter().map(|&option| option.to_owned()).collect(),
            answer,
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
}
