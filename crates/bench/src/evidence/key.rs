//! Notices an answer key that belongs to other questions than the saved logits.

use std::path::Path;
use std::slice::from_ref;

use sureness_analysis::number::count;
use sureness_conformal::Guessing;
use sureness_scorers::replay::FileName;

use crate::error::Failure;

/// Data sets of multiple-choice questions whose names occur in file names, longer names first.
const KNOWN: [&str; 34] = [
    "halueval_dialogue",
    "halueval_summarization",
    "halueval_summarisation",
    "halu_dialogue",
    "halu_summarization",
    "halu_summarisation",
    "arc_challenge",
    "arc_easy",
    "mmlu_pro",
    "mmlu",
    "cosmosqa",
    "hellaswag",
    "emotion",
    "agieval",
    "arc",
    "boolq",
    "ceval",
    "cmmlu",
    "commonsenseqa",
    "gpqa",
    "logiqa",
    "medmcqa",
    "medqa",
    "openbookqa",
    "piqa",
    "pubmedqa",
    "race",
    "sciq",
    "siqa",
    "sst2",
    "storycloze",
    "swag",
    "truthfulqa",
    "winogrande",
];

/// Words before a size that name no data set.
const GENERIC: [&str; 13] = [
    "all",
    "answer",
    "answers",
    "data",
    "dataset",
    "first",
    "key",
    "keys",
    "question",
    "questions",
    "sample",
    "set",
    "test",
];

/// A file of right answers and the data set that it names.
#[derive(Debug, Clone)]
pub(crate) struct KeyFile<'a> {
    path: &'a Path,
    /// `None` if nothing tells the data set, or where a person insists on the file.
    set: Option<SetName>,
}

impl<'a> KeyFile<'a> {
    /// `source` is the data set that all its questions name.
    pub(crate) fn new(path: &'a Path, source: Option<&str>) -> Self {
        let set = SetName::of_key(path, source);
        Self { path, set }
    }

    /// Takes, if `any`, logits whose names tell another data set.
    #[must_use]
    pub(crate) fn for_any_file(self, any: bool) -> Self {
        Self {
            set: self.set.filter(|_| !any),
            ..self
        }
    }

    /// Refuses a file of logits whose name tells another data set than that of the answers.
    pub(crate) fn check(&self, logits: &Path) -> Result<(), Failure> {
        let names = self.set.as_ref().zip(SetName::of_logits(logits));
        match names.filter(|(key, logits)| key.contradicts(logits)) {
            None => Ok(()),
            Some((key, set)) => Err(Failure::new(format_args!(
                "{}: these are logits of {} by the file's name, but {} has the answers of {}",
                logits.display(),
                set.shown,
                self.path.display(),
                key.shown
            ))
            .hint(
                "give the questions that these logits were computed on, or insist on these with \
                 --any-questions",
            )),
        }
    }
}

/// A data set that a name tells.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SetName {
    /// As it was written, for messages.
    shown: String,
    /// The same for every way to write the name.
    task: String,
    /// The words of a size, as in `emotion_10k_4`; empty without one.
    size: Vec<String>,
}

impl SetName {
    /// The data set that a name contains: a known one, or the word before a size.
    fn within(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        let words: Vec<&str> = name
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        let known = KNOWN.iter().find_map(|known| {
            let length = known.split('_').count();
            let mut windows = words.windows(length);
            let start = windows.position(|window| window.join("_") == *known)?;
            Some(start..start + length)
        });
        let place = known.or_else(|| {
            let name = words.iter().skip(1).position(|word| is_size(word))?;
            let generic = GENERIC.contains(words.get(name)?);
            (!generic).then_some(name..name + 1)
        })?;
        let size: Vec<String> = words[place.end..]
            .iter()
            .take_while(|word| is_size(word) || is_number(word))
            .map(|word| (*word).to_owned())
            .collect();
        let set = words[place].join("_");
        Some(Self {
            shown: [from_ref(&set), &size].concat().join("_"),
            task: sureness_importers::task_of(&set),
            size,
        })
    }

    /// The data set of a file of saved logits, by its name.
    fn of_logits(path: &Path) -> Option<Self> {
        let stem = path.file_stem()?.to_string_lossy();
        Self::within(&FileName::parse(path).dataset.unwrap_or(stem.into_owned()))
    }

    /// The data set of a questions file, by its name or else by the source that its questions name.
    fn of_key(path: &Path, source: Option<&str>) -> Option<Self> {
        let stem = path.file_stem()?.to_string_lossy();
        Self::within(&stem).or_else(|| Self::within(source?))
    }

    /// Whether both cannot name one set of questions.
    fn contradicts(&self, other: &Self) -> bool {
        let sizes = !self.size.is_empty() && !other.size.is_empty();
        self.task != other.task || sizes && self.size != other.size
    }
}

