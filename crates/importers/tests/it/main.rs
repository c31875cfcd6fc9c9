//! What the readers make of files: real ones, made-up ones, broken ones. One program, since each
//! would have to be linked apart.

mod cases;
mod common;
mod exchange;
mod harnesses;
mod inspect;
mod lighteval;
mod lm_eval;
mod lm_eval_choice;
mod never_panics;
mod outputs;
mod real;
mod several_right;
mod table;
