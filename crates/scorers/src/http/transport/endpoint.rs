//! The server that all requests go to, and what they have in common.

use std::error::Error;
use std::fmt::Write;

use reqwest::Url;

use super::super::address::{ApiBase, host};
use super::super::options::HttpOptions;
use super::super::secret::{Header, Scrubber, Secret};
use super::super::status::EXCERPT;
use super::basic::basic;
use super::proxy::Proxy;
use super::tls::Tls;
use super::{Limits, chain};
use crate::ScoreError;

/// How messages end about a server that answers in plain text where TLS was expected, or hangs up.
pub(in crate::http) const NO_TLS: &str = "not speak TLS (https) on this port";
/// How messages about a proxy begin.
pub(in crate::http) const THE_PROXY: &str = "the proxy";

/// Address, key, limits and headers for one server.
pub(in crate::http) struct Endpoint {
    base: ApiBase,
    key: Option<Secret>,
    /// Headers of the user's own.
    given: Vec<Header>,
    scrubber: Scrubber,
    pub(super) limits: Limits,
    /// Maximum requests at once.
    pub(super) connections: usize,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Option<Tls>,
    pub(super) proxy: Option<Proxy>,
    /// The headers that every request carries.
    headers: String,
}

/// One route of a server, with the head of its requests ready.
pub(in crate::http) struct Resource {
    pub(in crate::http) url: Url,
    /// `POST` with a JSON body, or else `GET`.
    pub(super) is_post: bool,
    /// The request's head up to the length of the body.
    pub(super) head: String,
}

impl Endpoint {
    pub(in crate::http) fn new(options: &HttpOptions, base: ApiBase) -> Result<Self, String> {
        let mut scrubber = Scrubber::new(options.api_key.as_ref(), base.url());
        for header in &options.headers {
            scrubber.learn_header(header.value());
        }
        let is_given = |name: &str| options.headers.iter().any(|header| header.is(name));
        // A header, a key and a user name make an `Authorization` header: the first one wins.
        let authorized = is_given("authorization");
        let base = if options.api_key.is_some() || authorized {
            base.without_credentials()
        } else {
            base
        };
        let url = base.url();
        let is_https = url.scheme() == "https";
        let authorization = match &options.api_key {
            _ if authorized => None,
            Some(key) => {
                if key.expose().chars().any(|c| !c.is_ascii_graphic()) {
                    return Err(
                        "the API key contains characters that are invalid in a header".into(),
                    );
                }
                Some(format!("Bearer {}", key.expose()))
            }
            None if url.username().is_empty() && url.password().is_none() => None,
            None => Some(basic(url.username(), url.password())),
        };
        let proxy = if base.is_loopback() {
            None
        } else {
            Proxy::from_environment(url)?
        };
        let proxy_authorization = proxy
            .as_ref()
            .and_then(|proxy| proxy.authorization.as_ref());
        for value in authorization.iter().chain(proxy_authorization) {
            scrubber.learn_header(value);
        }
        let mut headers = format!("host: {}\r\n", authority(url));
        let agent = concat!("sureness/", env!("CARGO_PKG_VERSION"));
        for (name, value) in [("user-agent", agent), ("accept", "application/json")] {
            if !is_given(name) {
                let _ = write!(headers, "{name}: {value}\r\n");
            }
        }
        for header in &options.headers {
            let _ = write!(headers, "{}: {}\r\n", header.name(), header.value());
        }
        if !base.is_loopback() {
            // On the same machine, compression costs more than it saves.
            headers.push_str("accept-encoding: gzip\r\n");
        }
        if let Some(value) = authorization {
            let _ = write!(headers, "authorization: {value}\r\n");
        }
        let host = host(url).to_owned();
        Ok(Self {
            tls: is_https.then(|| Tls::new(&host)).transpose()?,
            port: url.port_or_known_default().unwrap_or(80),
            limits: Limits {
                connect: options.connect_timeout,
                first_byte: options.first_byte_timeout,
                total: options.timeout,
            },
            connections: options.max_connections.max(1),
            key: options.api_key.clone().filter(|_| !authorized),
            given: options.headers.clone(),
            scrubber,
            host,
            proxy,
            headers,
            base,
        })
    }

    pub(in crate::http) fn base(&self) -> &ApiBase {
        &self.base
    }

    pub(super) fn key(&self) -> Option<&Secret> {
        self.key.as_ref()
    }

    pub(super) fn given_headers(&self) -> &[Header] {
        &self.given
    }

    pub(in crate::http) fn scrubber(&self) -> &Scrubber {
        &self.scrubber
    }

