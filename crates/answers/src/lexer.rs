//! Cuts a text into words and signs; takes markdown, LaTeX and quotation marks off.

use crate::lexicon::Words;
use crate::token::{Kind, Token, contraction, folded, is_ideograph, is_word};

/// LaTeX commands that only change the look.
const LOOKS: Words = Words(
    "text textbf textit textrm mathrm mathbf mathsf mathit rm bf emph underline left right \
     displaystyle quad",
);
/// LaTeX commands around a final answer.
const BOXES: Words = Words("boxed fbox");
/// Tags around a final answer.
const ANSWER_TAGS: Words = Words("answer ans final final_answer finalanswer final-answer");
/// Tags that only change the look.
const LOOK_TAGS: Words = Words("b i em strong u code span");
/// Longer tags are text.
const MAX_TAG: usize = 40;
/// Signs that carry meaning; all others are decoration.
const SIGNS: &str = ".,:;!?…()[]{}/&+=-—%^<>±×÷√≤≥≠≈∞°→";

/// The tokens of a text.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        chars: text.chars().map(folded).collect(),
        at: 0,
        glued: false,
        tokens: Vec::new(),
    };
    while lexer.step() {}
    lexer.tokens
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    glued: bool,
    tokens: Vec<Token>,
}

impl Lexer {
    fn step(&mut self) -> bool {
        let Some(sign) = self.ahead(0) else {
            return false;
        };
        let next = self.ahead(1);
        let digit_next = next.is_some_and(|next| next.is_ascii_digit());
        match sign {
            '\n' | '\r' => self.line_break(),
            '\\' => self.command(),
            '<' => self.tag(),
            '.' if next == Some('.') => self.run('.', '…'),
            '.' if self.glued && self.tokens.last().is_some_and(|last| last.text == "ans") => {
                self.sign(':');
            }
            '-' | '=' if next == Some('>') => self.arrow(),
            '-' if next == Some('-') => {
                let rule = self.ahead(2) == Some('-');
                self.run('-', '—');
                if rule {
                    self.tokens.pop();
                    self.push(Kind::Break);
                }
            }
            '-' if digit_next && !self.glued_to_word() => self.number(),
            '-' if self.at_line_start() && next.is_some_and(char::is_whitespace) => self.skip(),
            '>' if self.at_line_start() => self.skip(),
            '=' if next == Some('=') => {
                while self.ahead(0) == Some('=') {
                    self.skip();
                }
            }
            '*' if digit_next && self.glued && self.ends_in_digit() => self.sign('*'),
            '#' if self.glued_to_word() && next != Some('#') => self.sign('#'),
            sign if sign.is_ascii_digit() => self.number(),
            sign if is_ideograph(sign) => {
                self.at += 1;
                self.word(&sign.to_string());
            }
            sign if is_word(sign) => self.letters(),
            sign if SIGNS.contains(sign) => self.sign(sign),
            _ => self.skip(),
        }
        true
    }

    fn ahead(&self, by: usize) -> Option<char> {
        self.chars.get(self.at + by).copied()
    }

    fn at_line_start(&self) -> bool {
        self.tokens
            .last()
            .is_none_or(|last| last.kind == Kind::Break)
    }

    fn glued_to_word(&self) -> bool {
        self.glued
            && self
                .tokens
                .last()
                .is_some_and(|last| last.kind == Kind::Word)
    }

    fn ends_in_digit(&self) -> bool {
        let last = self.tokens.last();
        last.is_some_and(|last| last.text.ends_with(|sign: char| sign.is_ascii_digit()))
    }

    fn push(&mut self, kind: Kind) {
        self.tokens.push(Token {
            kind,
            text: String::new(),
            raw: String::new(),
            glued: self.glued,
        });
        self.glued = true;
    }

    fn sign(&mut self, sign: char) {
        self.at += 1;
        self.push(Kind::Sign(sign));
    }

    /// Several of one sign, as one.
    fn run(&mut self, sign: char, meaning: char) {
        while self.ahead(1) == Some(sign) {
            self.at += 1;
        }
        self.sign(meaning);
    }

    fn arrow(&mut self) {
        self.at += 1;
        self.sign('→');
    }

    /// Blanks and decoration.
    fn skip(&mut self) {
        self.at += 1;
        self.glued = false;
    }

    fn line_break(&mut self) {
        self.at += 1;
        if self
            .tokens
            .last()
            .is_some_and(|last| last.kind != Kind::Break)
        {
            self.push(Kind::Break);
        }
        self.glued = false;
    }

    fn word(&mut self, raw: &str) {
        let lower = raw.to_lowercase();
        let parts = contraction(&lower);
        let whole = parts.is_none();
        for part in parts.unwrap_or_else(|| vec![lower]) {
            self.tokens.push(Token {
                kind: Kind::Word,
                text: part,
                raw: if whole { raw.to_owned() } else { String::new() },
                glued: self.glued,
            });
            self.glued = whole;
        }
        self.glued = true;
    }

