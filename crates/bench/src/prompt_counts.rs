//! Whether a server reads whole prompts: its counts of their tokens beside their lengths.
//!
//! A server that drops what does not fit counts the same number of tokens for prompts of any length
//! beyond that. So the largest count tells: prompts of different lengths that share it were cut, and
//! so was a prompt that is much longer than any text of so many tokens.

use sureness_report::CutPrompts;

/// Prompts that share the largest count are cut if the longest is longer by this factor, and by
/// [`APART_BYTES`]: by the first factor from three prompts on, by the second for two.
const APART: [f64; 2] = [1.5, 3.0];
const APART_BYTES: usize = 1000;
/// Prompts that share it are cut, too, if there are as many as this, at least this share of all, and
/// this far apart in length. Few prompts have the largest count unless something caps it.
const MANY: usize = 8;
const LARGE_SHARE: f64 = 0.2;
const MANY_APART: f64 = 1.02;
const MANY_APART_BYTES: usize = 200;
/// No text of ordinary words has more bytes per token; prompts below [`LONG_BYTES`] are not judged so.
const MOST_BYTES_PER_TOKEN: usize = 30;
const LONG_BYTES: usize = 4000;

/// Lengths are compared by powers of two: a prompt of a class so many above another's has more than
/// four times its bytes, and yet fewer tokens only if it was cut.
const CLASSES: usize = 24;
const CLASSES_APART: usize = 3;

/// Whole prompts of one class differ by less than this factor in their tokens. Where counts differ by
/// more, the server leaves out what its cache holds, and small counts say nothing.
const MOST_RATIO: u32 = 10;
/// Counts of cut prompts are nearly one: they differ by less than this factor. Those of a warm cache
/// vary with the rest of the prompt.
const CUT_RATIO: f64 = 1.25;

/// The extreme counts of prompts of about one length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Extremes {
    /// The smallest count, and the bytes of the longest prompt with it.
    least: (u32, usize),
    /// The largest count.
    most: u32,
}

impl Extremes {
    fn with(self, other: Self) -> Self {
        let key = |(tokens, bytes): (u32, usize)| (tokens, std::cmp::Reverse(bytes));
        Self {
            least: std::cmp::min_by_key(self.least, other.least, |it| key(*it)),
            most: self.most.max(other.most),
        }
    }
}

/// The counts of a server so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PromptCounts {
    /// Prompts with a count.
    prompts: usize,
    /// The largest count.
    tokens: u32,
    /// Prompts with this count.
    sharing: usize,
    /// Bytes of the shortest and the longest of these.
    shortest: usize,
    longest: usize,
    /// Bytes of the longest prompt, whatever its count.
    longest_of_all: usize,
    /// By the power of two below the bytes.
    classes: [Option<Extremes>; CLASSES],
}

impl PromptCounts {
    /// Adds a prompt of so many bytes that the server counted as so many tokens.
    pub(crate) fn add(&mut self, bytes: usize, tokens: u32) {
        self.prompts += 1;
        self.longest_of_all = self.longest_of_all.max(bytes);
        let class = (bytes.max(1).ilog2() as usize).min(CLASSES - 1);
        self.join(
            class,
            Some(Extremes {
                least: (tokens, bytes),
                most: tokens,
            }),
        );
        if tokens > self.tokens || self.prompts == 1 {
            (self.tokens, self.sharing) = (tokens, 0);
            (self.shortest, self.longest) = (bytes, bytes);
        }
        if tokens == self.tokens {
            self.sharing += 1;
            self.shortest = self.shortest.min(bytes);
            self.longest = self.longest.max(bytes);
        }
    }

    fn join(&mut self, class: usize, other: Option<Extremes>) {
        let known = &mut self.classes[class];
        *known = match (*known, other) {
            (Some(one), Some(other)) => Some(one.with(other)),
            (one, other) => one.or(other),
        };
    }

    /// The tokens and bytes of a long prompt that has fewer tokens than a much shorter one.
    fn shrunk(&self) -> Option<(u32, usize)> {
        let mut most_of_shorter = 0;
        (CLASSES_APART..CLASSES).find_map(|class| {
            if let Some(shorter) = self.classes[class - CLASSES_APART] {
                most_of_shorter = most_of_shorter.max(shorter.most);
            }
            let (tokens, bytes) = self.classes[class]?.least;
            (bytes >= LONG_BYTES && tokens < most_of_shorter).then_some((tokens, bytes))
        })
    }

    /// Whether the counts seem to leave out cached tokens.
    fn leave_out_the_cache(&self) -> bool {
        let mut classes = self.classes.iter().flatten();
        classes.any(|class| class.most >= MOST_RATIO.saturating_mul(class.least.0.max(1)))
    }

    /// Whether all long prompts have about the same count.
    fn are_alike_where_long(&self) -> bool {
        let mut long = self.classes[LONG_BYTES.ilog2() as usize..].iter().flatten();
        long.all(|class| f64::from(self.tokens) <= CUT_RATIO * f64::from(class.least.0))
    }

    /// Adds the prompts of another count.
    pub(crate) fn merge(&mut self, other: &Self) {
        if other.prompts == 0 {
            return;
        }
        for (class, extremes) in other.classes.iter().enumerate() {
            self.join(class, *extremes);
        }
        let classes = self.classes;
        let merged = match self.tokens.cmp(&other.tokens) {
            _ if self.prompts == 0 => *other,
            std::cmp::Ordering::Less => *other,
            std::cmp::Ordering::Greater => *self,
            std::cmp::Ordering::Equal => Self {
                sharing: self.sharing + other.sharing,
                shortest: self.shortest.min(other.shortest),
                longest: self.longest.max(other.longest),
                ..*self
            },
        };
        *self = Self {
            prompts: self.prompts + other.prompts,
            longest_of_all: self.longest_of_all.max(other.longest_of_all),
            classes,
            ..merged
        };
    }

