//! Draws every kind of chart, for looking at: `cargo run -p sureness-plot --example gallery -- FOLDER`.

#[path = "../tests/it/charts/mod.rs"]
mod charts;

use std::path::PathBuf;

use sureness_analysis::Theme;
use sureness_plot::{Style, png, svg};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| "gallery".to_owned()));
    let only = arguments.next().unwrap_or_default();
    std::fs::create_dir_all(&folder)?;
    for (theme, name) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        let style = Style {
            theme,
            ..Style::default()
        };
        for models in [1, 5, 12, 30, 40] {
            for chart in charts::all(models) {
                let stem = format!("{}-{models}-{name}", chart.id);
                if !stem.contains(&only) {
                    continue;
                }
                std::fs::write(folder.join(format!("{stem}.svg")), svg(&chart, &style))?;
                std::fs::write(
                    folder.join(format!("{stem}.png")),
                    png(&chart, &style, 1.5)?,
                )?;
            }
        }
    }
    println!("{}", folder.display());
    Ok(())
}
