//! The server's address.

use std::net::IpAddr;

use reqwest::Url;

/// The address of an OpenAI-compatible API, with credentials and query. Messages show it through
/// [`shown`] only.
#[derive(Clone)]
pub(super) struct ApiBase {
    url: Url,
}

/// Routes at the end of a pasted address, which are dropped.
const ROUTES: [&str; 3] = ["/chat/completions", "/completions", "/models"];

impl ApiBase {
    /// Reads an address in any of the usual spellings:
    /// - without a scheme it is `http` for this machine and for IP addresses, else `https`;
    /// - a trailing slash, and a pasted route such as `/completions`, are dropped;
    /// - `/v1` is added unless the path names a version (`/v1`, `/v1beta/openai`) already.
    pub(super) fn parse(given: &str) -> Result<Self, String> {
        let given = given.trim();
        if given.is_empty() {
            return Err("it is empty".to_owned());
        }
        let mut url = if given.contains("://") {
            Url::parse(given)
        } else {
            Url::parse(&format!("http://{given}"))
        }
        .map_err(|error| error.to_string())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("{}:// is neither http nor https", url.scheme()));
        }
        if !given.contains("://") && !host_is_local_or_ip(&url) {
            // A change between http and https cannot fail.
            let _ = url.set_scheme("https");
        }
        url.set_fragment(None);
        let mut path = url.path().trim_end_matches('/').to_owned();
        for route in ROUTES {
            if let Some(api) = path.strip_suffix(route) {
                path = api.trim_end_matches('/').to_owned();
            }
        }
        if !path.split('/').any(names_a_version) {
            path.push_str("/v1");
        }
        url.set_path(&path);
        Ok(Self { url })
    }

    /// The address of a route under the API, such as `models`.
    pub(super) fn route(&self, route: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}/{route}", self.url.path()));
        url
    }

    /// The address of a route at the server's root, such as llama.cpp's `/props`.
    pub(super) fn root_route(&self, route: &str) -> Url {
        let mut url = self.url.clone();
        let path = self.url.path();
        let root =
            path.rsplit_once('/').map_or(
                "",
                |(root, last)| {
                    if names_a_version(last) { root } else { path }
                },
            );
        url.set_path(&format!("{root}/{route}"));
        url
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Drops `user:password@`, so that a key can take its place.
    pub(super) fn without_credentials(mut self) -> Self {
        // Fails only without a host.
        let _ = self.url.set_username("");
        let _ = self.url.set_password(None);
        self
    }

    /// Whether this is `OpenAI`'s own service, reached so that nobody reads its key on the way.
    pub(super) fn is_openai(&self) -> bool {
        let host = host(&self.url);
        self.url.scheme() == "https"
            && (host == "api.openai.com" || host.ends_with(".api.openai.com"))
    }

    /// Whether requests stay on this machine, and so bypass proxies.
    pub(super) fn is_loopback(&self) -> bool {
        let host = host(&self.url);
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

/// An address without credentials, query and fragment, for messages.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

/// The same, as far as possible, for text that is not a valid address.
pub(super) fn shown_text(given: &str) -> String {
    let text = given.trim().split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = text
        .split_once("://")
        .map_or(("", text), |(scheme, rest)| (scheme, rest));
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    if scheme.is_empty() {
        rest.to_owned()
    } else {
        format!("{scheme}://{rest}")
    }
}

/// The host name or IP address, IPv6 without brackets.
pub(super) fn host(url: &Url) -> &str {
    url.host_str()
        .unwrap_or_default()
        .trim_matches(['[', ']'].as_slice())
}

fn host_is_local_or_ip(url: &Url) -> bool {
    let host = host(url);
    host == "localhost" || host.ends_with(".localhost") || host.parse::<IpAddr>().is_ok()
}

/// `v1`, `v2`, `v1beta`.
fn names_a_version(segment: &str) -> bool {
    segment
        .strip_prefix('v')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models(given: &str) -> String {
        shown(&ApiBase::parse(given).unwrap().route("models"))
    }

    #[test]
    fn the_usual_spellings_mean_the_same() {
        for given in [
            "http://127.0.0.1:8080",
            "http://127.0.0.1:8080/",
            "http://127.0.0.1:8080/v1",
            " http://127.0.0.1:8080/v1/ ",
            "http://127.0.0.1:8080/v1/completions",
            "http://127.0.0.1:8080/v1/chat/completions/",
            "http://127.0.0.1:8080/v1/models",
            "127.0.0.1:8080",
            "http://u:p@127.0.0.1:8080/v1?key=k#f",
        ] {
            assert_eq!(models(given), "http://127.0.0.1:8080/v1/models", "{given}");
        }
        assert_eq!(models("localhost:8000"), "http://localhost:8000/v1/models");
        assert_eq!(models("h.example"), "https://h.example/v1/models");
        assert_eq!(models("https://h/api"), "https://h/api/v1/models");
        assert_eq!(
            models("https://h/v1beta/openai/"),
            "https://h/v1beta/openai/models"
        );
    }

    #[test]
    fn the_root_lies_beside_the_api() {
        let props = |given| shown(&ApiBase::parse(given).unwrap().root_route("props"));
        assert_eq!(props("http://h:1/v1"), "http://h:1/props");
        assert_eq!(props("http://h:1/llm/v1"), "http://h:1/llm/props");
        assert_eq!(
            props("http://h:1/v1beta/openai"),
            "http://h:1/v1beta/openai/props"
        );
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_secrets() {
        for given in ["", "ftp://h/v1", "http://", "http://u:secret@:x/v1"] {
            assert!(ApiBase::parse(given).is_err(), "{given}");
        }
        assert_eq!(shown_text("http://u:secret@:x/v1?key=k"), "http://:x/v1");
        assert_eq!(shown_text("u:secret@host"), "host");
    }

    #[test]
    fn this_machine_is_recognised() {
        let loopback = |given| ApiBase::parse(given).unwrap().is_loopback();
        assert!(loopback("http://localhost:1") && loopback("http://[::1]:1"));
        assert!(loopback("127.0.0.2:1") && !loopback("http://10.0.0.1:1"));
    }
}
