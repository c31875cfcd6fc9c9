//! Whole runs: plan, endpoints, drivers, sink.

mod answers;
mod cost;
mod endings;
mod outages;
mod support;
