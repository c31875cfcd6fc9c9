//! Proxies, as `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` name them.

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;

use super::super::address::shown_text;
use super::super::status::EXCERPT;
use super::super::wire::Response;
use super::{Endpoint, THE_PROXY};
use crate::ScoreError;

/// An HTTP proxy.
#[derive(Clone)]
pub(in crate::http) struct Proxy {
    pub(super) host: String,
    pub(super) port: u16,
    /// The value of `Proxy-Authorization`.
    pub(super) authorization: Option<String>,
}

impl Proxy {
    /// The proxy for `url`, if the environment names one.
    pub(super) fn from_environment(url: &Url) -> Result<Option<Self>, String> {
        Self::by(&Matcher::from_env(), url)
    }

    fn by(matcher: &Matcher, url: &Url) -> Result<Option<Self>, String> {
        let mut bare = url.clone();
        let _ = bare.set_username("");
        let _ = bare.set_password(None);
        let Ok(uri) = bare.as_str().parse::<Uri>() else {
            return Ok(None);
        };
        let Some(found) = matcher.intercept(&uri) else {
            return Ok(None);
        };
        let uri = found.uri();
        if uri.scheme_str() != Some("http") {
            let given = shown_text(&uri.to_string());
            return Err(format!(
                "the proxy {given} is not an HTTP proxy (only http:// is supported)"
            ));
        }
        let authorization = found
            .basic_auth()
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let host = uri.host().unwrap_or_default();
        Ok(Some(Self {
            host: host.trim_matches(['[', ']'].as_slice()).to_owned(),
            port: uri.port_u16().unwrap_or(80),
            authorization,
        }))
    }

    /// The request for a tunnel to `authority`.
    pub(super) fn connect(&self, authority: &str) -> Vec<u8> {
        let mut head = format!("CONNECT {authority} HTTP/1.1\r\nhost: {authority}\r\n");
        if let Some(value) = &self.authorization {
            head.push_str("proxy-authorization: ");
            head.push_str(value);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

/// Fails unless the proxy opened the tunnel.
pub(super) fn admitted(response: &Response, endpoint: &Endpoint) -> Result<(), ScoreError> {
    if response.is_success() {
        return Ok(());
    }
    let body = String::from_utf8_lossy(&response.body);
    let message = endpoint.scrubber().excerpt(&body, EXCERPT);
    Err(ScoreError::Unreachable {
        message: format!("{THE_PROXY} answered HTTP {}: {message}", response.status),
        connected: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before(url: &str) -> Option<(String, u16, bool)> {
        let matcher = Matcher::builder()
            .http("http://robot:pw@plain.example:3128")
            .https("http://secure.example")
            .no("internal.example")
            .build();
        let proxy = Proxy::by(&matcher, &Url::parse(url).unwrap()).unwrap()?;
        Some((proxy.host, proxy.port, proxy.authorization.is_some()))
    }

    #[test]
    fn each_scheme_has_its_proxy_and_some_hosts_have_none() {
        let plain = ("plain.example".to_owned(), 3128, true);
        assert_eq!(before("http://u:p@h.example/v1"), Some(plain));
        let secure = ("secure.example".to_owned(), 80, false);
        assert_eq!(before("https://h.example/v1"), Some(secure));
        assert_eq!(before("http://internal.example/v1"), None);
    }

    #[test]
    fn another_kind_of_proxy_is_refused_without_its_password() {
        let matcher = Matcher::builder().all("socks5://u:hidden@h:1080").build();
        let url = Url::parse("https://h.example/").unwrap();
        let error = Proxy::by(&matcher, &url).err().unwrap();
        assert!(
            error.contains("socks5://") && !error.contains("hidden"),
            "{error}"
        );
    }
}
