//! One connection, from its first request to its end.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::json;
use tokio::net::TcpStream;

use super::exchange::{asked, key_of, plan};
use super::live::Live;
use crate::answer::Wanted;
use crate::log::Log;
use crate::wire::{Delivery, Received, Reply, Request, deliver, read_request};

/// State shared by all connections.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) live: RwLock<Arc<Live>>,
    pub(crate) log: Arc<Log>,
    pub(crate) address: SocketAddr,
}

impl Shared {
    pub(crate) fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Answers requests until either side ends the connection.
pub(crate) async fn serve(shared: Arc<Shared>, mut stream: TcpStream, connection: u64) {
    // Without it, each small answer would wait for a delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let mut buffer = Vec::new();
    loop {
        match read_request(&mut stream, &mut buffer).await {
            Ok(Received::Request(request)) => {
                if !answer(&shared, &mut stream, &request, connection).await {
                    return;
                }
            }
            Ok(Received::Invalid(reason)) => {
                let reply = Reply::json(400, &json!({"error": reason}));
                deliver(&mut stream, &reply, Delivery::Whole, true).await;
                return;
            }
            Ok(Received::Closed) | Err(_) => return,
        }
    }
}

/// Answers one request; returns whether the connection can be reused.
async fn answer(
    shared: &Shared,
    stream: &mut TcpStream,
    request: &Request,
    connection: u64,
) -> bool {
    if request.path == "/counts" {
        let counts = serde_json::to_value(shared.log.counts()).unwrap_or_default();
        let reply = Reply::json(200, &counts);
        return deliver(stream, &reply, Delivery::Whole, request.close)
            .await
            .reusable;
    }
    let live = shared.live();
    let server = &live.script.server;
    let wanted = Wanted::of(request, server.dialect);
    let mut asked = asked(request, &wanted, key_of(server, request), connection);
    let mut open = shared.log.begin(&mut asked);
    let planned = tokio::select! {
        planned = plan(&live, request, &wanted, &asked, shared.address, &mut open.outcome) => planned,
        () = gone(stream) => return false,
    };
    let sent = deliver(stream, &planned.reply, planned.delivery, request.close).await;
    if sent.begun {
        open.outcome.status = Some(planned.reply.status);
    }
    if sent.whole {
        open.outcome.answered = planned.answers;
        open.outcome.tokens = planned.tokens;
    }
    sent.reusable
}

/// Waits until the client has gone away. One that has sent its next request already, or that has
/// merely closed its own direction, is not noticed to go.
async fn gone(stream: &TcpStream) {
    let mut byte = [0];
    if let Ok(1..) = stream.peek(&mut byte).await {
        std::future::pending::<()>().await;
    }
}
