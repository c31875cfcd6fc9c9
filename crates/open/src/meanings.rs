//! Answers to one question, grouped into meanings.

use crate::{Joined, normalised};

/// An answer as it was given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer<'a> {
    /// Its text.
    pub text: &'a str,
    /// The mean log-probability of its tokens, where it is known.
    pub logprob: Option<f64>,
}

impl Meaning {
    /// Both together.
    fn with(self, other: &Self) -> Self {
        let (own, more) = (f64::from(self.count), f64::from(other.count));
        let sums = self.logprob.zip(other.logprob);
        Self {
            count: self.count + other.count,
            accepted: self.accepted || other.accepted,
            logprob: sums.map(|(a, b)| (a * own + b * more) / (own + more)),
            text: self.text,
        }
    }
}

impl<'a> From<&'a str> for Answer<'a> {
    fn from(text: &'a str) -> Self {
        Self {
            text,
            logprob: None,
        }
    }
}

/// Answers that mean the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Meaning {
    /// The first answer with this meaning, as it was given.
    pub text: String,
    /// Answers with this meaning.
    pub count: u32,
    /// Whether an accepted answer has it.
    pub accepted: bool,
    /// The mean over its answers of the mean log-probability of a token; `None` where one is not known.
    /// Its exponential is the length-normalised likelihood, the inverse of the perplexity.
    pub logprob: Option<f64>,
}

/// The meanings of the answers to one question: the most frequent first, of equally frequent ones that
/// which was given first. Draws are exchangeable, so that this order breaks ties at random.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Meanings {
    groups: Vec<Meaning>,
    given: u32,
    /// Kept, since every draw of an interval asks for both.
    read: u32,
    entropy: f64,
}

