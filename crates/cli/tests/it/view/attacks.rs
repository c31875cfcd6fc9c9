//! What a page does with requests that it must not answer, and under load.

use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use sureness_faultserver::Script;
use sureness_testkit::{Case, Process, ends_with, figures_in, says, wait_for};

use super::{RUN, serve, slow};

/// What may differ between equal runs.
const VARYING: [&str; 3] = ["provenance", "timing", "noise"];

#[test]
fn paths_names_sites_and_methods_are_checked() {
    let case = Case::new(Script::healthy());
    ends_with(
        &case.run("run --tasks qa --sample-size 20 --progress none"),
        0,
    );
    let page = serve(&case, "results");
    let host = page.host().to_owned();
    for path in [
        "/../../etc/passwd",
        "/run/0/../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/assets/..%2f..%2fsureness.sqlite",
        "/assets/../sureness.sqlite",
        "//etc/passwd",
        "/run/7/1",
        "/run/0/99",
        "/run/0/1/question?id=%00%ff..%2f",
        "/run/0/1/question",
        "/compare?run=0/1&run=../../1",
    ] {
        let answer = page.get(path);
        assert_eq!(answer.status, 404, "{path}: {}", answer.body);
        assert!(!answer.body.contains("root:"), "{path}");
    }
    for path in ["/run/-1/1", "/run/0/x", "/run/99999999999999999999/1"] {
        assert!([400, 404].contains(&page.get(path).status), "{path}");
    }
    let get = |headers: &str| {
        page.ask(&format!("GET / HTTP/1.1\r\n{headers}\r\n\r\n"))
            .unwrap()
    };
    assert_eq!(get(&format!("Host: {host}")).status, 200);
    assert_eq!(get("Host: evil.example").status, 421);
    assert_eq!(get("X: y").status, 421);
    assert_eq!(
        get(&format!("Host: {host}\r\nOrigin: http://evil.example")).status,
        403
    );
    assert_eq!(
        get(&format!("Host: {host}\r\nSec-Fetch-Site: cross-site")).status,
        403
    );
    let long = format!("Host: {host}\r\nX: {}", "x".repeat(40_000));
    assert_eq!(get(&long).status, 431);
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"] {
        let request = format!("{method} / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n");
        let answer = page.ask(&request).unwrap();
        assert_eq!(answer.status, 405, "{method}");
        assert!(answer.head.contains("allow: get, head"), "{}", answer.head);
    }
    let answer = page.get("/");
    for header in [
        "content-security-policy: default-src 'none'; script-src 'self'",
        "x-content-type-options: nosniff",
        "frame-ancestors 'none'",
        "referrer-policy: no-referrer",
    ] {
        assert!(answer.head.contains(header), "{}", answer.head);
    }
    assert!(!answer.head.contains("access-control"), "{}", answer.head);
}

#[test]
fn other_hosts_need_the_token() {
    let case = Case::new(Script::healthy());
    ends_with(
        &case.run("run --tasks qa --sample-size 20 --progress none"),
        0,
    );
    let page = serve(&case, "results --host 0.0.0.0");
    let token = page
        .url
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    assert_eq!(token.len(), 24, "{}", page.url);
    assert_eq!(page.get(&format!("/{token}/")).status, 200);
    for path in ["run/0/1", "run/0/1/results.json", "assets/view.js", "list"] {
        assert_eq!(page.get(&format!("/{token}/{path}")).status, 200, "{path}");
        assert_eq!(page.get(&format!("/{path}")).status, 404, "{path}");
        assert_eq!(page.get(&format!("/{}/{path}", "A".repeat(24))).status, 404);
    }
    let answer = page.get("/");
    assert_eq!(answer.status, 404);
    assert!(!answer.body.contains(&token));
    let page_links = page.get(&format!("/{token}/run/0/1")).body;
    says(&page_links, &[&format!("\"/{token}/assets/view.css\"")]);
}

#[test]
fn crowds_are_bounded_and_the_run_unharmed() {
    const CROWD: usize = 400;
    let case = Case::new(slow());
    ends_with(&case.asking(RUN, "calm").output().unwrap(), 0);
    std::fs::create_dir(case.results()).unwrap();
    let page = serve(&case, "results");
    let run = Process::spawn(&mut case.command(RUN));
    page.first_run();

    // Connections that say nothing: some are held for a while, the others are told to come back.
    let mut crowd: Vec<TcpStream> = (0..CROWD)
        .map(|_| TcpStream::connect(page.host()).unwrap())
        .collect();
    wait_for(
        || "the page never came back".to_owned(),
        || {
            page.ask(&format!(
                "GET /latest HTTP/1.0\r\nHost: {}\r\n\r\n",
                page.host()
            ))
            .is_ok_and(|answer| answer.status == 302)
        },
    );
    let mut told = 0;
    for stream in &mut crowd {
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let mut text = String::new();
        // A connection that is closed without a word is bounded, too.
        if stream.read_to_string(&mut text).is_ok() && text.contains("503") {
            assert!(text.contains("Retry-After: 5"), "{text}");
            told += 1;
        }
    }
    assert!(told > 0, "nobody was told");

    // Streams beyond their number are refused, and each of the others is told the same.
    let open: Vec<_> = (0..20).map(|_| page.events()).collect();
    assert_eq!(run.end(), 0);
    assert_eq!(
        figures_in(&case.results(), &VARYING),
        figures_in(&case.path("calm"), &VARYING)
    );
    for mut events in open {
        let last = events.find(|event| event["state"] == "finished");
        assert!(last.is_some());
    }
}

#[test]
fn a_folder_that_disappears_is_told() {
    let case = Case::new(Script::healthy());
    ends_with(
        &case.run("run --tasks qa --sample-size 20 --progress none"),
        0,
    );
    let page = serve(&case, "results");
    let mut events = page.events();
    assert_eq!(events.next().unwrap()["state"], "finished");
    std::fs::rename(case.results(), case.path("elsewhere")).unwrap();
    let lost = events.next().unwrap();
    assert_eq!(lost["state"], "lost");
    says(
        lost["html"]["status"].as_str().unwrap(),
        &[
            "results/sureness.sqlite is no longer where it was",
            "hint: ",
        ],
    );
    assert_eq!(page.get("/").status, 200);
    // It comes back as it was.
    std::fs::rename(case.path("elsewhere"), case.results()).unwrap();
    assert_eq!(events.next().unwrap()["state"], "finished");
}
