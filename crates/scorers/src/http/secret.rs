//! API keys, and how to keep them out of messages.

use std::fmt;

use percent_encoding::percent_decode_str;
use reqwest::Url;

/// An API key. It prints as `***` and is never serialised.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A key as typed or read from a file, without surrounding white space; `None` if empty.
    pub fn new(key: &str) -> Option<Self> {
        let key = key.trim();
        (!key.is_empty()).then(|| Self(key.to_owned()))
    }

    /// The key itself, for the request header alone.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Shorter query values and user names do not count as secrets: replacing them would garble the
/// server's messages.
const SHORTEST_GUESSED: usize = 4;

/// Replaces the secrets of one endpoint in texts from outside.
#[derive(Clone, Default)]
pub(super) struct Scrubber {
    secrets: Vec<String>,
}

impl Scrubber {
    /// Takes the key, and the credentials and query values of the address, as secrets.
    pub(super) fn new(key: Option<&Secret>, address: &Url) -> Self {
        let decoded = |text| percent_decode_str(text).decode_utf8_lossy();
        let mut secrets = Vec::new();
        let mut learn = |text: &str, shortest: usize| {
            if text.chars().count() >= shortest {
                secrets.push(text.to_owned());
            }
        };
        if let Some(key) = key {
            learn(key.expose(), 1);
        }
        if let Some(password) = address.password() {
            learn(password, 1);
            learn(&decoded(password), 1);
        }
        learn(address.username(), SHORTEST_GUESSED);
        learn(&decoded(address.username()), SHORTEST_GUESSED);
        for pair in address.query().unwrap_or_default().split('&') {
            learn(
                pair.split_once('=').map_or(pair, |(_, value)| value),
                SHORTEST_GUESSED,
            );
        }
        for (_, value) in address.query_pairs() {
            learn(&value, SHORTEST_GUESSED);
        }
        let mut scrubber = Self { secrets };
        scrubber.sort();
        scrubber
    }

    /// Adds the credentials of an `Authorization` header, whose encoding differs from the address.
    pub(super) fn learn_header(&mut self, value: &str) {
        let credentials = value.split_once(' ').map_or(value, |(_, rest)| rest);
        // Servers may quote base64 without its padding.
        let credentials = credentials.trim_end_matches('=');
        if credentials.len() >= SHORTEST_GUESSED {
            self.secrets.push(credentials.to_owned());
            self.sort();
        }
    }

    /// Longest first, so that a secret that contains another is replaced as a whole.
    fn sort(&mut self) {
        self.secrets
            .sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        self.secrets.dedup();
    }

    /// `text` without the secrets.
    pub(super) fn scrub(&self, text: &str) -> String {
        self.secrets
            .iter()
            .fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }

    /// `text` without the secrets, on one line and cut to `limit` characters. Cutting comes
    /// last, since half a key would not be recognised.
    pub(super) fn excerpt(&self, text: &str, limit: usize) -> String {
        let text = self.scrub(text);
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.chars().count() <= limit {
            return line;
        }
        let mut short: String = line.chars().take(limit).collect();
        short.push('…');
        short
    }
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scrubber({} secrets)", self.secrets.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_secret_does_not_print() {
        let key = Secret::new(" sk-abc\n").unwrap();
        assert_eq!(format!("{key:?}"), "***");
        assert_eq!(key.expose(), "sk-abc");
        assert_eq!(Secret::new(" \n"), None);
    }

    #[test]
    fn every_secret_goes_in_both_spellings() {
        let address = url("http://robot:p%40ss@h/v1?key=q%2Fuery&v=1");
        let scrubber = Scrubber::new(Secret::new("sk-abc").as_ref(), &address);
        let text = scrubber.scrub("sk-abc p%40ss p@ss robot q%2Fuery q/uery v1");
        assert_eq!(text, "*** *** *** *** *** *** v1");
    }

    #[test]
    fn credentials_go_as_they_are_sent_too() {
        let mut scrubber = Scrubber::default();
        scrubber.learn_header("Basic cm9ib3Q6cHc=");
        assert_eq!(scrubber.scrub("got cm9ib3Q6cHc="), "got ***=");
        scrubber.learn_header("Basic ");
        assert_eq!(scrubber.scrub("got cm9ib3Q6cHc"), "got ***");
    }

    #[test]
    fn half_a_key_does_not_survive_the_cut() {
        let scrubber = Scrubber::new(Secret::new("sk-abcdef").as_ref(), &url("http://h/"));
        assert_eq!(scrubber.excerpt("key sk-abcdef is bad", 8), "key *** …");
        assert_eq!(scrubber.excerpt(" two\n\n lines ", 80), "two lines");
    }
}