impl Meanings {
    /// Groups `answers`, in the order in which they were given, by [`normalised`] exact match. `given`
    /// counts refusals, cut and empty answers as well, which have no meaning.
    ///
    /// Spellings that `accepted` lists stay apart where they differ: grouping them would read the key,
    /// and sureness must not depend on it.
    pub fn of<'a>(
        answers: impl IntoIterator<Item = impl Into<Answer<'a>>>,
        given: u32,
        accepted: &[String],
    ) -> Self {
        let accepted: Vec<String> = accepted.iter().map(|text| normalised(text)).collect();
        let mut groups: Vec<(String, Meaning)> = Vec::new();
        for answer in answers {
            let Answer { text, logprob } = answer.into();
            let normal = normalised(text);
            if let Some((_, meaning)) = groups.iter_mut().find(|(known, _)| *known == normal) {
                meaning.count += 1;
                let sum = meaning.logprob.zip(logprob);
                meaning.logprob = sum.map(|(sum, more)| sum + more);
                continue;
            }
            let meaning = Meaning {
                text: text.trim().to_owned(),
                count: 1,
                accepted: accepted.contains(&normal),
                logprob,
            };
            groups.push((normal, meaning));
        }
        let mut groups: Vec<Meaning> = groups.into_iter().map(|(_, meaning)| meaning).collect();
        for meaning in &mut groups {
            let count = f64::from(meaning.count);
            meaning.logprob = meaning.logprob.map(|sum| sum / count);
        }
        Self::sorted(groups, given)
    }

    /// Meanings that a judge joined: their answers count together, and one is accepted if one of its
    /// spellings is. `joined` is about [`Self::groups`].
    #[must_use]
    pub fn joined(&self, joined: &Joined) -> Self {
        let of_class = |members: Vec<usize>| {
            let mut members = members.iter().filter_map(|&member| self.groups.get(member));
            let first = members.next()?.clone();
            Some(members.fold(first, Meaning::with))
        };
        Self::sorted(joined.classes().filter_map(of_class).collect(), self.given)
    }

    /// The most frequent first; of equally frequent ones, that which comes first.
    fn sorted(mut groups: Vec<Meaning>, given: u32) -> Self {
        // Stable.
        groups.sort_by_key(|meaning| std::cmp::Reverse(meaning.count));
        let read = groups.iter().map(|meaning| meaning.count).sum();
        let mut meanings = Self {
            groups,
            given,
            read,
            entropy: 0.0,
        };
        let term = |meaning: &Meaning| {
            let share = meanings.frequency(meaning);
            -share * share.ln()
        };
        // Rounding could make it -0.
        meanings.entropy = meanings.groups.iter().map(term).sum::<f64>().max(0.0) + 0.0;
        meanings
    }

    /// The meanings in order.
    pub fn groups(&self) -> &[Meaning] {
        &self.groups
    }

    /// The most frequent one; `None` where no answer has a meaning.
    pub fn top(&self) -> Option<&Meaning> {
        self.groups.first()
    }

    /// Answers that were given, those without a meaning included.
    pub fn given(&self) -> u32 {
        self.given
    }

    /// Answers that have a meaning.
    pub fn read(&self) -> u32 {
        self.read
    }

    /// The share of a meaning among the answers that have one.
    pub fn frequency(&self, meaning: &Meaning) -> f64 {
        f64::from(meaning.count) / f64::from(self.read.max(1))
    }

    /// Whether an accepted answer was given at all.
    pub fn is_generated(&self) -> bool {
        self.groups.iter().any(|meaning| meaning.accepted)
    }

    /// The share of accepted answers among all that were given: how probably one answer is right.
    pub fn share_accepted(&self) -> f64 {
        let accepted = self.groups.iter().filter(|meaning| meaning.accepted);
        let count: u32 = accepted.map(|meaning| meaning.count).sum();
        f64::from(count) / f64::from(self.given.max(1))
    }

    /// Discrete semantic entropy in nats, −Σ p ln p over the frequencies of the meanings (Farquhar et
    /// al. 2024, Nature 630, equation 8 with frequencies for probabilities). 0 without any.
    pub fn entropy(&self) -> f64 {
        self.entropy
    }

    /// The nonconformity score of a meaning: 1 − its frequency.
    pub fn nonconformity(&self, meaning: &Meaning) -> f64 {
        1.0 - self.frequency(meaning)
    }

    /// The nonconformity score of the truth: that of the most frequent accepted meaning; infinite where
    /// it was never given.
    pub fn score(&self) -> f64 {
        let mut accepted = self.groups.iter().filter(|meaning| meaning.accepted);
        let first = accepted.next();
        first.map_or(f64::INFINITY, |meaning| self.nonconformity(meaning))
    }

    /// The meanings up to a threshold; where there are none, the most frequent alone, as sets of options
    /// are filled.
    pub fn set(&self, threshold: f64) -> &[Meaning] {
        let within = |meaning: &&Meaning| self.nonconformity(meaning) <= threshold;
        let count = self.groups.iter().take_while(within).count();
        &self.groups[..count.max(1).min(self.groups.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted() -> Vec<String> {
        ["New York City", "NYC"].map(str::to_owned).into()
    }

    #[test]
    fn accepted_spellings_stay_apart_and_each_is_right() {
        let answers = ["NYC", "Boston", "new york city", "the NYC", "Boston"];
        let meanings = Meanings::of(answers, 6, &accepted());
        let counts: Vec<_> = meanings.groups().iter().map(|it| it.count).collect();
        assert_eq!(counts, [2, 2, 1]);
        // Given first among the equally frequent.
        assert_eq!(meanings.top().unwrap().text, "NYC");
        assert!((meanings.share_accepted() - 0.5).abs() < 1e-12);
        assert!((meanings.score() - 0.6).abs() < 1e-12);
        assert_eq!(meanings.set(0.6).len(), 2);
        assert_eq!(meanings.set(0.1).len(), 1, "filled");
        let entropy = -(0.8 * 0.4_f64.ln() + 0.2 * 0.2_f64.ln());
        assert!((meanings.entropy() - entropy).abs() < 1e-12);
    }

    #[test]
    fn a_truth_that_was_never_given_has_no_finite_score() {
        let meanings = Meanings::of(["Boston"], 1, &accepted());
        assert!(!meanings.is_generated());
        assert!(meanings.score().is_infinite());
        let none = Meanings::of([""; 0], 3, &accepted());
        assert_eq!((none.top(), none.set(0.5).len()), (None, 0));
        assert!(none.entropy().abs() < f64::EPSILON);
    }
}
