//! Mentions of options: by label, by text, or by both.

use crate::document::{Document, Follow};
use crate::lexicon::{ARTICLES, UNIT_NOUNS};
use crate::options::{Options, Spelling};
use crate::token::{Kind, is_ideograph};

/// Signs between a label and its option's text.
const SEPARATORS: &str = ".):]—-,=→";
/// Signs that make what is on both sides of them one word: `B-cell`, `A.D.`
const JOINTS: &str = "-.";
/// Signs that make a label something else: `A+`, `C#`.
const ADDITIONS: &str = "+#^°×÷*%";

/// A mention of one option, or of several in one breath.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent of each other: all combinations occur"
)]
pub(crate) struct Mention {
    pub(crate) start: usize,
    /// Behind the last token.
    pub(crate) end: usize,
    /// The options, in ascending order. Several if `A and B` are mentioned together, or if the label is
    /// that of one option and the text that of another.
    pub(crate) options: Vec<usize>,
    /// How the label is spelled; `None` for a text alone.
    pub(crate) label: Option<Spelling>,
    pub(crate) bracketed: bool,
    pub(crate) has_text: bool,
    /// Whether the label is a number or a word, which may stand in prose for itself.
    pub(crate) ambiguous: bool,
    /// Whether it is part of a list of options.
    pub(crate) listed: bool,
}

impl Mention {
    /// Whether only its label in another case mentions the option, which may be a word: `a`.
    pub(crate) fn is_loose(&self) -> bool {
        self.label == Some(Spelling::Loose) && !self.bracketed
    }
}

