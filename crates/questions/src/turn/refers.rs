//! Options that refer to other options, such as "all of the above".
//!
//! English phrases and letters. In doubt an option counts as one that refers: a question that is left as it
//! is costs a little balance, while "both A and B" in another order is another question.

/// Words that gather several options.
const QUANTIFIERS: [&str; 14] = [
    "all", "none", "both", "neither", "either", "any", "some", "each", "one", "two", "three",
    "most", "more", "not",
];
/// What quantifiers gather: "none of these".
const GATHERED: [&str; 12] = [
    "above",
    "these",
    "those",
    "them",
    "following",
    "others",
    "preceding",
    "foregoing",
    "options",
    "choices",
    "answers",
    "alternatives",
];
/// Pairs that need no word between them: "all options given are correct".
const GATHERED_AT_ONCE: [[&str; 5]; 2] = [
    ["all", "both", "neither", "none", "any"],
    ["options", "choices", "answers", "alternatives", "above"],
];
/// Words between a quantifier and what it gathers.
const BETWEEN: [&str; 4] = ["of", "the", "other", "aforementioned"];
/// Whole options that gather all others.
const ALONE: [&str; 7] = [
    "all",
    "none",
    "both",
    "neither",
    "either",
    "any",
    "all three",
];
/// Pairs of words that point at other options.
const POINTING: [[&str; 2]; 12] = [
    ["the", "above"],
    ["above", "options"],
    ["above", "answers"],
    ["above", "choices"],
    ["other", "options"],
    ["other", "answers"],
    ["other", "choices"],
    ["previous", "options"],
    ["previous", "answers"],
    ["preceding", "options"],
    ["are", "correct"],
    ["are", "true"],
];
/// Words that may stand among letters in an option that is about letters alone.
const AMONG_LETTERS: [&str; 24] = [
    "and", "or", "nor", "but", "not", "both", "neither", "either", "only", "option", "options",
    "answer", "answers", "choice", "choices", "is", "are", "correct", "true", "false", "right",
    "wrong", "all", "of",
];
/// Words that name the letter after them.
const NAMING: [&str; 6] = [
    "option", "options", "answer", "answers", "choice", "choices",
];
/// Words that join two letters after the word that opens them.
const JOINED: [[&str; 2]; 3] = [["both", "and"], ["neither", "nor"], ["either", "or"]];

/// Whether one of these options refers to others.
pub(super) fn refer_to_each_other(options: &[String]) -> bool {
    options.iter().any(|option| refers(option, options.len()))
}

/// Whether this option refers to others of `count` options.
fn refers(option: &str, count: usize) -> bool {
    let words = words(option);
    let text: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    ALONE.contains(&text.join(" ").as_str())
        || gathers(&text)
        || points(&text, count)
        || is_about_letters(&words, count)
        || names_letters(&words, count)
}

/// "none of these", "all the above", "two of the other options".
fn gathers(words: &[&str]) -> bool {
    let gathered = |rest: &[&str]| {
        let skipped = rest.iter().take_while(|it| BETWEEN.contains(it)).count();
        let after = rest.get(skipped);
        skipped > 0 && after.is_some_and(|word| GATHERED.contains(word))
    };
    let [all, options] = GATHERED_AT_ONCE;
    let mut pairs = words.windows(2);
    if pairs.any(|pair| all.contains(&pair[0]) && options.contains(&pair[1])) {
        return true;
    }
    let mut places = words.iter().enumerate();
    places.any(|(place, word)| QUANTIFIERS.contains(word) && gathered(&words[place + 1..]))
}

/// "the above", "the other answers"; "both are true", but not "the results are true".
fn points(words: &[&str], count: usize) -> bool {
    let short = words.len() <= 4 && words.first().is_some_and(|it| ALONE.contains(it));
    words.windows(2).any(|pair| {
        let found = POINTING.iter().any(|pointing| pair == pointing);
        found && (pair[0] != "are" || short) && count > 1
    })
}

/// "A and B", "only C", "neither (a) nor (b) is correct": letters, and nothing but words that go with them.
fn is_about_letters(words: &[Word], count: usize) -> bool {
    let letters = words.iter().filter(|word| word.is_letter(count)).count();
    let known = words
        .iter()
        .all(|word| word.is_letter(count) || AMONG_LETTERS.contains(&&*word.text));
    let named = words.iter().any(|word| {
        NAMING.contains(&&*word.text) || matches!(&*word.text, "only" | "both" | "neither")
    });
    known && (letters > 1 || (letters == 1 && named))
}

