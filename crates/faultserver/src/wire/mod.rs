//! HTTP/1.1 by hand: a library would not allow broken responses.

mod deliver;
mod read;
mod reply;

pub(crate) use deliver::{Delivery, deliver};
pub(crate) use read::{Received, Request, read_request};
pub(crate) use reply::Reply;