fn is_size(word: &str) -> bool {
    word.strip_suffix('k').is_some_and(is_number)
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// The warning about files in which answers are right no more often than by guessing; `None` if
/// there is none. `key` is the file with the right answers, unless each file has its own.
pub fn guessing_warning(key: Option<&Path>, files: &[(String, Guessing)]) -> Option<String> {
    let guesses: Vec<_> = files.iter().filter(|(_, it)| it.is_all()).collect();
    let (name, first) = guesses.first()?;
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let others = match guesses.len() {
        1 => String::new(),
        all if all == files.len() => format!(", like all {} files", count(all)),
        2 => ", like 1 other file".to_owned(),
        some => format!(", like {} other files", count(some - 1)),
    };
    Some(format!(
        "{name}{others}: {} of {} questions have the right answer, no more than by guessing with the \
         same letters ({} on average, p = {:.2}); check that {}",
        percent(first.right as f64 / first.questions as f64),
        count(first.questions),
        percent(first.chance),
        first.p,
        key.map_or_else(
            || "the answers belong to these scores".to_owned(),
            |key| format!("{} belongs to these logits", key.display()),
        )
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contradict(key: &str, logits: &str) -> bool {
        let key = SetName::of_key(Path::new(key), None);
        let logits = SetName::of_logits(Path::new(logits));
        key.zip(logits).is_some_and(|(a, b)| a.contradicts(&b))
    }

    #[test]
    fn names_of_two_data_sets_contradict() {
        for (key, logits) in [
            ("mmlu_10k.json", "Qwen-7B_emotion_10k_4_base_icl1.pkl"),
            ("emotion_10k_4.json", "Yi-34B_mmlu_10k_task_icl1.pkl"),
            (
                "my-hellaswag-answers.json",
                "m_halu_dialogue_10k_base_icl0.csv",
            ),
            ("mmlu_pro.json", "m_mmlu_base_icl1.jsonl"),
            ("wine_5k.json", "m_beer_5k_base_icl1.jsonl"),
            ("mmlu_5k.json", "m_mmlu_10k_base_icl1.jsonl"),
            ("emotion_10k_6.json", "m_emotion_10k_4_base_icl1.jsonl"),
            ("MMLU.json", "m_emotion_10k_4.pkl"),
        ] {
            assert!(contradict(key, logits), "{key} {logits}");
        }
    }

    #[test]
    fn other_names_do_not() {
        for (key, logits) in [
            ("mmlu_10k.json", "Yi-34B_mmlu_10k_base_icl1.pkl"),
            ("mmlu.json", "Yi-34B_mmlu_10k_base_icl1.pkl"),
            ("key.json", "Yi-34B_mmlu_10k_base_icl1.pkl"),
            ("questions_10k.json", "Yi-34B_mmlu_10k_base_icl1.pkl"),
            (
                "halueval-dialogue.json",
                "m_halu_dialogue_10k_base_icl0.csv",
            ),
            ("mmlu_10k.json", "saved.pkl"),
            ("mmlu_10k.json", "my_own_model_base_icl1.pkl"),
            ("questions_of_llama.json", "llama_mmlu_base_icl1.csv"),
        ] {
            assert!(!contradict(key, logits), "{key} {logits}");
        }
        let source = SetName::of_key(Path::new("key.json"), Some("Emotion")).unwrap();
        assert_eq!(source.shown, "emotion");
        let sized = SetName::within("emotion_10k_4").unwrap();
        assert_eq!(sized.shown, "emotion_10k_4");
        assert!(!source.contradicts(&sized));
    }

    #[test]
    fn one_warning_covers_all_files() {
        let guess = Guessing {
            questions: 9_995,
            right: 2_410,
            chance: 0.25,
            p: 0.98,
        };
        let known = Guessing { p: 0.0, ..guess };
        let key = Path::new("key.json");
        let of = |files: &[Guessing]| {
            let names = files.iter().enumerate();
            let files: Vec<_> = names.map(|(at, it)| (format!("m{at}"), *it)).collect();
            guessing_warning(Some(key), &files)
        };
        assert_eq!(of(&[known, known]), None);
        let text = of(&[known, guess]).unwrap();
        assert!(text.starts_with("m1: 24.1 % of 9,995 questions"), "{text}");
        assert!(text.contains("(25.0 % on average, p = 0.98)"), "{text}");
        assert!(
            of(&[guess; 12])
                .unwrap()
                .starts_with("m0, like all 12 files: ")
        );
        assert!(
            of(&[guess, known, guess])
                .unwrap()
                .starts_with("m0, like 1 other file: ")
        );
    }
}
