//! Where the server listens, and under which names.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, ToSocketAddrs};

use data_encoding::BASE64URL_NOPAD;
use sureness_bench::Failure;

/// Bytes of a token: more than can be guessed.
const TOKEN_BYTES: usize = 18;

/// A bound socket.
#[derive(Debug)]
pub(super) struct Bound {
    socket: TcpListener,
    address: SocketAddr,
    /// The host as it was given.
    host: Option<String>,
    token: Option<String>,
}

impl Bound {
    /// Binds this host and port. On hosts other than this machine, addresses get a token.
    pub(super) fn new(host: Option<&str>, port: u16) -> Result<Self, Failure> {
        let addresses = resolve(host, port)?;
        let socket = TcpListener::bind(&*addresses).map_err(|error| {
            let host = host.unwrap_or("127.0.0.1");
            Failure::new(format!("cannot serve on {host}, port {port}: {error}"))
                .hint("choose another port with --port, 0 for any free one, or another --host")
        })?;
        let unusable = |error: std::io::Error| {
            Failure::new(format!("cannot use the socket: {error}")).hint("try another --port")
        };
        socket.set_nonblocking(true).map_err(unusable)?;
        let address = socket.local_addr().map_err(unusable)?;
        let token = (!address.ip().is_loopback()).then(token).transpose()?;
        Ok(Self {
            socket,
            address,
            host: host.map(str::to_owned),
            token,
        })
    }

    /// A handle for the async runtime.
    pub(super) fn listener(&self) -> std::io::Result<tokio::net::TcpListener> {
        tokio::net::TcpListener::from_std(self.socket.try_clone()?)
    }

    /// What all paths begin with: nothing, or `/TOKEN`.
    pub(super) fn base(&self) -> String {
        let token = self.token.as_ref();
        token.map_or_else(String::new, |token| format!("/{token}"))
    }

    /// The address of the first page.
    pub(super) fn url(&self) -> String {
        let port = self.address.port();
        let host = match (&self.host, self.address.ip()) {
            (Some(host), _) if host.parse::<IpAddr>().is_err() => host.clone(),
            // A wildcard is no address to go to.
            (_, ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.to_string(),
            (_, IpAddr::V6(ip)) => format!("[{ip}]"),
            (_, IpAddr::V4(ip)) => ip.to_string(),
        };
        format!("http://{host}:{port}{}/", self.base())
    }

    /// Says whether a request may name a host, without its port: this machine, the host that was given,
    /// and with a token any IP address. A name of anyone else's that resolves to this machine
    /// (DNS rebinding) is none of these.
    pub(super) fn names(&self) -> impl Fn(&str) -> bool + Send + Sync + use<> {
        let (given, any_ip) = (self.host.clone(), self.token.is_some());
        move |host| {
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            if let Ok(ip) = bare.parse::<IpAddr>() {
                return ip.is_loopback() || any_ip;
            }
            let given = given.as_deref();
            host.eq_ignore_ascii_case("localhost")
                || given.is_some_and(|given| host.eq_ignore_ascii_case(given))
        }
    }
}

fn resolve(host: Option<&str>, port: u16) -> Result<Vec<SocketAddr>, Failure> {
    let Some(host) = host else {
        return Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))]);
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let found = (bare, port).to_socket_addrs().map_err(|error| {
        Failure::new(format!("--host {host} is unknown: {error}"))
            .hint("give an address of this machine, such as 0.0.0.0 for all of them")
    })?;
    Ok(found.collect())
}

/// Random bytes from the system, as letters and digits.
fn token() -> Result<String, Failure> {
    let mut bytes = [0_u8; TOKEN_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::new(format!("cannot draw a random token: {error}"))
            .hint("leave --host out to serve this machine alone")
    })?;
    Ok(BASE64URL_NOPAD.encode(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_alone_needs_no_token() {
        let bound = Bound::new(None, 0).unwrap();
        assert_eq!(bound.base(), "");
        assert!(bound.url().starts_with("http://127.0.0.1:"));
        for ours in ["localhost", "LOCALHOST", "127.0.0.1", "[::1]"] {
            assert!(bound.names()(ours), "{ours}");
        }
        for others in [
            "",
            "evil.example",
            "localhost.evil.example",
            "10.0.0.1",
            "127.0.0.1.nip.io",
        ] {
            assert!(!bound.names()(others), "{others}");
        }
    }

    #[test]
    fn other_hosts_have_a_token_of_their_own() {
        let [one, other] = [(); 2].map(|()| Bound::new(Some("0.0.0.0"), 0).unwrap());
        assert_eq!(one.base().len(), 1 + 24);
        assert_ne!(one.base(), other.base());
        assert!(one.names()("192.168.1.7") && !one.names()("evil.example"));
    }

    #[test]
    fn unknown_hosts_are_refused_with_a_hint() {
        let failure = Bound::new(Some("no such host"), 0).unwrap_err();
        assert!(failure.to_string().contains("--host no such host"));
        assert!(failure.to_do().unwrap().contains("0.0.0.0"));
    }
}
