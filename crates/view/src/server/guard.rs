//! Which requests are answered: reading ones, of people at this address, not of other sites.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{ALLOW, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::address::Bound;

/// Nothing from anywhere else, no frame around the page; drawings bring `style` attributes.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Headers of every answer.
const HEADERS: [(&str, &str); 7] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cache-control", "no-store"),
];

/// The names that requests may use.
#[derive(Clone)]
pub(super) struct Guard(Arc<dyn Fn(&str) -> bool + Send + Sync>);

impl Guard {
    /// Those of this address.
    pub(super) fn new(bound: &Bound) -> Self {
        Self(Arc::new(bound.names()))
    }

    /// Why a request is refused.
    fn refusal(&self, method: &Method, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Some((
                StatusCode::METHOD_NOT_ALLOWED,
                "These pages can only be read: use GET or HEAD.\n",
            ));
        }
        let host = text(headers, &HOST);
        if !host.is_some_and(|host| (self.0)(without_port(host))) {
            return Some((
                StatusCode::MISDIRECTED_REQUEST,
                "This is not the address of these pages. Open the one that sureness printed, or \
                 name this host with --host.\n",
            ));
        }
        if is_foreign(headers, host) {
            return Some((
                StatusCode::FORBIDDEN,
                "Other sites may not read these pages.\n",
            ));
        }
        None
    }
}

/// Refuses what is not to be answered, and sets the headers of every answer.
pub(super) async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let mut response = match guard.refusal(request.method(), request.headers()) {
        None => next.run(request).await,
        Some(refusal) => refusal.into_response(),
    };
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        let reading = HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(ALLOW, reading);
    }
    for (name, value) in HEADERS {
        let name = HeaderName::from_static(name);
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// `localhost` of `localhost:8080`, `[::1]` of `[::1]:8080`.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty() => name,
        _ => host,
    }
}

/// Whether a page of another site makes the request. A link that a person follows from there is none:
/// its answer is shown to that person alone.
fn is_foreign(headers: &HeaderMap, host: Option<&str>) -> bool {
    if let Some(origin) = headers.get(ORIGIN) {
        let own = host.map(|host| format!("http://{host}"));
        if own.as_deref().map(str::as_bytes) != Some(origin.as_bytes()) {
            return true;
        }
    }
    let of = |name: &'static str| text(headers, &HeaderName::from_static(name));
    match of("sec-fetch-site") {
        None | Some("same-origin" | "none") => false,
        Some(_) => {
            !(of("sec-fetch-mode") == Some("navigate") && of("sec-fetch-dest") == Some("document"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(headers: &[(&'static str, &str)], method: &Method) -> Option<u16> {
        let bound = Bound::new(None, 0).unwrap();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        let refusal = Guard::new(&bound).refusal(method, &map);
        refusal.map(|(status, _)| status.as_u16())
    }

    #[test]
    fn people_at_this_machine_are_answered() {
        for host in [
            "localhost:8080",
            "localhost",
            "127.0.0.1:1",
            "[::1]:8080",
            "[::1]",
        ] {
            assert_eq!(refused(&[("host", host)], &Method::GET), None, "{host}");
        }
        let own = [("host", "localhost:9"), ("origin", "http://localhost:9")];
        assert_eq!(refused(&own, &Method::HEAD), None);
        let link = [
            ("host", "localhost:9"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        assert_eq!(refused(&link, &Method::GET), None);
    }

    #[test]
    fn other_names_sites_and_methods_are_refused() {
        let local = ("host", "localhost:9");
        for (headers, method, status) in [
            (vec![local], Method::POST, 405),
            (vec![local], Method::OPTIONS, 405),
            (vec![], Method::GET, 421),
            (vec![("host", "evil.example:9")], Method::GET, 421),
            (vec![("host", "localhost.evil.example")], Method::GET, 421),
            (vec![("host", ":80")], Method::GET, 421),
            (
                vec![local, ("origin", "http://evil.example")],
                Method::GET,
                403,
            ),
            (vec![local, ("origin", "null")], Method::GET, 403),
            (
                vec![local, ("origin", "http://localhost:10")],
                Method::GET,
                403,
            ),
            (
                vec![local, ("sec-fetch-site", "cross-site")],
                Method::GET,
                403,
            ),
            (
                vec![local, ("sec-fetch-site", "same-site")],
                Method::GET,
                403,
            ),
            (
                vec![
                    local,
                    ("sec-fetch-site", "cross-site"),
                    ("sec-fetch-mode", "navigate"),
                    ("sec-fetch-dest", "iframe"),
                ],
                Method::GET,
                403,
            ),
        ] {
            assert_eq!(refused(&headers, &method), Some(status), "{headers:?}");
        }
    }
}
