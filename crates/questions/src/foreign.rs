//! Files and layouts that are known but not read, with the way out of each.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::readers::Record;

/// A file or layout that is not read.
#[derive(Debug, PartialEq, Eq)]
pub struct Foreign {
    /// What the data is, as the end of a sentence that begins with its place.
    pub what: &'static str,
    /// What to do.
    pub hint: &'static str,
}

const PARQUET: Foreign = Foreign {
    what: "a Parquet file, which is not read as questions",
    hint: "turn it into JSON lines: python3 -c \"import pandas, sys; \
           pandas.read_parquet(sys.argv[1]).to_json(sys.argv[2], orient='records', lines=True)\" \
           FILE.parquet FILE.jsonl",
};
const PARQUET_FOLDER: Foreign = Foreign {
    what: "a folder of Parquet files, which are not read as questions",
    hint: "turn the files of one split into JSON lines: python3 -c \"import pandas, sys; \
           pandas.concat(map(pandas.read_parquet, sys.argv[2:])).to_json(sys.argv[1], \
           orient='records', lines=True)\" test.jsonl FOLDER/test-*.parquet",
};
const ARROW: Foreign = Foreign {
    what: "an Arrow file, which is not read as questions",
    hint: "turn it into JSON lines: python3 -c \"import datasets, sys; \
           datasets.Dataset.from_file(sys.argv[1]).to_json(sys.argv[2])\" FILE.arrow FILE.jsonl",
};
const GZIP: Foreign = Foreign {
    what: "compressed with gzip",
    hint: "unpack it first, with `gunzip --keep FILE`",
};
const ZSTANDARD: Foreign = Foreign {
    what: "compressed with Zstandard",
    hint: "unpack it first, with `unzstd FILE`",
};
const ZIP: Foreign = Foreign {
    what: "a zip archive or a spreadsheet, which is not text",
    hint: "unpack the archive, or save the spreadsheet as CSV in UTF-8",
};

/// Options in two lists, as ARC, `CommonsenseQA` and `OpenBookQA` have them on the hub.
const TWO_LISTS: Foreign = Foreign {
    what: "the options are in two lists, \"text\" and \"label\", as in ARC on the hub; this layout \
           is not read",
    hint: "write {\"question\": \"…\", \"options\": [\"stone\", \"river\"], \"answer\": 0} instead: \
           jq -c '.answerKey as $key | {id, question: (.question // .question_stem), options: \
           .choices.text, answer: (.choices.label | index($key))}' FILE.jsonl",
};
const NESTED: Foreign = Foreign {
    what: "the question and its options are in one object, as in ARC's own files; this layout is \
           not read",
    hint: "write {\"question\": \"…\", \"options\": {\"A\": \"stone\", \"B\": \"river\"}, \
           \"answer\": \"A\"} instead: jq -c '{id, question: .question.stem, options: \
           (.question.choices | map({(.label): .text}) | add), answer: .answerKey}' FILE.jsonl",
};
const MEDMCQA: Foreign = Foreign {
    what: "the options are in fields of their own, as in MedMCQA; this layout is not read",
    hint: "give each row \"question\", \"options\" and \"answer\", where cop counts from 0 as on the \
           hub: jq -c '{id, category: .subject_name, question, options: [.opa, .opb, .opc, .opd], \
           answer: .cop}' FILE.jsonl",
};
const TRUTHFULQA: Foreign = Foreign {
    what: "the options are in mc1_targets, as in TruthfulQA; this layout is not read",
    hint: "give each row \"question\", \"options\" (mc1_targets.choices) and \"answer\" (the option \
           whose label is 1), and shuffle the options first: the right one always comes first",
};

/// What a file is that begins with these bytes, if it is not text.
pub(crate) fn of_bytes(begin: &[u8]) -> Option<&'static Foreign> {
    let known: [(&[u8], &'static Foreign); 5] = [
        (b"PAR1", &PARQUET),
        (b"ARROW1", &ARROW),
        (b"\x1f\x8b", &GZIP),
        (b"\x28\xb5\x2f\xfd", &ZSTANDARD),
        (b"PK\x03\x04", &ZIP),
    ];
    known
        .into_iter()
        .find_map(|(magic, foreign)| begin.starts_with(magic).then_some(foreign))
}

/// What a folder is that holds such files, itself or one level down.
pub(crate) fn of_folder(folder: &Path) -> Option<&'static Foreign> {
    let paths = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        entries.flatten().map(|entry| entry.path()).collect()
    };
    let is_parquet = |path: &PathBuf| path.extension().is_some_and(|end| end == "parquet");
    paths(folder)
        .iter()
        .any(|path| is_parquet(path) || paths(path).iter().any(is_parquet))
        .then_some(&PARQUET_FOLDER)
}

/// The layout of a row that generic JSON lines do not have, and the field that shows it.
pub(crate) fn of_row(row: &Record<'_>) -> Option<(&'static str, &'static Foreign)> {
    let inner = |field, key| row.glance(field).and_then(|value| value.get(key));
    let has = |field| row.glance(field).is_some();
    let lists = |key| inner("choices", key).is_some_and(Value::is_array);
    if lists("text") && lists("label") {
        Some(("choices", &TWO_LISTS))
    } else if inner("question", "stem").is_some() {
        Some(("question", &NESTED))
    } else if has("opa") && has("opb") && !has("options") {
        Some(("opa", &MEDMCQA))
    } else if has("mc1_targets") && !has("options") {
        Some(("mc1_targets", &TRUTHFULQA))
    } else {
        None
    }
}