    /// Whether a prompt has this count.
    pub(crate) fn reaches(&self, tokens: u32) -> bool {
        self.prompts > 0 && self.tokens >= tokens
    }

    /// What shows that prompts were cut, or that the server does not count.
    pub(crate) fn cut(&self) -> Option<CutPrompts> {
        let factor = self.longest as f64 / self.shortest.max(1) as f64;
        let needed = if self.sharing > 2 { APART[0] } else { APART[1] };
        let share_a_count = factor >= needed && self.longest - self.shortest >= APART_BYTES;
        let many = self.sharing >= MANY
            && self.sharing as f64 >= LARGE_SHARE * self.prompts as f64
            && factor >= MANY_APART
            && self.longest - self.shortest >= MANY_APART_BYTES;
        let too_few = self.longest_of_all >= LONG_BYTES
            && self.are_alike_where_long()
            && self.tokens as usize * MOST_BYTES_PER_TOKEN < self.longest_of_all;
        let found = |shortest, longest| CutPrompts {
            tokens: self.tokens,
            shortest_bytes: shortest,
            longest_bytes: longest,
        };
        if self.prompts == 0 {
            None
        } else if self.tokens == 0 {
            // One alone may be a slip.
            (self.prompts > 1).then(|| found(self.shortest, self.longest_of_all))
        } else if share_a_count || many {
            Some(found(self.shortest, self.longest))
        } else if self.leave_out_the_cache() {
            None
        } else if let Some((tokens, bytes)) = self.shrunk() {
            Some(CutPrompts {
                tokens,
                ..found(bytes, bytes)
            })
        } else {
            too_few.then(|| found(self.longest_of_all, self.longest_of_all))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counts(prompts: &[(usize, u32)]) -> PromptCounts {
        let mut counts = PromptCounts::default();
        for &(bytes, tokens) in prompts {
            counts.add(bytes, tokens);
        }
        counts
    }

    #[test]
    fn prompts_of_different_lengths_and_one_count_were_cut() {
        let cut = |prompts: &[(usize, u32)]| counts(prompts).cut().map(|cut| cut.tokens);
        assert_eq!(cut(&[(12_000, 2048), (80_000, 2048)]), Some(2048));
        assert_eq!(
            cut(&[(900, 230), (9_000, 2048), (12_000, 2048), (15_000, 2048)]),
            Some(2048)
        );
        // All are longer than the context, by a little each.
        let all: Vec<_> = (0..12).map(|i| (9_000 + 50 * i, 2048)).collect();
        assert_eq!(cut(&all), Some(2048));
        // One alone, but longer than any text of so many tokens.
        assert_eq!(cut(&[(80_000, 512)]), Some(512));
        // Cut to less than what fits, in the middle or by blocks.
        assert_eq!(cut(&[(2_300, 590), (17_000, 300), (9_000, 300)]), Some(300));
        assert_eq!(cut(&[(2_300, 590), (9_000, 600), (17_000, 4_000)]), None);
        // A server that leaves cached tokens out of the count, before its cache is warm and after.
        let warming = [
            (900, 230),
            (9_000, 2_200),
            (9_100, 45),
            (9_050, 80),
            (9_200, 61),
        ];
        assert_eq!(cut(&warming), None);
        assert_eq!(cut(&[(9_000, 45), (9_100, 80), (9_050, 61)]), None);
        // Nothing is counted.
        assert_eq!(cut(&[(300, 0), (400, 0)]), Some(0));
        // Whole prompts, two of one length, and short ones that share a count.
        assert_eq!(cut(&[(900, 230), (9_000, 2200), (9_100, 2200)]), None);
        assert_eq!(cut(&[(300, 90), (500, 90), (450, 90)]), None);
        assert_eq!(cut(&[]), None);
        // Questions that differ in a number alone.
        let all: Vec<_> = (0..60).map(|i| (9_000 + i / 10, 2048)).collect();
        assert_eq!(cut(&all), None);
    }

    proptest! {
        #[test]
        fn every_cap_is_found_and_no_whole_prompt_is_suspected(
            words in prop::collection::vec(50..20_000_u32, 8..60),
            bytes_per_token in 2..8_usize,
            cap in 256..4096_u32,
        ) {
            let prompt = |tokens: u32| (tokens as usize * bytes_per_token, tokens);
            let whole: Vec<_> = words.iter().map(|&tokens| prompt(tokens)).collect();
            prop_assert_eq!(counts(&whole).cut(), None);
            let cut: Vec<_> = whole.iter().map(|&(bytes, tokens)| (bytes, tokens.min(cap))).collect();
            let lengths = || whole.iter().filter(|(_, tokens)| *tokens >= cap).map(|(bytes, _)| *bytes);
            let (least, most) = (lengths().min().unwrap_or(0), lengths().max().unwrap_or(0));
            if lengths().count() > 2 && most > 2 * least && most > least + APART_BYTES {
                prop_assert!(counts(&cut).cut().is_some());
            }
            // Any order, in parts.
            let (first, second) = cut.split_at(cut.len() / 3);
            let mut merged = counts(second);
            merged.merge(&counts(first));
            prop_assert_eq!(merged, counts(&cut));
        }
    }
}
