//! Formats and their detection.

use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;

use crate::json;
use crate::read::GZIP;

/// A format that can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Format {
    /// Samples of lm-evaluation-harness (`--log_samples`)
    LmEval,
    /// Logs of Inspect with log-probabilities
    Inspect,
    /// Details of lighteval (Parquet) with log-probabilities
    Lighteval,
    /// Predictions of OLMES (`oe_eval`) with log-likelihoods
    Olmes,
    /// `scenario_state.json` of HELM with a request per option
    Helm,
    /// Predictions of OpenCompass by PPL or CLP
    #[cfg_attr(feature = "clap", value(name = "opencompass"))]
    OpenCompass,
    /// Predictions of evalscope with log-probabilities
    Evalscope,
    /// Results of BIG-bench with their queries
    #[cfg_attr(feature = "clap", value(name = "bigbench"))]
    BigBench,
    /// Requests and results of a batch of OpenAI's interface
    Batch,
    /// Outputs of vLLM's offline engine as JSON lines
    Vllm,
    /// Results of promptfoo with log-probabilities
    Promptfoo,
    /// Pickles of logits, as the paper published them
    Paper,
    /// CSV, JSON lines or Parquet with logits or log-probabilities
    Table,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 13] = [
        Self::LmEval,
        Self::Inspect,
        Self::Lighteval,
        Self::Olmes,
        Self::Helm,
        Self::OpenCompass,
        Self::Evalscope,
        Self::BigBench,
        Self::Batch,
        Self::Vllm,
        Self::Promptfoo,
        Self::Paper,
        Self::Table,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::LmEval => "lm-eval",
            Self::Inspect => "inspect",
            Self::Lighteval => "lighteval",
            Self::Olmes => "olmes",
            Self::Helm => "helm",
            Self::OpenCompass => "opencompass",
            Self::Evalscope => "evalscope",
            Self::BigBench => "bigbench",
            Self::Batch => "batch",
            Self::Vllm => "vllm",
            Self::Promptfoo => "promptfoo",
            Self::Paper => "paper",
            Self::Table => "table",
        }
    }

    /// Display name of the tool or file.
    pub fn title(self) -> &'static str {
        match self {
            Self::LmEval => "lm-evaluation-harness",
            Self::Inspect => "inspect_ai",
            Self::Lighteval => "lighteval",
            Self::Olmes => "OLMES",
            Self::Helm => "HELM",
            Self::OpenCompass => "OpenCompass",
            Self::Evalscope => "evalscope",
            Self::BigBench => "BIG-bench",
            Self::Batch => "a batch of OpenAI's interface",
            Self::Vllm => "vLLM",
            Self::Promptfoo => "promptfoo",
            Self::Paper => "the paper's pickles",
            Self::Table => "a table of scores",
        }
    }

    /// Detects the format from the beginning of a file: at least its first line, or the first 64 KiB.
    pub(crate) fn of(path: &Path, beginning: &[u8]) -> Option<Self> {
        if beginning.starts_with(GZIP) {
            // Only lines are read without unpacking them first.
            let unpacked = unpacked(beginning);
            let format = Self::of(&path.with_extension(""), &unpacked);
            let lines = [
                Self::LmEval,
                Self::Olmes,
                Self::Evalscope,
                Self::Batch,
                Self::Vllm,
            ];
            return format.filter(|it| lines.contains(it));
        }
        let extension = path
            .extension()
            .map(|extension| extension.to_string_lossy().to_lowercase());
        let extension = extension.as_deref().unwrap_or_default();
        if beginning.starts_with(b"PK") {
            return Some(Self::Inspect);
        }
        if beginning.starts_with(b"PAR1") {
            return Some(Self::Table);
        }
        if matches!(extension, "pkl" | "pickle") || beginning.starts_with(&[0x80]) {
            return Some(Self::Paper);
        }
        let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning);
        let text = text.trim_ascii_start();
        let has = |key: &[u8]| text.windows(key.len()).any(|part| part == key);
        if let Some(format) = exchanges(text, &has) {
            return Some(format);
        }
        // A list of samples.
        if text.starts_with(b"[") && has(b"\"doc_id\"") && has(b"\"doc\"") {
            return Some(Self::LmEval);
        }
        // Rows of a table as one list, as pandas writes them; a list of questions has no scores.
        if text.starts_with(b"[") && has(b"\"id\"") && (has(b"\"logit") || has(b"\"logprob")) {
            return Some(Self::Table);
        }
        if text.starts_with(b"{") {
            let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
            if let Ok(Value::Object(first)) = json::parse::<Value>(line) {
                if first.contains_key("eval") {
                    return Some(Self::Inspect);
                }
                let has = |name: &str| first.contains_key(name);
                if has("model_output") && has("doc_id") {
                    return Some(Self::Olmes);
                }
                if has("model_output") && has("index") {
                    return Some(Self::Evalscope);
                }
                // What OLMES asked, and what evalscope thought of the answers.
                if has("request_type") || has("requests") || has("sample_score") {
                    return None;
                }
                let answers = first.contains_key("resps") || first.contains_key("filtered_resps");
                if first.contains_key("doc_id") || answers {
                    return Some(Self::LmEval);
                }
                if first.contains_key("id") && extension != "json" {
                    return Some(Self::Table);
                }
            }
            // An object over many lines, or a line that is longer than the part seen here.
            if has(b"\"adapter_spec\"") && has(b"\"request_states\"") {
                return Some(Self::Helm);
            }
            // A log is one object over many lines, or longer than the part seen here.
            if has(b"\"eval\"") && (has(b"\"version\"") || has(b"\"status\"")) {
                return Some(Self::Inspect);
            }
            if has(b"\"doc_id\"") && has(b"\"doc\"") && !has(b"\"request_type\"") {
                return Some(Self::LmEval);
            }
            if let Some(format) = Self::of_keys(has) {
                return Some(format);
            }
        }
        matches!(extension, "csv" | "tsv" | "jsonl" | "ndjson" | "parquet").then_some(Self::Table)
    }

    /// Detects a harness by keys in the part of its file that is seen.
    fn of_keys(has: impl Fn(&[u8]) -> bool) -> Option<Self> {
        let clp = has(b"\"pred_label\"") && has(b"\"choices\"");
        if has(b"\"in-context examples\"") || has(b"\"label: ") || clp {
            return Some(Self::OpenCompass);
        }
        let results = has(b"\"queries\"") && has(b"\"function\"") || has(b"\"score_dict\"");
        let task = has(b"\"examples\"") && has(b"\"target_scores\"");
        if results || task {
            return Some(Self::BigBench);
        }
        None
    }

    /// Whether a table seems to have scores; folders may contain other tables.
    pub(crate) fn has_scores(beginning: &[u8]) -> bool {
        // Lists are tables only because of their scores.
        if beginning.starts_with(b"PAR1") || beginning.trim_ascii_start().starts_with(b"[") {
            return true;
        }
        let line = beginning.split(|byte| *byte == b'\n').next();
        let line = String::from_utf8_lossy(line.unwrap_or_default());
        let words: Vec<&str> = line
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .collect();
        let score = |word: &&str| word.starts_with("logit") || word.starts_with("logprob");
        words.contains(&"id")
            && (words.iter().any(score) || (words.contains(&"A") && !line.starts_with('{')))
    }
}

