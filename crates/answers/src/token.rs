//! Words and signs.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    Sign(char),
    /// The start of a marked final answer: `\boxed{`, `<answer>`.
    Cue,
    /// The end of one.
    Close,
    /// Line breaks.
    Break,
}

/// A word or a sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    /// A word in lower case; empty for signs.
    pub(crate) text: String,
    /// The word as written; empty for the parts of a contraction.
    pub(crate) raw: String,
    /// Whether neither a blank nor decoration lies between this token and the one before.
    pub(crate) glued: bool,
}

impl Token {
    /// Whether it is a number or a single letter, as in formulas.
    pub(crate) fn is_mathematical(&self) -> bool {
        self.kind == Kind::Word
            && (self
                .text
                .starts_with(|sign: char| sign.is_ascii_digit() || sign == '-')
                || self.text.chars().count() == 1)
    }
}

/// Full-width and circled letters, and signs with several forms, as their plain form.
pub(crate) fn folded(sign: char) -> char {
    let shifted = |from: char, to: char| {
        let code = u32::from(sign) - u32::from(from) + u32::from(to);
        char::from_u32(code).unwrap_or(sign)
    };
    match sign {
        '！'..='～' => shifted('！', '!'),
        'Ⓐ'..='Ⓩ' => shifted('Ⓐ', 'A'),
        '’' | '‘' => '\'',
        '“' | '”' | '«' | '»' | '„' => '"',
        '−' => '-',
        '–' | '―' => '—',
        '。' => '.',
        '、' => ',',
        '【' | '「' | '『' | '〔' => '[',
        '】' | '」' | '』' | '〕' => ']',
        '⇒' | '➡' | '⟶' => '→',
        sign => sign,
    }
}

/// Chinese and Japanese have no blanks between words: each sign is a word.
pub(crate) fn is_ideograph(sign: char) -> bool {
    matches!(sign, '\u{2E80}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

pub(crate) fn is_word(sign: char) -> bool {
    (sign.is_alphanumeric() && !is_ideograph(sign)) || matches!(sign, '\u{300}'..='\u{36F}')
}

/// The words of a contraction, so that `isn't` holds a negation.
pub(crate) fn contraction(word: &str) -> Option<Vec<String>> {
    let pair = |first: &str, second: &str| Some(vec![first.to_owned(), second.to_owned()]);
    match word {
        "can't" | "cannot" => return pair("can", "not"),
        "won't" => return pair("will", "not"),
        "shan't" => return pair("shall", "not"),
        "let's" => return pair("let", "us"),
        "it's" | "that's" | "what's" | "here's" | "there's" | "he's" | "she's" => {
            return pair(word.split('\'').next()?, "is");
        }
        _ => {}
    }
    let (first, second) = word.rsplit_once('\'')?;
    match second {
        "t" => pair(first.strip_suffix('n')?, "not"),
        "ll" => pair(first, "will"),
        "d" => pair(first, "would"),
        "re" => pair(first, "are"),
        "m" => pair(first, "am"),
        "ve" => pair(first, "have"),
        _ => None,
    }
}
