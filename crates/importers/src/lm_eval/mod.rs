//! Samples of lm-evaluation-harness: `samples_{task}_{date}.jsonl`, beside `results_{date}.json`.
//!
//! The layout is that of versions 0.4.0 to 0.4.13 (`evaluator.py` and
//! `loggers/evaluation_tracker.py` there): one line per document with `doc_id`, `doc`, `target`,
//! `arguments`, `resps`, `filtered_resps` and a field per metric. Each option is one request for
//! the log-likelihood of a continuation; newer versions write its numbers as texts. Early versions
//! write one list of the documents, `{model}_{task}.jsonl`, beside `results.json`.

mod file;
mod merge;
mod part;
mod pool;
mod question;
mod results;
mod sample;
mod target;

pub(crate) use merge::{import, import_bytes};
