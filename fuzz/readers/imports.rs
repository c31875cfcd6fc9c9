//! Shared by the fuzz target and by the test that replays its corpus.

use std::path::Path;

use sureness_hint::Hint;
use sureness_importers::{Format, Options, import_bytes};

/// Imports `input` as the format that its first byte names: `l`m-eval, `i`nspect, `p`aper, `c`sv
/// or `j`sonl tables, `o`lmes, `h`elm, ope`n`compass, `b`igbench, anything else for the one that the content shows.
pub(crate) fn read(input: &[u8]) {
    let Some((format, bytes)) = input.split_first() else {
        return;
    };
    let (format, name) = match format {
        b'l' => (Some(Format::LmEval), "samples_t_x.jsonl"),
        b'i' => (Some(Format::Inspect), "x.eval"),
        b'p' => (Some(Format::Paper), "m_d_base.pkl"),
        b'c' => (Some(Format::Table), "m_d_base.csv"),
        b'j' => (Some(Format::Table), "m_d_base.jsonl"),
        b'o' => (Some(Format::Olmes), "x-predictions.jsonl"),
        b'h' => (Some(Format::Helm), "scenario_state.json"),
        b'n' => (Some(Format::OpenCompass), "x.json"),
        b'b' => (Some(Format::BigBench), "scores_x.json"),
        _ => (None, "x"),
    };
    let options = Options {
        format,
        model: Some("m".to_owned()),
        task: Some("t".to_owned()),
        ..Options::default()
    };
    match import_bytes(Path::new(name), bytes.to_vec(), &options) {
        Ok(imports) => {
            for row in imports.iter().flat_map(|import| &import.rows) {
                assert!(
                    (2..=26).contains(&row.question.options)
                        && row.question.right.last() < row.question.options
                );
                if let Ok(scores) = &row.scores {
                    assert_eq!(scores.logprobs.len(), row.question.options);
                    assert_eq!(scores.observed.len(), row.question.options);
                    assert!(scores.logprobs.iter().all(|value| value.is_finite()));
                    assert!(scores.mass.is_none_or(|mass| (0.0..=1.0).contains(&mass)));
                }
            }
        }
        Err(errors) => {
            for error in errors {
                assert!(!error.to_string().is_empty() && !error.hint().is_empty());
            }
        }
    }
}
