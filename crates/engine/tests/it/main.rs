//! The engine from outside: whole runs, a server that misbehaves, and simulated servers.

mod faults;
mod limit;
mod run;