    /// A resource for `GET`.
    pub(in crate::http) fn get(&self, url: Url) -> Resource {
        self.resource(url, false)
    }

    /// A resource for `POST` with a JSON body.
    pub(in crate::http) fn post(&self, url: Url) -> Resource {
        self.resource(url, true)
    }

    fn resource(&self, url: Url, is_post: bool) -> Resource {
        let method = if is_post { "POST" } else { "GET" };
        let mut head = format!("{method} ");
        // A proxy needs the whole address, unless it only carries a tunnel.
        let through = self.proxy.as_ref().filter(|_| self.tls.is_none());
        if through.is_some() {
            let _ = write!(head, "{}://{}", url.scheme(), authority(&url));
        }
        head.push_str(url.path());
        if let Some(query) = url.query() {
            let _ = write!(head, "?{query}");
        }
        head.push_str(" HTTP/1.1\r\n");
        head.push_str(&self.headers);
        if let Some(value) = through.and_then(|proxy| proxy.authorization.as_ref()) {
            let _ = write!(head, "proxy-authorization: {value}\r\n");
        }
        if is_post {
            head.push_str("content-type: application/json\r\n");
        }
        Resource { url, is_post, head }
    }

    /// Host and port to connect to: the proxy's if there is one.
    pub(super) fn first_hop(&self) -> (&str, u16) {
        match &self.proxy {
            Some(proxy) => (&proxy.host, proxy.port),
            None => (&self.host, self.port),
        }
    }

    /// The request that opens a tunnel, if TLS goes through a proxy.
    pub(super) fn tunnel(&self) -> Option<Vec<u8>> {
        let proxy = self.proxy.as_ref().filter(|_| self.tls.is_some())?;
        Some(proxy.connect(&format!("{}:{}", bracketed(&self.host), self.port)))
    }

    /// `error` without secrets that the server repeated.
    pub(in crate::http) fn scrubbed(&self, mut error: ScoreError) -> ScoreError {
        match &mut error {
            ScoreError::Malformed { message }
            | ScoreError::RateLimited { message, .. }
            | ScoreError::Server { message, .. }
            | ScoreError::Unauthorized { message, .. }
            | ScoreError::NotFound { message }
            | ScoreError::Filtered { message }
            | ScoreError::Rejected { message, .. } => {
                *message = self.scrubber.excerpt(message, 2 * EXCERPT);
            }
            ScoreError::NoOptionSeen { first, .. } => *first = self.scrubber.scrub(first),
            // Texts of ours.
            _ => {}
        }
        error
    }

    /// The server, or the proxy before it, did not accept the connection.
    pub(super) fn unreachable(&self, error: &dyn Error) -> ScoreError {
        let message = self.scrubber.excerpt(&chain(error), EXCERPT);
        // The words of rustls for an answer in plain text.
        let message = if message.contains("InvalidContentType") {
            format!("the server does {NO_TLS}")
        } else if message.contains("tls handshake eof") {
            format!("the server ended the connection at once: it may {NO_TLS}")
        } else {
            format!("{}{message}", self.by_proxy())
        };
        ScoreError::Unreachable {
            message,
            connected: false,
        }
    }

    /// Names the proxy as the one that was not reached.
    fn by_proxy(&self) -> String {
        match &self.proxy {
            Some(proxy) => format!("{THE_PROXY} {}:{}: ", bracketed(&proxy.host), proxy.port),
            None => String::new(),
        }
    }

    /// An open connection broke.
    pub(super) fn broken(&self, error: &dyn Error) -> ScoreError {
        ScoreError::Unreachable {
            message: self.scrubber.excerpt(&chain(error), EXCERPT),
            connected: true,
        }
    }

    pub(super) fn no_connection(&self) -> ScoreError {
        ScoreError::Unreachable {
            message: format!(
                "{}no connection within {:?}",
                self.by_proxy(),
                self.limits.connect
            ),
            connected: false,
        }
    }
}

impl Resource {
    /// The bytes of a request.
    pub(super) fn request(&self, body: &[u8]) -> Vec<u8> {
        if self.is_post {
            request(&self.head, body)
        } else {
            [self.head.as_bytes(), b"\r\n"].concat()
        }
    }
}

/// Host, and port unless it is the scheme's own.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

/// A request's bytes, for one write.
fn request(head: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len().to_string();
    let parts = [
        head.as_bytes(),
        b"content-length: ",
        length.as_bytes(),
        b"\r\n\r\n",
        body,
    ];
    parts.concat()
}
