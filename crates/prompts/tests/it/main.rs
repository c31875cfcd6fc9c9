//! Prompts and chat templates from outside.

mod corpus;
mod prompts;
mod templates;
