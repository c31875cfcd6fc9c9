//! The words by which an answer states its choice, or takes it back.

/// A list of words, separated by blanks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words(pub(crate) &'static str);

impl Words {
    pub(crate) fn contains(self, word: &str) -> bool {
        self.0.split(' ').any(|it| it == word)
    }
}

pub(crate) const ARTICLES: Words = Words("the a an");
/// What a choice is called: the subject of a statement.
pub(crate) const NOUNS: Words = Words(
    "answer ans choice option letter response solution selection pick guess conclusion \
     verdict decision bet final prediction selected correct continuation ending completion",
);
/// Words that make other nouns than "answer" the subject of a statement: `the option that fits best
/// is B`, but not `the option about Rome is C`.
pub(crate) const ENDORSEMENTS: Words = Words(
    "answer correct right best final my most likely appropriate accurate suitable closest only \
     fits answers chosen selected",
);
/// Words between a statement and its label: `the answer is option B`.
pub(crate) const UNIT_NOUNS: Words =
    Words("answer ans choice option letter number alternative the label both either");
/// Headings of the list of options.
pub(crate) const PLURALS: Words = Words("options choices answers alternatives candidates");
pub(crate) const PRONOUNS: Words = Words("it that this which");
pub(crate) const COPULAS: Words =
    Words("is was be are being becomes remains would should must will seems appears");
/// Words of certainty, with which a choice may begin: `definitely B`.
pub(crate) const ADVERBS: Words = Words(
    "likely probably definitely clearly certainly obviously simply indeed therefore thus \
     hence most actually undoubtedly surely",
);
/// Other words that a statement may have around its verb: `is given by B`.
pub(crate) const LINKS: Words = Words(
    "just really still then now to as follows represented labeled labelled given listed \
     marked found in by with",
);
pub(crate) const HEDGES: Words = Words("could might may perhaps maybe possibly");
/// Words that end a chain of thought: `so B`.
pub(crate) const CONCLUSIONS: Words = Words(
    "so therefore thus hence finally ultimately consequently actually no wait correction \
     sorry okay ok sure well hmm yes overall alright conclusion summary short certainly",
);
pub(crate) const CHOOSE: Words = Words(
    "choose chose choosing select selected selecting pick picked picking guess say think \
     believe answer",
);
/// Verbs with the word before the choice: `go with B`.
pub(crate) const CHOOSE_PAIRS: [(Words, &str); 5] = [
    (Words("go going went stick sticking"), "with"),
    (Words("go going opt opting vote"), "for"),
    (Words("settle settled bet"), "on"),
    (Words("lean leaning"), "towards"),
    (Words("lean leaning"), "toward"),
];
/// Verbs between an answer's text and its label.
pub(crate) const MATCHES: Words =
    Words("corresponds correspond corresponding matches match matching aligns points");
/// Words that may precede `choose` where the model speaks of itself.
pub(crate) const SELF: Words = Words(
    "i we would will have to should must can am going do think believe my best let us me \
     ultimately finally definitely confidently personally then now a an educated the had \
     final only is correct right",
);
/// Words of a negation.
pub(crate) const NEGATIONS: Words = Words(
    "not no never neither nor without none nothing hardly wrong incorrect false eliminate \
     eliminated eliminates exclude excluded excludes reject rejected except unlikely doubt \
     than instead ruled disagree deny unclear unsure nobody",
);
/// Words of a statement that is not the model's own, or not its last.
pub(crate) const DISTANCE: Words = Words(
    "people students student some others many someone anyone misconception mistake mistakenly \
     tempting tempted trap distractor initially originally thought user your their his her \
     other another second third fourth first last next possible plausible common previous initial wrong incorrect \
     alternative could expected might example whether",
);
/// People whose views are not the model's.
pub(crate) const OTHERS: Words = Words("some others many people students someone");
/// Words of a condition.
pub(crate) const CONDITIONS: Words = Words("if unless suppose supposing assuming hypothetically");
/// First words of a sentence about another case.
pub(crate) const OTHER_CASES: Words = Words("had were otherwise else");
/// First words of a sentence that, with "would", is about another case: `for Italy, it would be C`.
pub(crate) const CASES: Words = Words("in for under with");
/// Words that end a condition: `if x is 2, y is 4, so the answer is B`.
pub(crate) const INFERENCES: Words = Words("so therefore thus hence");
/// Words before an option's text that say nothing of it: `Sorry, I don't know.`
pub(crate) const LEADS: Words =
    Words("i am sorry but honestly unfortunately well hmm sure okay the a an apologies afraid");
