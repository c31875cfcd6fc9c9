//! Whole runs: plan, endpoints, drivers, sink.

#[path = "run/support.rs"]
mod support;

#[path = "run/answers.rs"]
mod answers;
#[path = "run/cost.rs"]
mod cost;
#[path = "run/endings.rs"]
mod endings;
#[path = "run/outages.rs"]
mod outages;
