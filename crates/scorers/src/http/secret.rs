//! API keys, and how to keep them out of messages.

use std::fmt;

use data_encoding::{BASE64, BASE64URL};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
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

/// A header of the user's own. Its value is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    name: String,
    value: String,
}

/// Headers that frame a request or belong to its body, which is ours.
const OURS: [&str; 9] = [
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
];

impl Header {
    /// Reads `NAME:VALUE`; spaces around both do not count. The error does not repeat the value.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once(':')
            .ok_or("a header must be of the form NAME:VALUE")?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(format!("{name:?} is not a header name"));
        }
        if OURS.contains(&name.as_str()) {
            return Err(format!("the header {name} cannot be set"));
        }
        if value.is_empty() {
            return Err(format!("the header {name} has no value"));
        }
        if value.chars().any(|c| !(c.is_ascii_graphic() || c == ' ')) {
            return Err(format!(
                "the value of the header {name} contains characters that are invalid in a header"
            ));
        }
        Ok(Self {
            name,
            value: value.to_owned(),
        })
    }

    /// Whether this header has the name, in lower case.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name == name
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The value itself, for requests alone.
    pub(super) fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ***", self.name)
    }
}

/// Shorter query values and user names do not count as secrets: replacing them would garble the
/// server's messages.
const SHORTEST_GUESSED: usize = 4;

/// Shorter secrets are part of too many harmless texts for a text to be refused.
const SHORTEST_FOUND: usize = 6;

/// What URLs escape.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

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
        scrubber.learn_spellings();
        scrubber
    }

    /// Adds the credentials in a header: what follows a scheme such as `Basic`, whose encoding differs
    /// from the address, or the whole of a value without one.
    pub(super) fn learn_header(&mut self, value: &str) {
        let credentials = value.split_once(' ').map_or(value, |(_, rest)| rest);
        // Servers may quote base64 without its padding.
        let credentials = credentials.trim_end_matches('=');
        if credentials.len() >= SHORTEST_GUESSED {
            self.secrets.push(credentials.to_owned());
            self.learn_spellings();
        }
    }

    /// Adds the other ways in which a server may write a secret: percent-encoded, as a JSON string, in
    /// base64.
    fn learn_spellings(&mut self) {
        let long = |secret: &&String| secret.chars().count() >= SHORTEST_GUESSED;
        let spelt = self
            .secrets
            .iter()
            .filter(long)
            .flat_map(|secret| spellings(secret));
        let spelt: Vec<String> = spelt.collect();
        self.secrets.extend(spelt);
        self.sort();
    }

    /// Whether a text holds the key or credentials.
    pub(super) fn finds_any(&self, text: &str) -> bool {
        let long = |secret: &&String| secret.chars().count() >= SHORTEST_FOUND;
        let mut secrets = self.secrets.iter().filter(long);
        secrets.any(|secret| text.contains(secret.as_str()))
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

/// A secret as URLs, JSON and base64 hold it, also behind `Bearer`. Base64 is without its end, which
/// depends on what follows the secret.
fn spellings(secret: &str) -> Vec<String> {
    let percent = utf8_percent_encode(secret, UNRESERVED).to_string();
    let json = serde_json::Value::from(secret).to_string();
    let json = json.trim_matches('"').to_owned();
    let mut all = vec![
        percent.to_lowercase(),
        percent,
        json.replace('/', "\\/"),
        json,
    ];
    for text in [secret.to_owned(), format!("Bearer {secret}")] {
        let whole = &text.as_bytes()[..text.len() / 3 * 3];
        all.extend([BASE64.encode(whole), BASE64URL.encode(whole)]);
    }
    all.retain(|spelling| spelling != secret && spelling.len() >= SHORTEST_GUESSED);
    all
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
    fn a_key_goes_however_it_is_written() {
        let key = "sk/a+b=\"c";
        let scrubber = Scrubber::new(Secret::new(key).as_ref(), &url("http://h/"));
        let base64 = BASE64.encode(format!("Bearer {key}").as_bytes());
        for text in [
            key,
            "sk%2Fa%2Bb%3D%22c",
            "sk%2fa%2bb%3d%22c",
            "sk/a+b=\\\"c",
            "sk\\/a+b=\\\"c",
            &BASE64.encode(key.as_bytes()),
            &base64,
        ] {
            let shown = scrubber.scrub(&format!("got {text}!"));
            assert!(
                shown.starts_with("got ***") && shown.len() < 14,
                "{text}: {shown}"
            );
        }
        let short = Scrubber::new(Secret::new("a").as_ref(), &url("http://h/"));
        assert_eq!(short.scrub("b YQ== YmVhcmVy"), "b YQ== YmVhcmVy");
    }

    #[test]
    fn a_header_is_checked_and_does_not_print() {
        let header = Header::parse(" X-Api-Key : sk:abc ").unwrap();
        assert_eq!((header.name(), header.value()), ("x-api-key", "sk:abc"));
        assert_eq!(format!("{header:?}"), "x-api-key: ***");
        for bad in [
            "sk-abc",
            ": sk-abc",
            "a b: sk-abc",
            "x:",
            "Host: sk-abc",
            "x: sk-abc\r\ny: z",
        ] {
            let error = Header::parse(bad).unwrap_err();
            assert!(!error.contains("sk-abc"), "{error}");
        }
    }

    #[test]
    fn half_a_key_does_not_survive_the_cut() {
        let scrubber = Scrubber::new(Secret::new("sk-abcdef").as_ref(), &url("http://h/"));
        assert_eq!(scrubber.excerpt("key sk-abcdef is bad", 8), "key *** …");
        assert_eq!(scrubber.excerpt(" two\n\n lines ", 80), "two lines");
    }
}