/// Words that begin a clause, so that a negation before them concerns another one.
pub(crate) const CLAUSES: Words =
    Words("but so therefore thus hence because since although though while however and making");
/// Words of a concession: `although B looks right`.
pub(crate) const CONCESSIONS: Words = Words("although though while despite unlike");
pub(crate) const CONTRASTS: Words = Words("but however though although");
/// Words behind `B,` that speak of the option: `B, on the other hand, …`
pub(crate) const ASIDES: Words =
    Words("on for by in however meanwhile like unlike although though too also");
/// Words with which the reason of a choice begins.
pub(crate) const REASONS: Words = Words("because since rather instead");
/// Words that may follow a choice.
pub(crate) const FOLLOWERS: Words = Words(
    "because since as for due which where and but not rather instead with based given from \
     according so then though here overall or",
);
/// Verbs that may follow a choice.
pub(crate) const VERBS: Words =
    Words("is was are would must should seems appears looks makes fits does can has the");
/// Words between a choice and what is said of it: `B is definitely the correct answer`.
pub(crate) const PREDICATE_WORDS: Words = Words(
    "is was are would must should be seems appears looks to makes fits the my most definitely \
     clearly indeed therefore thus likely probably both all as also only final",
);
/// What is said of the right option.
pub(crate) const PREDICATES: Words = Words(
    "correct right answer best sense appropriate accurate suitable closest plausible logical",
);
/// What may follow such a word.
pub(crate) const PREDICATE_NOUNS: Words = Words(
    "answer choice option answers choices options one response solution continuation ending completion description \
     explanation match fit representation definition interpretation selection statement \
     conclusion for among here because",
);
/// Beginnings of a sentence that takes the statement before it back.
pub(crate) const RETRACTIONS: [&[&str]; 12] = [
    &["wait"],
    &["oops"],
    &["hold", "on"],
    &["scratch", "that"],
    &["correction"],
    &["on", "second", "thought"],
    &["let", "me", "reconsider"],
    &["let", "me", "rethink"],
    &["i", "made", "a", "mistake"],
    &["i", "made", "an", "error"],
    &["no", "wait"],
    &["i", "take", "that", "back"],
];
/// Words before a sentence that leave it one: `no, that is wrong`.
pub(crate) const INTERJECTIONS: Words = Words("no but well hmm");
/// Words after `that is` that take a statement back.
pub(crate) const WRONG: Words = Words("wrong incorrect not mistaken impossible");
/// Words that may connect a correction with the statement that it corrects.
pub(crate) const CORRECTIONS: Words = Words("no wait actually but rather sorry correction however");

/// Beginnings of a refusal, which end in what the model does not do.
pub(crate) const UNABLE: [&[&str]; 8] = [
    &["can", "not"],
    &["not", "able", "to"],
    &["am", "unable", "to"],
    &["will", "not"],
    &["not", "comfortable"],
    &["not", "feel", "comfortable"],
    &["not", "allowed", "to"],
    &["not", "appropriate", "to"],
];
pub(crate) const DEEDS: Words = Words(
    "help assist answer provide comply fulfill fulfil discuss engage support respond continue \
     generate create complete offer give participate answering providing discussing do choose \
     select",
);
/// Refusals that name no deed.
pub(crate) const DECLINED: [&[&str]; 5] = [
    &["must", "decline"],
    &["have", "to", "decline"],
    &["against", "my", "guidelines"],
    &["decline", "to"],
    &["refuse", "to"],
];
