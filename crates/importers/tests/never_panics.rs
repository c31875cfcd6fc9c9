//! Whatever is in a file, reading it ends with rows or with a reason.

mod common;

use std::path::Path;

use proptest::prelude::*;
use sureness_import::{Format, Options, import_bytes};

const NAMES: [&str; 5] = ["samples_t_x.jsonl", "x.json", "x.eval", "m_d_base.csv", "m_d_base.jsonl"];

/// Reads `bytes` as each format; checks what comes of it.
fn read(bytes: &[u8]) {
    for format in [None].into_iter().chain(Format::ALL.map(Some)) {
        for name in NAMES {
            let options = Options {
                format,
                model: Some("m".into()),
                ..Options::default()
            };
            match import_bytes(Path::new(name), bytes.to_vec(), &options) {
                Ok(imports) => {
                    for row in imports.iter().flat_map(|import| &import.rows) {
                        assert!(row.answer < row.options);
                        if let Ok(scores) = &row.scores {
                            assert_eq!(scores.logprobs.len(), row.options);
                            assert!(scores.logprobs.iter().all(|value| value.is_finite()));
                        }
                    }
                }
                Err(errors) => {
                    assert!(errors.iter().all(|error| !error.to_string().is_empty()));
                }
            }
        }
    }
}

const SEEDS: [&str; 5] = [
    r#"{"doc_id": 0, "doc": {"question": "q", "choices": ["a", "b"]}, "target": "1", "arguments": {"gen_args_0": {"arg_0": "q", "arg_1": " A"}, "gen_args_1": {"arg_0": "q", "arg_1": " B"}}, "filtered_resps": [["-1", "False"], ["-2", "False"]], "acc": 0.0}"#,
    r#"{"version": 2, "eval": {"task": "t", "model": "m"}, "plan": {"steps": []}, "samples": [{"id": 1, "epoch": 1, "input": "q", "choices": ["a", "b"], "target": "A", "output": {"choices": [{"logprobs": {"content": [{"token": "ANSWER: ", "logprob": -0.1}, {"token": "A", "logprob": -0.1, "top_logprobs": [{"token": "A", "logprob": -0.1}]}]}}]}}]}"#,
    "model,task,id,answer,A,B\none,x,1,A,1,2\n",
    r#"{"id": 1, "answer": "A", "task": "t", "logprobs": [-1, -2]}"#,
    "PK\u{3}\u{4}",
];

#[test]
fn the_seeds_are_read() {
    for seed in SEEDS {
        read(seed.as_bytes());
    }
    let ok = |name: &str, seed: &str| {
        let options = Options { model: Some("m".into()), ..Options::default() };
        import_bytes(Path::new(name), seed.as_bytes().to_vec(), &options).is_ok()
    };
    assert!(ok("samples_t_x.jsonl", SEEDS[0]) && ok("x.json", SEEDS[1]));
    assert!(ok("x.csv", SEEDS[2]) && ok("x.jsonl", SEEDS[3]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes_do_no_harm(
        seed in 0..SEEDS.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = SEEDS[seed].as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        read(&bytes);
        bytes.truncate(cut.index(bytes.len()) + 1);
        read(&bytes);
    }

    #[test]
    fn any_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read(&bytes);
    }
}
