//! The readers of data sets from outside.

mod answer_keys;
mod articles;
mod bad_files;
mod bad_input;
mod clusters;
mod columns;
mod common;
mod corpus;
mod draws;
mod foreign;
mod forms;
mod layouts;
mod logs;
mod never_panics;
mod parquet;
mod public;
mod real_data;
mod repeats;
mod several_right;
mod unread;