impl Document {
    /// Fills in the mentions and the quoted options.
    pub(crate) fn find_mentions(&mut self, options: &Options) {
        let mut single = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            let mention = self.mention_at(at, options);
            if let Some((found, end)) = options.texts_at(&self.tokens, at)
                && mention.as_ref().is_none_or(|mention| mention.has_text)
            {
                let denied = at
                    .checked_sub(1)
                    .is_some_and(|before| self.word(before) == "not");
                self.quoted.extend(found.into_iter().filter(|_| !denied));
                at = at.max(end - 1);
            }
            match mention {
                Some(mention) => {
                    at = mention.end.max(at + 1);
                    if mention.label.is_some() && mention.has_text {
                        self.quoted.extend(&mention.options);
                    }
                    single.push(mention);
                }
                None => at += 1,
            }
        }
        self.quoted.sort_unstable();
        self.quoted.dedup();
        self.mentions = self.joined(single);
    }

    /// The mention that begins at a token.
    fn mention_at(&self, at: usize, options: &Options) -> Option<Mention> {
        let token = self.tokens.get(at)?;
        let text = options.texts_at(&self.tokens, at);
        let label = options.labelled(token);
        match (label, text) {
            // The longer of the two, such as "A and B" as the text of an option.
            (Some(_), Some((found, end))) if end > at + 1 => {
                Some(self.text_mention(at, end, found, options))
            }
            (Some((option, spelling)), text) => {
                let mut mention = self.label_mention(at, option, spelling, options)?;
                if !mention.has_text {
                    // A text that is the label of another option.
                    merge(
                        &mut mention.options,
                        text.map(|(found, _)| found).unwrap_or_default(),
                    );
                }
                Some(mention)
            }
            (None, Some((found, end))) => Some(self.text_mention(at, end, found, options)),
            (None, None) => None,
        }
    }

    fn text_mention(&self, at: usize, end: usize, found: Vec<usize>, options: &Options) -> Mention {
        let mut mention = Mention {
            start: at,
            end,
            options: found,
            label: None,
            bracketed: false,
            has_text: true,
            ambiguous: false,
            listed: false,
        };
        // Paris (B), Paris (option B)
        if self.is_sign(end, "([") {
            let mut inner = end + 1;
            while UNIT_NOUNS.contains(self.word(inner)) {
                inner += 1;
            }
            let label = self
                .tokens
                .get(inner)
                .and_then(|token| options.labelled(token));
            if let Some((option, spelling)) = label
                && self.is_sign(inner + 1, ")]")
            {
                merge(&mut mention.options, vec![option]);
                mention.label = Some(spelling);
                mention.bracketed = true;
                mention.end = inner + 2;
            }
        }
        mention
    }

    fn label_mention(
        &self,
        at: usize,
        option: usize,
        spelling: Spelling,
        options: &Options,
    ) -> Option<Mention> {
        let opened = at
            .checked_sub(1)
            .is_some_and(|before| self.is_sign(before, "(["));
        let closed = self.is_sign(at + 1, ")]");
        let mut mention = Mention {
            start: at,
            end: at + 1,
            options: vec![option],
            label: Some(spelling),
            bracketed: opened && closed,
            has_text: false,
            ambiguous: !options.is_letter(option),
            listed: false,
        };
        let mut behind = at + 1;
        while self.is_sign(behind, SEPARATORS) || self.is_sign(behind, "(>}") {
            behind += 1;
        }
        let begins = |at: usize| options.texts_at(&self.tokens, at).is_some();
        if ARTICLES.contains(self.word(behind)) && behind > at + 1 && !begins(behind) {
            behind += 1;
        }
        if let Some((found, end)) = options.texts_at(&self.tokens, behind) {
            if found.contains(&option) {
                mention.has_text = true;
                mention.end = end;
                return Some(mention);
            }
            // Its text may be the label of another option: that is not a text of this one.
            let is_label = end == behind + 1
                && self
                    .tokens
                    .get(behind)
                    .and_then(|token| options.labelled(token))
                    .is_some();
            let whole = matches!(self.follow(end), Follow::End);
            if whole && !is_label && (spelling == Spelling::Exact || closed) {
                mention.has_text = true;
                mention.end = end;
                merge(&mut mention.options, found);
                return Some(mention);
            }
        }
        if behind > at + 1 && options.is_cut_text(option, &self.tokens, behind) {
            mention.has_text = true;
            mention.end = self.tokens.len();
            return Some(mention);
        }
        (mention.bracketed || self.is_label(at, option, spelling, options)).then_some(mention)
    }

    /// Whether a token that spells a label is one: not the article, a pronoun, or part of a name.
    fn is_label(&self, at: usize, option: usize, spelling: Spelling, options: &Options) -> bool {
        let before = at.checked_sub(1);
        let glued_to = |signs: &str| {
            before.is_some_and(|before| {
                self.is_glued(at)
                    && self.is_sign(before, signs)
                    && self.is_glued(before)
                    && before.checked_sub(1).and_then(|word| self.kind(word)) == Some(Kind::Word)
            })
        };
        let answer_dash = before
            .and_then(|before| before.checked_sub(1))
            .is_some_and(|noun| UNIT_NOUNS.contains(self.word(noun)));
        if (glued_to(JOINTS) || glued_to(ADDITIONS)) && !answer_dash {
            return false;
        }
        // P(A), f(x)
        if glued_to("(") && !answer_dash {
            return false;
        }
        if self.is_glued(at + 1) {
            if self.is_sign(at + 1, ADDITIONS)
                || self.is_glued_word(at + 1) && !self.word(at + 1).starts_with(is_ideograph)
            {
                return false;
            }
            if self.is_sign(at + 1, JOINTS) && self.is_glued_word(at + 2) {
                return false;
            }
        }
        let closed = self.is_sign(at + 1, ")]");
        let follow = self.follow(at + 1);
        if spelling == Spelling::Loose {
            return closed || follow == Follow::End;
        }
        match self.word(at) {
            "i" => {
                matches!(follow, Follow::End)
                    || self.word(at + 1) == "is"
                    || self.word(at + 1) == "because"
            }
            _ if !options.is_letter(option) => true,
            _ => follow != Follow::Prose,
        }
    }

    /// Joins what is mentioned in one breath: `A and B`, `A, B`, `A/B`.
    fn joined(&self, single: Vec<Mention>) -> Vec<Mention> {
        let mut joined: Vec<Mention> = Vec::new();
        for mention in single {
            match joined.last_mut() {
                Some(last) if self.are_joined(last, &mention) => {
                    merge(&mut last.options, mention.options);
                    last.end = mention.end;
                    last.label = last.label.or(mention.label);
                    last.has_text |= mention.has_text;
                    last.ambiguous |= mention.ambiguous;
                }
                _ => joined.push(mention),
            }
        }
        joined
    }

    fn are_joined(&self, first: &Mention, second: &Mention) -> bool {
        let mut joints = 0;
        let mut words = false;
        for at in first.end..second.start {
            match self.kind(at) {
                Some(Kind::Sign('/' | '&' | '+' | ',')) => joints += 1,
                Some(Kind::Sign('(' | ')' | '[' | ']' | '{' | '}')) => {}
                Some(Kind::Word) => match self.word(at) {
                    "and" | "or" | "nor" | "plus" => {
                        joints += 1;
                        words = true;
                    }
                    "either" | "both" | "also" | "option" | "choice" | "letter" | "answer"
                    | "the" => {}
                    _ => return false,
                },
                _ => return false,
            }
        }
        if first.end == second.start {
            // "B C": two labels with nothing between them.
            return !first.has_text && !second.has_text;
        }
        // "Answer: B, C is wrong"
        let spoken_of = !words && self.follow(second.end) == Follow::Verb;
        joints > 0 && !spoken_of
    }
}

/// Adds options to a sorted set.
pub(crate) fn merge(options: &mut Vec<usize>, more: Vec<usize>) {
    options.extend(more);
    options.sort_unstable();
    options.dedup();
}
