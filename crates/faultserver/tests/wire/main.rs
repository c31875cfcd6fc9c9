//! What is on the wire, seen by a client that does nothing for us.

mod client;
mod faults;
mod healthy;
mod limits;
mod program;
