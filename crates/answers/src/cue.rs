//! The words before a mention that choose it, read backwards.

use crate::claim::{Cue, Strength};
use crate::clause::{is_own_act, is_own_view};
use crate::document::{Document, Follow};
use crate::lexicon::{
    ADVERBS, CHOOSE, CHOOSE_PAIRS, CLAUSES, CONCLUSIONS, COPULAS, DISTANCE, ENDORSEMENTS, HEDGES,
    LINKS, MATCHES, NEGATIONS, NOUNS, PLURALS, PREDICATES, PRONOUNS, SELF, UNIT_NOUNS,
};
use crate::mention::Mention;
use crate::token::{Kind, Token};

/// Words between a noun and an adjective of it, or a verb and its object.
const ADJECTIVES: usize = 3;

/// The words before a mention that choose it. `from` is the first token of its sentence.
pub(crate) fn find(document: &Document, mention: &Mention, from: usize) -> Option<Cue> {
    if mention.listed {
        return None;
    }
    let mut left = Left {
        document,
        mention,
        from,
        at: mention.start,
        colon: false,
        noun: false,
        named: false,
    };
    left.skip_openers();
    let cue = left.cue()?;
    let follow = document.follow(mention.end);
    // A limit may have cut "the answer is a city" short.
    let cut =
        document.word(mention.start) == "a" && mention.end == document.tokens.len() && !left.colon;
    if mention.is_loose() && (cut || !cue.any_case || follow != Follow::End) {
        return None;
    }
    let complete = match follow {
        Follow::End => true,
        Follow::Soft if !mention.ambiguous => true,
        // "Answer: B is", "Answer: B. Paris is the capital"
        _ => mention.label.is_some() && mention.has_text,
    };
    complete.then_some(cue)
}

struct Left<'a> {
    document: &'a Document,
    mention: &'a Mention,
    from: usize,
    /// The tokens from `from` to this one are unread.
    at: usize,
    colon: bool,
    /// Whether "answer" or another noun of a statement stands directly before the mention.
    noun: bool,
    /// Whether the mention is named as an option: `option 2`.
    named: bool,
}

