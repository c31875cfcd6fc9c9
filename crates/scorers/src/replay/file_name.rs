//! Model, data set and strategy in a file's name.

use std::path::Path;

use sureness_prompts::Strategy;

/// Data sets of the benchmark whose names hold an underscore, and which come without a size.
const TWO_WORDS: [&str; 6] = [
    "halu_dialogue",
    "halu_summarization",
    "halu_summarisation",
    "halueval_dialogue",
    "halueval_summarization",
    "halueval_summarisation",
];

/// The parts of `{model}_{dataset}_{base|shared|task}_icl{0|1}.pkl`, or of any other extension.
///
/// The name is read from the right, since a model's name may hold underscores. The data set is
/// `<name>_<n>k` or `<name>_<n>k_<m>` (`mmlu_10k`, `emotion_10k_4`), one of the benchmark's
/// names of two words (`halu_dialogue`), or else the last word. A name that does not end in a
/// strategy is a model's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName {
    /// The model, or the whole name if nothing else is recognised.
    pub model: String,
    /// The data set.
    pub dataset: Option<String>,
    /// The prompt strategy.
    pub strategy: Option<Strategy>,
    /// The number after `icl`: 0 for zero-shot prompts, 1 for few-shot prompts.
    pub icl: Option<u8>,
}

impl FileName {
    /// Parses the name of `path`.
    pub fn parse(path: &Path) -> Self {
        let stem = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default();
        Self::from_stem(&stem).unwrap_or(Self {
            model: stem,
            dataset: None,
            strategy: None,
            icl: None,
        })
    }

    fn from_stem(stem: &str) -> Option<Self> {
        let (rest, icl) = match stem.rsplit_once("_icl") {
            Some((rest, digits)) => (rest, Some(digits.parse().ok()?)),
            None => (stem, None),
        };
        let (rest, strategy) = split_strategy(rest)?;
        let (model, dataset) = split_dataset(rest);
        Some(Self {
            model: model.to_owned(),
            dataset: dataset.map(str::to_owned),
            strategy: Some(strategy),
            icl,
        })
    }
}

fn split_strategy(text: &str) -> Option<(&str, Strategy)> {
    Strategy::ALL
        .into_iter()
        .find_map(|strategy| Some((strip_word(text, strategy.name())?, strategy)))
        .or_else(|| {
            let (rest, word) = text.rsplit_once('_')?;
            Some((rest, Strategy::by_name(word)?))
        })
}

fn split_dataset(text: &str) -> (&str, Option<&str>) {
    let name_end = strip_size(text).unwrap_or(text);
    let model = TWO_WORDS
        .iter()
        .find_map(|name| strip_word(name_end, name))
        .or_else(|| name_end.rsplit_once('_').map(|(model, _)| model));
    match model {
        Some(model) if !model.is_empty() => (model, Some(&text[model.len() + 1..])),
        _ => (text, None),
    }
}

/// Takes `_<n>k` or `_<n>k_<m>` off the end.
fn strip_size(text: &str) -> Option<&str> {
    let digits = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let size = |word: &str| word.strip_suffix('k').is_some_and(digits);
    let (rest, last) = text.rsplit_once('_')?;
    if size(last) {
        return Some(rest);
    }
    let (rest, middle) = rest.rsplit_once('_')?;
    (digits(last) && size(middle)).then_some(rest)
}

fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.strip_suffix(word)?.strip_suffix('_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(name: &str) -> (String, Option<String>, Option<Strategy>, Option<u8>) {
        let FileName {
            model,
            dataset,
            strategy,
            icl,
        } = FileName::parse(Path::new(name));
        (model, dataset, strategy, icl)
    }

    #[test]
    fn names_of_the_paper() {
        for (name, model, dataset, strategy, icl) in [
            (
                "Yi-34B_mmlu_10k_base_icl1.pkl",
                "Yi-34B",
                "mmlu_10k",
                Strategy::Base,
                1,
            ),
            (
                "Qwen-7B_emotion_10k_4_task_icl0.pkl",
                "Qwen-7B",
                "emotion_10k_4",
                Strategy::TaskSpecific,
                0,
            ),
            (
                "my_own_model_cosmosqa_10k_shared_icl1.csv",
                "my_own_model",
                "cosmosqa_10k",
                Strategy::SharedInstruction,
                1,
            ),
            (
                "Yi-6B_halu_dialogue_base_icl1.pkl",
                "Yi-6B",
                "halu_dialogue",
                Strategy::Base,
                1,
            ),
            (
                "Yi-6B_halu_summarization_10k_base_icl1.pkl",
                "Yi-6B",
                "halu_summarization_10k",
                Strategy::Base,
                1,
            ),
            (
                "Yi-6B_v1.5_mmlu_10k_base_icl1.parquet",
                "Yi-6B_v1.5",
                "mmlu_10k",
                Strategy::Base,
                1,
            ),
            (
                "m_other_shared_instruction_icl1.jsonl",
                "m",
                "other",
                Strategy::SharedInstruction,
                1,
            ),
        ] {
            let expected = (
                model.to_owned(),
                Some(dataset.to_owned()),
                Some(strategy),
                Some(icl),
            );
            assert_eq!(
                parts(&format!("some/folder_base_icl0/{name}")),
                expected,
                "{name}"
            );
        }
    }

    #[test]
    fn other_names_are_all_model() {
        for name in [
            "logits",
            "my_model_mmlu_10k",
            "m_mmlu_10k_base_iclx",
            "m_d_chat_icl1",
            "",
        ] {
            assert_eq!(
                parts(&format!("{name}.pkl")),
                if name.is_empty() {
                    (".pkl".to_owned(), None, None, None)
                } else {
                    (name.to_owned(), None, None, None)
                }
            );
        }
    }

    #[test]
    fn parts_may_be_missing() {
        let base = Some(Strategy::Base);
        assert_eq!(
            parts("m_mmlu_10k_base.pkl"),
            ("m".into(), Some("mmlu_10k".into()), base, None)
        );
        assert_eq!(parts("m_base_icl1.pkl"), ("m".into(), None, base, Some(1)));
    }
}
