//! Where the hub and its cache are, by the variables of Python's `huggingface_hub`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::HubError;

const TIMEOUT: &str = "HF_HUB_DOWNLOAD_TIMEOUT";
/// How long a download may bring nothing, unless `HF_HUB_DOWNLOAD_TIMEOUT` says otherwise.
const PATIENCE: Duration = Duration::from_secs(60);
const HUB: &str = "https://huggingface.co";

/// The hub and the cache folder on this machine.
#[derive(Debug, Clone)]
pub struct Hub {
    pub(crate) cache: PathBuf,
    pub(crate) endpoint: String,
    pub(crate) token: Option<Token>,
    pub(crate) offline: bool,
    pub(crate) progress: bool,
    /// How long a download may bring nothing.
    pub(crate) patience: Duration,
}

/// A secret, which is not shown.
#[derive(Clone)]
pub struct Token(pub(crate) String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

impl Hub {
    /// By `HF_HUB_CACHE`, `HF_HOME`, `HF_ENDPOINT`, `HF_TOKEN`, `HF_TOKEN_PATH`, `HF_HUB_OFFLINE`,
    /// `HF_HUB_DOWNLOAD_TIMEOUT` and the token file.
    pub fn from_env() -> Result<Self, HubError> {
        Self::from_variables(&|name| {
            let value = std::env::var_os(name)?;
            Some(value.to_string_lossy().into_owned())
        })
    }

    fn from_variables(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, HubError> {
        let get = |name: &str| get(name).filter(|value| !value.trim().is_empty());
        let user = get("HOME").map(PathBuf::from).or_else(std::env::home_dir);
        let path = |value: String| match (value.strip_prefix("~/"), &user) {
            (Some(rest), Some(user)) => user.join(rest),
            _ => PathBuf::from(value),
        };
        let caches = get("XDG_CACHE_HOME")
            .map(path)
            .or_else(|| user.as_ref().map(|user| user.join(".cache")));
        let home = get("HF_HOME")
            .map(path)
            .or_else(|| caches.map(|caches| caches.join("huggingface")));
        let cache = get("HF_HUB_CACHE")
            .or_else(|| get("HUGGINGFACE_HUB_CACHE"))
            .map(path)
            .or_else(|| home.as_ref().map(|home| home.join("hub")));
        // A relative path would change its meaning with the working directory.
        let cache = cache.and_then(|cache| std::path::absolute(cache).ok());
        let cache = cache.ok_or(HubError::Variable {
            variable: "HF_HOME",
            problem: "is not set, and there is no home folder",
        })?;
        let token = match get("HF_TOKEN").or_else(|| get("HUGGING_FACE_HUB_TOKEN")) {
            Some(token) => Some(("HF_TOKEN", token)),
            None => get("HF_TOKEN_PATH")
                .map(path)
                .or_else(|| home.map(|home| home.join("token")))
                .and_then(|file| std::fs::read_to_string(file).ok())
                .map(|token| ("the file of HF_TOKEN_PATH", token)),
        };
        Ok(Self {
            cache,
            endpoint: endpoint(get("HF_ENDPOINT").as_deref())?,
            token: token.map(checked).transpose()?.flatten(),
            offline: is_true(get("HF_HUB_OFFLINE").or_else(|| get("TRANSFORMERS_OFFLINE"))),
            progress: false,
            patience: patience(get(TIMEOUT).as_deref())?,
        })
    }

    /// A cache folder, which must be absolute, and a hub.
    pub fn at(cache: PathBuf, endpoint: &str) -> Result<Self, HubError> {
        Ok(Self {
            cache,
            endpoint: self::endpoint(Some(endpoint))?,
            token: None,
            offline: false,
            progress: false,
            patience: PATIENCE,
        })
    }

    /// Sends a token.
    pub fn with_token(self, token: &str) -> Result<Self, HubError> {
        let token = checked(("the token", token.to_owned()))?;
        Ok(Self { token, ..self })
    }

    /// The cache folder.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// Asks the hub for nothing.
    #[must_use]
    pub fn offline(self) -> Self {
        Self {
            offline: true,
            ..self
        }
    }

    /// Draws a line of progress on standard error during downloads, if that is a terminal.
    #[must_use]
    pub fn with_progress(self) -> Self {
        Self {
            progress: true,
            ..self
        }
    }

    /// Gives up a download that brings nothing for so long.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The endpoint without a user's name and password.
    pub(crate) fn shown(&self) -> String {
        match self.endpoint.split_once("://") {
            Some((scheme, rest)) => {
                let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
                let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
                format!("{scheme}://{host}/{path}")
                    .trim_end_matches('/')
                    .to_owned()
            }
            None => self.endpoint.clone(),
        }
    }
}

fn patience(value: Option<&str>) -> Result<Duration, HubError> {
    let Some(value) = value else {
        return Ok(PATIENCE);
    };
    let seconds = value.trim().parse().ok().filter(|seconds| *seconds > 0);
    seconds.map(Duration::from_secs).ok_or(HubError::Variable {
        variable: TIMEOUT,
        problem: "is not a whole number of seconds above 0",
    })
}

fn endpoint(value: Option<&str>) -> Result<String, HubError> {
    let endpoint = value.unwrap_or(HUB).trim().trim_end_matches('/');
    let is_http = ["http://", "https://"]
        .iter()
        .any(|scheme| endpoint.starts_with(scheme) && endpoint.len() > scheme.len());
    if is_http && endpoint.parse::<ureq::http::Uri>().is_ok() {
        return Ok(endpoint.to_owned());
    }
    Err(HubError::Variable {
        variable: "HF_ENDPOINT",
        problem: "is not an address that begins with http:// or https://",
    })
}

/// The token without line breaks, if it can stand in a header.
fn checked((variable, token): (&'static str, String)) -> Result<Option<Token>, HubError> {
    let token = token.trim();
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(HubError::Variable {
            variable,
            problem: "holds a character that no token has",
        });
    }
    Ok((!token.is_empty()).then(|| Token(token.to_owned())))
}

fn is_true(value: Option<String>) -> bool {
    value.is_some_and(|value| {
        matches!(
            value.trim().to_uppercase().as_str(),
            "1" | "ON" | "YES" | "TRUE"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub(variables: &[(&str, &str)]) -> Result<Hub, HubError> {
        Hub::from_variables(&|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_cache_is_where_python_has_it() {
        let all = [
            ("HF_HUB_CACHE", "/cache"),
            ("HF_HOME", "/hf"),
            ("XDG_CACHE_HOME", "/xdg"),
            ("HOME", "/home/x"),
        ];
        for (skip, cache) in [
            (0, "/cache"),
            (1, "/hf/hub"),
            (2, "/xdg/huggingface/hub"),
            (3, "/home/x/.cache/huggingface/hub"),
        ] {
            assert_eq!(hub(&all[skip..]).unwrap().cache, Path::new(cache));
        }
        let tilde = hub(&[("HF_HOME", "~/hf"), ("HOME", "/home/x")]).unwrap();
        assert_eq!(tilde.cache, Path::new("/home/x/hf/hub"));
    }

    #[test]
    fn a_token_is_read_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), "hf_secret\n").unwrap();
        let home = folder.path().to_str().unwrap();
        let from_file = hub(&[("HF_HOME", home)]).unwrap();
        assert_eq!(from_file.token.as_ref().unwrap().0, "hf_secret");
        assert!(!format!("{from_file:?}").contains("hf_secret"));
        let set = hub(&[("HF_HOME", home), ("HF_TOKEN", " hf_other ")]).unwrap();
        assert_eq!(set.token.unwrap().0, "hf_other");
        let error = hub(&[("HF_HOME", home), ("HF_TOKEN", "hf_a\nb")]).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hf_a"));
    }

    #[test]
    fn an_endpoint_is_an_address_and_shown_without_a_password() {
        let with = |endpoint| hub(&[("HF_HOME", "/hf"), ("HF_ENDPOINT", endpoint)]);
        let mirror = with("https://me:secret@mirror.org/hub/").unwrap();
        assert_eq!(mirror.shown(), "https://mirror.org/hub");
        for wrong in ["mirror.org", "ftp://mirror.org", "http://", "http://a b"] {
            assert!(with(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn offline_is_what_python_takes_for_true() {
        for (value, offline) in [("1", true), ("yes", true), ("0", false), ("", false)] {
            let hub = hub(&[("HF_HOME", "/hf"), ("HF_HUB_OFFLINE", value)]).unwrap();
            assert_eq!(hub.offline, offline, "{value}");
        }
    }
}