impl Left<'_> {
    fn before(&self) -> Option<usize> {
        (self.at > self.from).then(|| self.at - 1)
    }

    fn words(&self) -> Cue {
        Cue {
            strength: Strength::Words,
            start: self.at,
            any_case: true,
            shared: false,
        }
    }

    /// A choice that a small letter, which may be an article, does not make.
    fn capital(&self) -> Cue {
        Cue {
            any_case: false,
            ..self.words()
        }
    }

    fn ends(&self) -> bool {
        self.document.follow(self.mention.end) == Follow::End
    }

    fn is_own_view(&self) -> bool {
        is_own_view(self.document, self.at, self.from)
    }

    /// Brackets, colons and nouns directly before the mention.
    fn skip_openers(&mut self) {
        while let Some(before) = self.before() {
            let document = self.document;
            let word = document.word(before);
            let article = self.mention.label.is_none() && matches!(word, "a" | "an");
            if document.is_sign(before, ":=—-→") {
                self.colon = true;
            } else if UNIT_NOUNS.contains(word) || article {
                self.named |= matches!(word, "option" | "choice" | "number" | "letter" | "answer");
                // "Option B" alone is a name.
                self.noun |= NOUNS.contains(word) && (self.colon || word != "option");
            } else if !document.is_sign(before, "([{<")
                && document.kind(before) != Some(Kind::Break)
            {
                break;
            }
            self.at = before;
        }
    }

    fn cue(&mut self) -> Option<Cue> {
        if let Some(before) = self.before()
            && self.document.kind(before) == Some(Kind::Cue)
        {
            self.at = before;
            return Some(self.words());
        }
        let (mut copula, mut hedge, mut adverb, mut shared) = (false, false, false, false);
        while let Some(before) = self.before() {
            match self.document.word(before) {
                // "It could be B" is no choice; "it could be A or B" is one too many.
                "could" if self.mention.options.len() == 1 => return None,
                "as" if !copula && !self.colon => break,
                "also" => shared = true,
                word if COPULAS.contains(word) => copula = true,
                word if HEDGES.contains(word) => hedge = true,
                word if ADVERBS.contains(word) => adverb = true,
                word if LINKS.contains(word) || self.is_pause(before) => {}
                _ => break,
            }
            self.colon |= self.document.is_sign(before, ":");
            self.at = before;
        }
        let cue = if copula || self.colon {
            self.subject(copula)?
        } else {
            self.verb(adverb)?
        };
        let strength = if hedge {
            Strength::Place
        } else {
            Strength::Words
        };
        Some(Cue {
            strength: cue.strength.min(strength),
            shared,
            ..cue
        })
    }

    /// Whether a statement goes on across a sign: `is: B`, `is, therefore, B`.
    fn is_pause(&self, at: usize) -> bool {
        let before = self.document.word(at.wrapping_sub(1));
        self.document.is_sign(at, ":")
            || self.document.kind(at) == Some(Kind::Break)
            || self.document.is_sign(at, ",")
                && at > self.from
                && (ADVERBS.contains(before) || COPULAS.contains(before))
    }

    /// The subject of "is" or of a colon: `the answer … is`, `Answer:`, `it is`.
    fn subject(&mut self, copula: bool) -> Option<Cue> {
        let document = self.document;
        let end = self.at;
        let before = self.before().map_or("", |before| document.word(before));
        if self.noun && !copula {
            return self.is_own_view().then(|| self.words());
        }
        if copula && PRONOUNS.contains(before) {
            self.at -= 1;
            return self.pronoun();
        }
        if !copula && CONCLUSIONS.contains(before) {
            self.at -= 1;
            return self.is_own_view().then(|| self.words());
        }
        let several = self.mention.options.len() > 1;
        for at in (self.from..end).rev() {
            let word = document.word(at);
            let plural = several && (word == "answers" || copula && PLURALS.contains(word));
            let noun = NOUNS.contains(word) && (at + 1 == end || self.is_endorsed(at, end));
            if noun || plural || matches!(word, "answer" | "ans") {
                self.at = at;
                return self.is_own_view().then(|| self.words());
            }
            if document.is_mentioned(at) {
                break;
            }
            if NEGATIONS.contains(word) || (PLURALS.contains(word) && !copula) {
                return None;
            }
        }
        if copula && self.noun {
            return self.is_own_view().then(|| self.words());
        }
        copula.then(|| self.prose()).flatten()
    }

    /// Whether a noun's clause makes it the right one.
    fn is_endorsed(&self, noun: usize, end: usize) -> bool {
        (noun.saturating_sub(ADJECTIVES).max(self.from)..end)
            .any(|at| at != noun && ENDORSEMENTS.contains(self.document.word(at)))
            || self.document.word(noun) == "correct" && noun + 2 >= end
    }

    /// `It is B.`, `It is Paris.`
    fn pronoun(&self) -> Option<Cue> {
        let mention = self.mention;
        if !self.is_own_view() {
            return None;
        }
        if mention.label.is_some() {
            let marked = mention.has_text || mention.bracketed || self.named;
            // "In 1990, it was 2.", "the side that is B"
            let clear =
                !mention.ambiguous && (self.document.word(self.at) == "it" || self.begins(self.at));
            return (marked || clear && self.ends()).then(|| self.capital());
        }
        let document = self.document;
        let (line, line_end) = document.line(mention);
        let is_lead = |at| {
            let word = document.word(at);
            document.is_sign(at, ",") || CONCLUSIONS.contains(word) || SELF.contains(word)
        };
        let whole = (line..self.at).all(is_lead)
            && (mention.end..line_end).all(|at| document.is_sign(at, ".)!"));
        let strength = if whole {
            Strength::Place
        } else {
            Strength::Prose
        };
        self.ends().then(|| Cue {
            strength,
            ..self.words()
        })
    }

    /// `The capital of France is Paris.` at the end, where no other option is mentioned.
    fn prose(&self) -> Option<Cue> {
        let (document, mention) = (self.document, self.mention);
        let (_, end) = document.sentence(mention);
        let has_words =
            |from: usize, to: usize| (from..to).any(|at| document.kind(at) == Some(Kind::Word));
        // A calculation has many numbers: only a sentence of its own states one.
        let first = document.tokens.get(mention.start);
        let number = first.is_some_and(Token::is_mathematical) && has_words(0, self.from);
        let denied = (self.from..self.at).any(|at| {
            NEGATIONS.contains(document.word(at)) || DISTANCE.contains(document.word(at))
        });
        let states = (mention.label.is_none() || mention.has_text)
            && self.ends()
            && document.quoted == mention.options
            && !has_words(end, document.tokens.len());
        (states && !number && !denied).then(|| Cue {
            strength: Strength::Prose,
            ..self.words()
        })
    }

    /// A verb or a conclusion without "is": `I choose B`, `so B`, `answer B`.
    fn verb(&mut self, adverb: bool) -> Option<Cue> {
        let document = self.document;
        let ends = self.ends() || self.mention.has_text;
        let Some(before) = self.before() else {
            // "Definitely B.", "Answer B"
            return ((adverb || self.noun) && ends).then(|| self.words());
        };
        if let Some(verb) = self.pair() {
            self.at = verb;
            return is_own_act(document, verb, self.from).then(|| self.capital());
        }
        let word = document.word(before);
        if CHOOSE.contains(word) {
            self.at = before;
            // "Let us choose A as the origin"
            let end = self.mention.end;
            let other = document.word(end) == "as"
                && !(end..end + ADJECTIVES + 2).any(|at| PREDICATES.contains(document.word(at)));
            return (is_own_act(document, before, self.from) && self.is_own_view() && !other)
                .then(|| self.capital());
        }
        if MATCHES.contains(word) {
            self.at = before;
            // "The peak matches C" may speak of anything.
            let marked = self.named || self.mention.bracketed || self.mention.has_text;
            return (ends && marked && self.is_own_view()).then(|| self.capital());
        }
        if self.noun && ends && is_own_act(document, self.at, self.from) {
            return Some(self.words());
        }
        self.conclusion(before).filter(|_| ends)
    }

    /// The verb of `go with B`. Its second word may have been taken for a link.
    fn pair(&self) -> Option<usize> {
        let is_pair = |at: usize| {
            let (verb, word) = (self.document.word(at), self.document.word(at + 1));
            CHOOSE_PAIRS
                .iter()
                .any(|(verbs, second)| *second == word && verbs.contains(verb))
        };
        let before = self.before()?;
        let places = [Some(before), before.checked_sub(1)];
        places
            .into_iter()
            .flatten()
            .filter(|at| *at >= self.from)
            .find(|at| is_pair(*at))
    }

    /// `So, B.`, `No, B.`
    fn conclusion(&mut self, before: usize) -> Option<Cue> {
        let document = self.document;
        let comma = document.is_sign(before, ",!…");
        let at = if comma {
            before.checked_sub(1)?
        } else {
            before
        };
        if at < self.from || !CONCLUSIONS.contains(document.word(at)) {
            return None;
        }
        self.at = at;
        self.begins(at).then(|| self.capital())
    }

    /// Whether a clause begins at a token.
    fn begins(&self, at: usize) -> bool {
        let before = at.wrapping_sub(1);
        let word = self.document.word(before);
        at == self.from
            || self.document.is_sign(before, ",;:—(")
            || word == "in"
            || CLAUSES.contains(word)
            || CONCLUSIONS.contains(word)
    }
}