    fn letters(&mut self) {
        let mut raw = String::new();
        while let Some(sign) = self.ahead(0) {
            let inner = sign == '\'' && !raw.is_empty() && self.ahead(1).is_some_and(is_word);
            if !inner && !is_word(sign) {
                break;
            }
            raw.push(sign);
            self.at += 1;
        }
        self.word(&raw);
    }

    /// A number with its sign, decimals and unit: `-3.5`, `1,000`, `5kg`.
    fn number(&mut self) {
        let mut raw = String::new();
        let digit = |lexer: &Self, by| lexer.ahead(by).is_some_and(|sign| sign.is_ascii_digit());
        while let Some(sign) = self.ahead(0) {
            let thousands = sign == ','
                && (1..=3).all(|by| digit(self, by))
                && !digit(self, 4)
                && raw.ends_with(|sign: char| sign.is_ascii_digit());
            let minus = sign == '-' && raw.is_empty();
            if sign == '.' && digit(self, 1) || minus || is_word(sign) {
                raw.push(sign);
            } else if !thousands {
                break;
            }
            self.at += 1;
        }
        self.word(&raw);
    }

    /// A LaTeX command or an escaped sign.
    fn command(&mut self) {
        self.at += 1;
        let mut name = String::new();
        while let Some(sign) = self.ahead(0).filter(char::is_ascii_alphabetic) {
            // `\n` of a text that was escaped twice.
            if name == "n" && sign.is_ascii_uppercase() {
                break;
            }
            name.push(sign);
            self.at += 1;
        }
        match name.as_str() {
            "" => self.glued = false,
            "n" => self.push(Kind::Break),
            name if BOXES.contains(name) => self.push(Kind::Cue),
            name if LOOKS.contains(name) => self.glued = false,
            _ => self.word(&name),
        }
    }

    fn tag(&mut self) {
        let rest = self.chars.get(self.at + 1..).unwrap_or_default();
        let length = rest.iter().take(MAX_TAG).position(|sign| *sign == '>');
        let inner: Option<String> = length
            .and_then(|to| rest.get(..to))
            .map(|it| it.iter().collect());
        let Some(inner) = inner.filter(|inner| is_tag(inner)) else {
            return self.sign('<');
        };
        self.at += inner.chars().count() + 2;
        let lower = inner.to_lowercase();
        let name = lower.trim_matches('/').trim();
        if ANSWER_TAGS.contains(name) {
            self.push(if lower.starts_with('/') {
                Kind::Close
            } else {
                Kind::Cue
            });
        } else if LOOK_TAGS.contains(name) {
            self.glued = false;
        } else {
            self.push(Kind::Break);
        }
        self.glued = false;
    }
}

/// Whether the text between `<` and `>` is a tag and not a letter in brackets or a formula.
fn is_tag(inner: &str) -> bool {
    let name = inner.trim_matches(['/', ' ']);
    let special = inner.starts_with(['|', '｜']);
    special
        || (name.starts_with(|sign: char| sign.is_ascii_lowercase())
            && name
                .chars()
                .all(|sign| sign.is_ascii_alphanumeric() || "_-:".contains(sign)))
        || ANSWER_TAGS.contains(name.to_lowercase().as_str())
        || matches!(name, "Output" | "OUTPUT" | "Response")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let shown = tokens(text).into_iter().map(|token| match token.kind {
            Kind::Word => token.text,
            Kind::Sign(sign) => sign.to_string(),
            Kind::Cue => "<<".to_owned(),
            Kind::Close => ">>".to_owned(),
            Kind::Break => "|".to_owned(),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn decoration_falls_off() {
        for (text, words) in [
            ("**B**", "b"),
            ("\\boxed{\\text{B}}", "<< { { b } }"),
            ("$\\boxed{B}$.", "<< { b } ."),
            ("<answer>B</answer>", "<< b >>"),
            ("<b>B</b>", "b"),
            ("<B>", "< b >"),
            ("{\"final_answer\": \"B\"}", "{ final answer : b }"),
            ("（Ｂ）", "( b )"),
            ("Ⓑ", "b"),
            ("### Answer\n\n- B", "answer | b"),
            ("答案是B。", "答 案 是 b ."),
        ] {
            assert_eq!(shown(text), words, "{text:?}");
        }
    }

    #[test]
    fn numbers_and_contractions_are_whole() {
        for (text, words) in [
            ("-3.5, 1,000 and 2.", "-3.5 , 1000 and 2 ."),
            ("3-5", "3 - 5"),
            ("2*3", "2 * 3"),
            ("It isn't, can't", "it is not , can not"),
            ("I'd B's", "i would b's"),
            ("C# A+", "c # a +"),
            ("wait... B", "wait … b"),
            ("A\\nB", "a | b"),
        ] {
            assert_eq!(shown(text), words, "{text:?}");
        }
    }
}