/// The format of requests and answers in text, by the keys of the first object, or by what is seen of
/// it where it is longer than the beginning of the file or spans many lines.
fn exchanges(text: &[u8], has: &impl Fn(&[u8]) -> bool) -> Option<Format> {
    if !text.starts_with(b"{") && !text.starts_with(b"[") {
        return None;
    }
    let line = text.split(|byte| *byte == b'\n').next();
    let first = line.and_then(|line| json::parse::<Value>(line).ok());
    let first = match &first {
        Some(Value::Array(list)) => list.first(),
        first => first.as_ref(),
    };
    let keys = first.and_then(Value::as_object);
    // A log of Inspect may quote any of these keys.
    let is_log = keys.is_none() && has(b"\"eval\"") && !has(b"\"evalId\"");
    let has = |key: &str| match keys {
        Some(keys) => keys.contains_key(key),
        None => !is_log && has(format!("\"{key}\"").as_bytes()),
    };
    if has("custom_id") && (has("body") || has("response") || has("error")) {
        return Some(Format::Batch);
    }
    let results = has("evalId") && has("results");
    if results || has("promptIdx") && has("testIdx") {
        return Some(Format::Promptfoo);
    }
    let request = has("prompt") || has("prompt_token_ids") || has("request_id");
    (has("outputs") && request).then_some(Format::Vllm)
}

