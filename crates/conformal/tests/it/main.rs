//! Integration tests of the crate: its figures against published ones, and its promises against
//! simulation.

mod coverage;
mod orders;
mod paper_sets;
mod procedure;
mod promises;
mod rng;
mod rows;
mod sets;
mod several_right;
mod ties;
mod validity_inference;
mod validity_parts;
mod validity_sets;
