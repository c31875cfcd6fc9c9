use proptest::prelude::*;

use super::*;

/// Feeds `bytes` in pieces of `step` bytes, then ends the connection.
fn fed(bytes: &[u8], step: usize) -> Result<Response, WireError> {
    let mut reader = ResponseReader::default();
    for piece in bytes.chunks(step.max(1)) {
        reader.buffer().extend_from_slice(piece);
        if reader.advance()? == Progress::Done {
            break;
        }
    }
    reader.finish()
}

fn body_of(bytes: &[u8]) -> Result<String, WireError> {
    let whole = fed(bytes, usize::MAX)?;
    for step in [1, 2, 7] {
        assert_eq!(fed(bytes, step)?.body, whole.body, "in steps of {step}");
    }
    Ok(String::from_utf8(whole.body).unwrap())
}

#[test]
fn every_framing_gives_the_same_body() {
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200\r\ncontent-length:5\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n005\r\nhello\r\n0\r\nA: b\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    ] {
        assert_eq!(body_of(head.as_bytes()).as_deref(), Ok("hello"), "{head}");
    }
}

#[test]
fn a_connection_is_kept_only_where_the_next_answer_can_be_told() {
    for (head, kept) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", true),
        ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", false),
        (
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}",
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\n{}",
            false,
        ),
        ("HTTP/1.1 200 OK\r\n\r\n{}", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP", false),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            false,
        ),
    ] {
        let response = fed(head.as_bytes(), usize::MAX).unwrap();
        assert_eq!(response.keep_alive, kept, "{head}");
    }
}

#[test]
fn what_is_broken_says_how() {
    let cut = [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ];
    for bytes in cut {
        assert_eq!(body_of(bytes.as_bytes()), Err(WireError::Cut), "{bytes}");
    }
    let broken = [
        "SSH-2.0-OpenSSH\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: br\r\n\r\n",
    ];
    for bytes in broken {
        let error = body_of(bytes.as_bytes()).unwrap_err();
        assert!(matches!(error, WireError::NotHttp(_)), "{bytes}: {error}");
    }
    let encrypted = body_of(b"\x15\x03\x03\0\x02\x02\x46").unwrap_err();
    assert!(encrypted.to_string().contains("speaks TLS"), "{encrypted}");
    let chunks = ["x\r\n", "\r\n", "2\r\nabc\r\n", "11111111111111111\r\n"];
    for bytes in chunks {
        let bytes = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{bytes}");
        let error = body_of(bytes.as_bytes()).unwrap_err();
        assert!(matches!(error, WireError::Chunks(_)), "{bytes}: {error}");
    }
}

#[test]
fn nothing_grows_without_end() {
    let endless = |head: &str, piece: &str| {
        let mut reader = ResponseReader::default();
        reader.buffer().extend_from_slice(head.as_bytes());
        for _ in 0..2_000_000 {
            if let Err(error) = reader.advance() {
                assert!(reader.buffer.capacity() + reader.chunks.body.capacity() < 3 * MAX_BODY);
                return error;
            }
            reader.buffer().extend_from_slice(piece.as_bytes());
        }
        panic!("no limit");
    };
    let kilobyte = "y".repeat(1024);
    let header = format!("X: {kilobyte}\r\n");
    let interim = "HTTP/1.1 100 Continue\r\n\r\n";
    let chunk = format!("400\r\n{kilobyte}\r\n");
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(
        endless("HTTP/1.1 200 OK\r\n", &header),
        WireError::HeadTooLarge
    );
    assert_eq!(
        endless("HTTP/1.1 200 OK\r\n", "a:b\r\n"),
        WireError::HeadTooLarge
    );
    assert_eq!(endless("", interim), WireError::HeadTooLarge);
    assert_eq!(
        endless("HTTP/1.1 200 OK\r\n\r\n", &kilobyte),
        WireError::BodyTooLarge
    );
    assert_eq!(endless(chunked, &chunk), WireError::BodyTooLarge);
    assert_eq!(
        endless(&format!("{chunked}0\r\n"), &header),
        WireError::HeadTooLarge
    );
    let claimed = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n";
    assert_eq!(body_of(claimed.as_bytes()), Err(WireError::BodyTooLarge));
}

#[test]
fn compressed_bodies_are_read_and_bounded() {
    use std::io::Write;
    let zipped = |plain: &[u8]| {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(plain).unwrap();
        writer.finish().unwrap()
    };
    let response = |body: &[u8]| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        fed(&[head.as_bytes(), body].concat(), usize::MAX).map(|r| r.body)
    };
    assert_eq!(response(&zipped(b"hello")).as_deref(), Ok(&b"hello"[..]));
    let bomb = zipped(&vec![0; MAX_BODY + 1]);
    assert!(bomb.len() < MAX_BODY / 10);
    assert_eq!(response(&bomb), Err(WireError::BodyTooLarge));
    let error = response(b"not compressed at all").unwrap_err();
    assert!(matches!(error, WireError::Compression(_)), "{error}");
}

#[test]
fn a_failure_s_status_survives_a_body_that_does_not_end() {
    let mut reader = ResponseReader::default();
    let bytes = b"HTTP/1.1 401 X\r\nContent-Length: 90\r\nRetry-After: 3\r\n\r\nno such key";
    reader.buffer().extend_from_slice(bytes);
    assert_eq!(reader.advance(), Ok(Progress::More));
    let response = reader.salvage().unwrap();
    assert_eq!(
        (response.status, &response.body[..]),
        (401, &b"no such key"[..])
    );
    assert_eq!(response.headers.get("retry-after"), Some("3"));
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces_mean_the_same(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        opening in prop::sample::select(vec!["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n"]),
        step in 1_usize..50,
    ) {
        let bytes = [opening.as_bytes(), &bytes].concat();
        let ok = |r: Result<Response, WireError>| r.ok().map(|r| (r.status, r.body));
        prop_assert_eq!(ok(fed(&bytes, step)), ok(fed(&bytes, usize::MAX)));
    }
}
