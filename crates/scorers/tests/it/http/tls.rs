//! TLS and proxies. Both depend on the environment, which a test must not change for others: each
//! client runs in its own process.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;
use sureness_hint::Hint;
use sureness_scorers::http::{HttpOptions, Secret};

use crate::http::server::{Reply, Server, letters};
use crate::http::{Way, connect, in_both_models, question, run_alone, score_one};

const BASE: &str = "SURENESS_TEST_BASE";
const HOST: &str = "model.example";

in_both_models! {
    async fn client(way: Way) {
        // Does nothing as an ordinary test.
        let Ok(base) = std::env::var(BASE) else { return };
        let mut options = HttpOptions::new(base);
        options.api_key = Secret::new("sk-hidden");
        let found = match connect(options).await {
            Ok(scorer) => {
                for _ in 0..3 {
                    score_one(way, &scorer, &question("x", &["A", "B"])).await.unwrap();
                }
                "three answers".to_owned()
            }
            Err(error) => format!("{error} (hint: {})", error.hint()),
        };
        println!("found: {found}");
    }
}

/// The findings of clients in their own process and environment, in both models.
fn run(base: &str, environment: &[(&str, &str)]) -> Vec<String> {
    ["asynchronous", "threads"]
        .iter()
        .map(|model| {
            let environment: Vec<_> = environment.iter().copied().chain([(BASE, base)]).collect();
            let output = run_alone(&format!("tls::client::{model}"), &environment);
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let found = text.split_once("found: ").map(|(_, found)| found);
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            found.map_or(error, |found| found.lines().next().unwrap().to_owned())
        })
        .collect()
}

/// A TLS server that also accepts `CONNECT`: its port and certificate.
fn encrypted() -> (u16, String) {
    let names = vec!["localhost".to_owned(), HOST.to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let pem = made.cert.pem();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = config.clone();
            std::thread::spawn(move || serve(stream, config));
        }
    });
    (port, pem)
}

fn serve(mut socket: TcpStream, config: Arc<ServerConfig>) {
    let mut first = [0];
    if socket.peek(&mut first).is_err() {
        return;
    }
    if first == *b"C" {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            socket.read_exact(&mut first).unwrap();
            head.push(first[0]);
        }
        let head = String::from_utf8(head).unwrap();
        assert!(
            head.starts_with("CONNECT model.example:443 HTTP/1.1\r\n"),
            "{head}"
        );
        // The key is for the server behind the tunnel.
        assert!(!head.contains("sk-hidden"), "{head}");
        socket.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
    }
    let session = ServerConnection::new(config).unwrap();
    let mut stream = StreamOwned::new(session, socket);
    let mut text = String::new();
    let mut chunk = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut chunk) {
        text.push_str(&String::from_utf8_lossy(&chunk[..read]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|l| l.strip_prefix("content-length: "));
        if body.len() < length.map_or(0, |l| l.parse().unwrap()) {
            continue;
        }
        let body = if head.contains("/models") {
            br#"{"data":[{"id":"m"}]}"#.to_vec()
        } else {
            letters(1).body
        };
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        stream
            .write_all(&[head.as_bytes(), &body].concat())
            .unwrap();
        text.clear();
    }
}

#[test]
fn a_trusted_certificate_is_taken_and_a_strange_one_is_not() {
    let (port, pem) = encrypted();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pem).unwrap();
    let trusted = file.path().to_str().unwrap();
    let base = format!("https://localhost:{port}/v1");
    assert_eq!(
        run(&base, &[("SSL_CERT_FILE", trusted)]),
        ["three answers"; 2]
    );
    // A name that is not in the certificate.
    let other = format!("https://127.0.0.1:{port}/v1");
    for found in run(&other, &[("SSL_CERT_FILE", trusted)]) {
        assert!(found.contains("certificate"), "{found}");
    }
    let (_, strange) = encrypted();
    std::fs::write(file.path(), strange).unwrap();
    for found in run(&base, &[("SSL_CERT_FILE", trusted)]) {
        assert!(
            found.contains("cannot reach") && found.contains("certificate"),
            "{found}"
        );
    }
}

#[test]
fn a_tunnel_leads_to_an_encrypted_server() {
    let (port, pem) = encrypted();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pem).unwrap();
    let proxy = format!("http://127.0.0.1:{port}");
    let trusted = file.path().to_str().unwrap();
    let environment = [("SSL_CERT_FILE", trusted), ("HTTPS_PROXY", proxy.as_str())];
    let found = run(&format!("https://{HOST}/v1"), &environment);
    assert_eq!(found, ["three answers"; 2]);
}

#[test]
fn a_proxy_is_told_where_a_request_goes() {
    let server = Server::start(|asked| {
        // Only the proxy knows this name.
        let Some(path) = asked.path.strip_prefix("http://model.example/v1/") else {
            return Reply::json(404, &json!({}));
        };
        match path {
            "models" => Reply::json(200, &json!({"data": [{"id": "m"}]})),
            _ => letters(1),
        }
    });
    let proxy = server.base.as_str();
    let found = run(
        "http://model.example/v1",
        &[("HTTP_PROXY", proxy), ("http_proxy", proxy)],
    );
    assert_eq!(found, ["three answers"; 2]);
    // The error shows an unreachable proxy without its password.
    let closed = ("HTTPS_PROXY", "http://u:pw-hidden@127.0.0.1:9");
    for found in run("https://model.example/v1", &[closed]) {
        assert!(
            found.contains("cannot reach") && !found.contains("hidden"),
            "{found}"
        );
        // The proxy is to blame, and not the server.
        assert!(found.contains("the proxy 127.0.0.1:9: "), "{found}");
        assert!(found.contains("HTTPS_PROXY"), "{found}");
    }
}

#[test]
fn a_server_without_tls_is_recognised() {
    for (answer, words) in [
        ("HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak TLS"),
        ("", "may not speak TLS"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("https://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        for found in run(&base, &[]) {
            assert!(found.contains(words), "{found}");
            assert!(found.contains("hint: write http://"), "{found}");
        }
    }
}
