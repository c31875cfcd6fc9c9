//! The report as its readers get it: documents in every format, the page in a browser, answers as
//! Parquet, published schemas.

mod browser;
mod common;
mod export;
mod html;
mod questions;
mod sample;
mod schema;