/// "Both A and B, since …", "the same as option C".
fn names_letters(words: &[Word], count: usize) -> bool {
    let is_letter = |word: Option<&Word>| word.is_some_and(|it| it.is_sure_letter(count));
    words.iter().enumerate().any(|(place, word)| {
        let at = |offset: usize| words.get(place + offset);
        let joined = JOINED.iter().any(|[opening, joining]| {
            word.text == *opening && at(2).is_some_and(|it| it.text == *joining)
        });
        (joined && is_letter(at(1)) && is_letter(at(3)))
            || (NAMING.contains(&&*word.text) && is_letter(at(1)))
    })
}

/// A word of an option.
struct Word {
    /// In lower case.
    text: String,
    /// Whether it was written in upper case or stood in brackets, as a letter that names an option does.
    marked: bool,
}

impl Word {
    fn is_letter(&self, count: usize) -> bool {
        match self.text.as_bytes() {
            [letter @ b'a'..=b'z'] => usize::from(letter - b'a') < count,
            _ => false,
        }
    }

    /// "a" may be an article, "A" in the middle of a sentence is none.
    fn is_sure_letter(&self, count: usize) -> bool {
        self.marked && self.is_letter(count)
    }
}

/// The words of a text; "&" and "/" are "and", other signs part words.
fn words(text: &str) -> Vec<Word> {
    let text = text.replace('\u{2019}', "'");
    let text = text.replace(['&', '/'], " and ");
    let mut words = Vec::new();
    let mut start = None;
    let ends = text.char_indices().chain([(text.len(), ' ')]);
    for (at, sign) in ends {
        let inside = sign.is_alphanumeric() || sign == '\'';
        match (inside, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                let word = &text[from..at];
                let bracketed = text[..from].ends_with(['(', '[']) && matches!(sign, ')' | ']');
                words.push(Word {
                    marked: bracketed || word.chars().all(char::is_uppercase),
                    text: word.to_lowercase(),
                });
                start = None;
            }
            _ => {}
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(option: &str) -> bool {
        let mut options: Vec<String> = ["Rain", "Snow", "Hail"].map(str::to_owned).into();
        options.push(option.to_owned());
        refer_to_each_other(&options)
    }

    #[test]
    fn options_about_others_are_found() {
        for option in [
            "All of the above",
            "all of the above.",
            "None of the above",
            "None of these",
            "None of these answers is correct",
            "Neither of these",
            "Neither of the above",
            "Both of these",
            "Both of the above are correct",
            "Any of the above",
            "All of these options",
            "None of the other answers",
            "All the above",
            "All options given are correct",
            "None above",
            "Two of the above",
            "One of the other options",
            "None",
            "Both",
            "Neither",
            "All are true",
            "Both are correct",
            "A and B",
            "a and c",
            "A & C",
            "A, B and C",
            "A/B",
            "Both A and B",
            "both (a) and (b)",
            "Either B or C",
            "Neither A nor B is correct",
            "A and B but not C",
            "A and B only",
            "Only C",
            "Options A and B",
            "Answer C",
            "Both A and B, since the law applies",
            "The same as option B",
            "Choices (a) and (c) are correct",
            "The above statements",
        ] {
            assert!(found(option), "{option}");
        }
    }

    #[test]
    fn options_about_the_world_are_not() {
        for option in [
            "A",
            "AB",
            "A dog and a cat",
            "Vitamin A",
            "Vitamins A and B12",
            "Hepatitis B",
            "I and II",
            "I only",
            "True, False",
            "Both parents work",
            "Neither the buyer nor the seller",
            "All men are mortal",
            "None was found",
            "It flows above the valley",
            "all people of the region",
            "One of two brothers",
            "The sum of the squares",
            "Both a cat and a dog",
            "a and t",
            "is above average",
            "the free choices of others",
            "all of the rent",
            "The results are true",
            "Plan B",
            "E and F",
            "",
            "42",
        ] {
            assert!(!found(option), "{option}");
        }
    }
}
