//! The optional HTTP/2 client.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use sureness_scorers::OptionScorer;
use sureness_scorers::http::{HttpOptions, Secret};
use tokio::net::TcpListener;

use crate::http::server::letters;
use crate::http::{Way, connect, question, score_one};

/// Answers every request on one connection and counts both.
async fn serve(listener: TcpListener, connections: Arc<AtomicUsize>, keys: Arc<AtomicUsize>) {
    while let Ok((socket, _)) = listener.accept().await {
        connections.fetch_add(1, Ordering::SeqCst);
        let keys = keys.clone();
        tokio::spawn(async move {
            let mut session = h2::server::handshake(socket).await.unwrap();
            while let Some(Ok((request, mut respond))) = session.accept().await {
                if request.headers().contains_key("authorization") {
                    keys.fetch_add(1, Ordering::SeqCst);
                }
                let body = if request.uri().path().ends_with("/models") {
                    br#"{"data":[{"id":"m"}]}"#.to_vec()
                } else {
                    letters(1).body
                };
                let head = http::Response::builder()
                    .header("x-ratelimit-remaining-requests", "5")
                    .header("x-ratelimit-reset-requests", "1s")
                    .body(())
                    .unwrap();
                let mut stream = respond.send_response(head, false).unwrap();
                stream.send_data(Bytes::from(body), true).unwrap();
            }
        });
    }
}

#[tokio::test]
async fn all_requests_share_one_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (connections, keys) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    tokio::spawn(serve(listener, connections.clone(), keys.clone()));
    let mut options = HttpOptions::new(base);
    options.http2 = true;
    options.api_key = Secret::new("sk-key");
    let scorer = connect(options).await.unwrap();
    score_one(Way::Async, &scorer, &question("x", &["A", "B"]))
        .await
        .unwrap();
    let before = keys.load(Ordering::SeqCst);
    let batch: Vec<_> = (0..24)
        .map(|i| question(&i.to_string(), &["A", "B"]))
        .collect();
    let reply = scorer.score(&batch).await;
    assert!(reply.scores.iter().all(Result::is_ok));
    assert_eq!(reply.quota.requests.unwrap().remaining, 5);
    assert_eq!(keys.load(Ordering::SeqCst) - before, 24);
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}
