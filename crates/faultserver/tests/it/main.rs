//! Integration tests of the server, by a client over a plain socket.

mod client;
mod faults;
mod healthy;
mod limits;
mod program;
mod words;