/// What can be unpacked of the beginning of a gzip file.
fn unpacked(beginning: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; beginning.len()];
    let mut decoder = GzDecoder::new(beginning);
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match decoder.read(rest) {
            Ok(read) if read > 0 => filled += read,
            // The beginning ends in the middle of the stream.
            _ => break,
        }
    }
    bytes.truncate(filled);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files by name and beginning.
    const BEGINNINGS: &[(&str, &str, Option<Format>)] = &[
        (
            "x",
            "{\"doc_id\": 0, \"resps\": []}\n",
            Some(Format::LmEval),
        ),
        (
            "x.jsonl",
            "{\"doc_id\": 0, \"doc\": {",
            Some(Format::LmEval),
        ),
        (
            "x.jsonl",
            "{\"id\": 0, \"logits\": [1, 2]}\n",
            Some(Format::Table),
        ),
        (
            "x.json",
            "{\n  \"version\": 2,\n  \"eval\": {",
            Some(Format::Inspect),
        ),
        (
            "x.json",
            "{\"status\": \"success\", \"eval\": {}}",
            Some(Format::Inspect),
        ),
        (
            "x.json",
            "{\n \"status\": \"success\",\n \"eval\": {\"queries\": [], \"function\": 1}",
            Some(Format::Inspect),
        ),
        (
            "scenario_state.json",
            "{\n  \"adapter_spec\": {},\n  \"request_states\": [",
            Some(Format::Helm),
        ),
        (
            "x.json",
            "{\n    \"0\": {\n        \"in-context examples\": \"",
            Some(Format::OpenCompass),
        ),
        (
            "x-predictions.jsonl",
            "{\"doc_id\": 0, \"model_output\": []}\n",
            Some(Format::Olmes),
        ),
        (
            "x-requests.jsonl",
            "{\"doc_id\": 0, \"doc\": {}, \"request_type\": 1}\n",
            None,
        ),
        (
            "x.jsonl",
            "{\"index\": 0, \"model_output\": {}}\n",
            Some(Format::Evalscope),
        ),
        ("x.jsonl", "{\"index\": 0, \"sample_score\": {}}\n", None),
        (
            "scores_x.json",
            "{\"scores\": [{\"score_dict\": {}}], \"queries\": []}",
            Some(Format::BigBench),
        ),
        ("x.eval", "PK\x03\x04", Some(Format::Inspect)),
        (
            "x.jsonl",
            "{\"id\": \"batch_req_1\", \"custom_id\": \"1\", \"response\": {}}\n",
            Some(Format::Batch),
        ),
        (
            "x.jsonl",
            "{\"custom_id\": \"1\", \"method\": \"POST\", \"body\": {\"messages\"",
            Some(Format::Batch),
        ),
        (
            "x.jsonl",
            "{\"id\": 1, \"prompt\": \"?\", \"outputs\": []}\n",
            Some(Format::Vllm),
        ),
        (
            "x.json",
            "{\n  \"evalId\": \"eval-1\",\n  \"results\": {\n    \"version\": 3",
            Some(Format::Promptfoo),
        ),
        (
            "x.jsonl",
            "{\"promptIdx\": 0, \"testIdx\": 0, \"vars\": {}}\n",
            Some(Format::Promptfoo),
        ),
        ("x.parquet", "PAR1", Some(Format::Table)),
        ("x.csv", "id,A,B\n", Some(Format::Table)),
        ("x.pkl", "(lp0\n", Some(Format::Paper)),
        ("x.txt", "hello", None),
        ("x.json", "[{\"id\": 1}]", None),
        (
            "x.json",
            "[{\"id\": 1, \"logits\": [1, 2]}]",
            Some(Format::Table),
        ),
        (
            "x.json",
            "[\n {\n  \"doc_id\": 0,\n  \"doc\": {",
            Some(Format::LmEval),
        ),
    ];

    #[test]
    fn formats_are_detected_from_content() {
        for (name, beginning, format) in BEGINNINGS {
            let detected = Format::of(Path::new(name), beginning.as_bytes());
            assert_eq!(detected, *format, "{name}: {beginning}");
        }
    }
}
