//! Writes two reports with made-up figures, to look at the page in a browser:
//! `cargo run -p sureness-report --example html_gallery -- FOLDER`.

use std::path::PathBuf;

#[path = "../tests/it/sample/mod.rs"]
mod sample;

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".to_owned()));
    for (name, models, questions) in [("comparison-12", 12, 200), ("comparison-40", 40, 300)] {
        let page = sample::page(sample::Size { models, questions });
        let path = folder.join(format!("{name}.html"));
        std::fs::write(&path, &page)?;
        println!("{}: {:.1} MB", path.display(), page.len() as f64 / 1e6);
    }
    Ok(())
}
