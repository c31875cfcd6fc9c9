//! Integration tests of the crate: its figures against published ones, and its promises against
//! simulation.

mod coverage;
mod paper_sets;
mod procedure;
mod rng;
mod rows;
mod sets;
mod several_right;
mod validity_inference;
mod validity_sets;
