//! Tables of scores with columns of their own, in `score`, `analyze` and `import`: which answers they
//! have, and whether their figures can be right.

use std::fmt::Write as _;

use sureness_testkit::says;

use crate::command::{done, refused};

mod answers;
mod columns;
mod models;

/// Scores of question `id` for the options A to D, most often right if the answers are A to D in turn.
fn scores(id: usize) -> [f64; 4] {
    let top = if id.is_multiple_of(7) { 0 } else { id % 4 };
    std::array::from_fn(|at| {
        if at == top {
            -0.2
        } else {
            -2.5 - 0.01 * id as f64
        }
    })
}

/// A table of 40 questions with further columns behind the scores; `cells` gives those of a row.
fn table(columns: &str, cells: impl Fn(usize) -> String) -> String {
    (0..40).fold(format!("id,A,B,C,D,{columns}\n"), |mut text, id| {
        let [a, b, c, d] = scores(id);
        writeln!(text, "{id},{a},{b},{c},{d},{}", cells(id)).unwrap();
        text
    })
}

/// The same without anything to say.
fn plain() -> String {
    table("note", |_| String::new())
}

fn letter(id: usize) -> &'static str {
    ["A", "B", "C", "D"][id % 4]
}

/// Answers of 40 questions.
fn key(answer: impl Fn(usize) -> &'static str) -> String {
    let items = (0..40).map(|id| format!(r#"{{"id": {id}, "answer": "{}"}}"#, answer(id)));
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}
