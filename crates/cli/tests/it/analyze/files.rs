//! Files that an analysis writes.

use super::*;

/// Every format of a real analysis, and the page.
#[test]
fn every_format_is_written() {
    let Some(shared) = shared("") else { return };
    let folder = tempfile::tempdir().unwrap();
    let emotion = shared.join("datasets/emotion");
    let mut args = vec!["analyze".to_owned()];
    for model in ["Llama-2-7b-hf", "Qwen-7B"] {
        for strategy in ["base", "shared", "task"] {
            let name = format!("logits/{model}_emotion_10k_4_{strategy}_icl1.pkl");
            args.push(emotion.join(name).display().to_string());
        }
    }
    let rest = [
        "--questions",
        &emotion.join("emotion_10k_4.json").display().to_string(),
        "--modes",
        "comparative",
        "basic",
        "questions",
        "--splits",
        "10",
        "--replicates",
        "200",
        "--output-dir",
        "out",
        "--formats",
        "html",
        "json",
        "csv",
        "markdown",
        "latex",
        "text",
        "svg",
        "png",
        "parquet",
    ];
    args.extend(rest.map(str::to_owned));
    let (stdout, stderr) = succeeds(folder.path(), &args);
    assert!(
        stdout.is_empty() && stderr.contains("files to out"),
        "{stderr}"
    );
    let out = folder.path().join("out");
    for name in [
        "report.html",
        "report.json",
        "report.md",
        "report.tex",
        "report.txt",
        "questions.parquet",
        "charts/leaderboard-light.svg",
        "charts/leaderboard-dark.png",
    ] {
        let size = std::fs::metadata(out.join(name)).map_or(0, |m| m.len());
        assert!(size > 500, "{name} has {size} bytes");
    }
    let page = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("Qwen-7B") && page.contains("Content-Security-Policy"));
    assert!(
        !page.contains("http://") || page.contains("http://www.w3.org"),
        "nothing is fetched"
    );
    // The same analysis again gives the same document.
    let first = std::fs::read_to_string(out.join("report.json")).unwrap();
    succeeds(folder.path(), &args);
    assert_eq!(
        first,
        std::fs::read_to_string(out.join("report.json")).unwrap()
    );
}
