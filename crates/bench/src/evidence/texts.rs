//! What the questions of a page say.
//!
//! Stores hold each question's id and the digest of its content, not its text. Texts are looked
//! up by that digest, so that none can stand beside answers to another: in the data that `--data`
//! names, in what the run was asked from if that is still there, in imported data, and in the
//! built-in pack.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use sureness_analysis::Figures;
use sureness_questions::{Dataset, Format, LoadOptions, Question, load};

use crate::error::Failure;
use crate::questions::{Source, dataset_for, id_of, named_task};
use crate::settings::TaskData;

/// Maximum characters shown per text.
const LONGEST: usize = 4_000;
/// All texts of a page together, in bytes: a page has to open fast on a phone as well.
const MOST: usize = 3 << 20;

/// Digest of a question's content, or what stands for it where only its id is known.
type Key = [u8; 32];

/// Where texts are looked for first.
#[derive(Debug, Clone, Default)]
pub struct TextSources {
    /// Data that runs were asked from.
    pub data: Vec<TaskData>,
    /// The file of questions that saved logits go with, and the options that are left out of it.
    pub questions: Option<(PathBuf, Vec<usize>)>,
}

/// Finds texts, and keeps count of how much a page holds of them.
#[derive(Debug)]
pub struct Texts {
    /// The data of the sources, by task id.
    data: HashMap<String, Dataset>,
    questions: Option<(PathBuf, Vec<usize>)>,
    /// Bytes of the page so far.
    bytes: usize,
    /// Questions without a text, by task id.
    missing: Vec<(String, usize)>,
    cut: bool,
    full: bool,
}

impl Texts {
    /// Reads the data of the sources.
    pub fn of(sources: TextSources) -> Result<Self, Failure> {
        let mut data = HashMap::new();
        for of_task in &sources.data {
            let task = id_of(&of_task.task);
            let Some(path) = &of_task.path else {
                return Err(Failure::new(format!(
                    "a layout is given for task {task}, but no questions"
                ))
                .hint(format!("name them too: --data {task}=PATH")));
            };
            let dataset = read(&task, path, of_task.format)?;
            data.insert(task, dataset);
        }
        Ok(Self {
            data,
            questions: sources.questions,
            bytes: 0,
            missing: Vec::new(),
            cut: false,
            full: false,
        })
    }

    /// The questions of a task with these keys, as far as they are found.
    pub fn find(
        &mut self,
        figures: &Figures<'_>,
        task: &str,
        keys: &[Key],
    ) -> HashMap<Key, Question> {
        let mut search = Search {
            wanted: keys.iter().copied().collect(),
            found: HashMap::new(),
        };
        if let Some(dataset) = self.data.get(&id_of(task)) {
            search.among(dataset);
        }
        // What has gone since, or cannot be read any more, is no reason to write no report.
        if let Some((path, dropped)) = &self.questions
            && search.goes_on()
            && let Ok(dataset) = read(task, path, Some(Format::Paper))
        {
            search.shortened(&dataset, dropped);
        }
        for path in recorded(figures, task) {
            if search.goes_on()
                && let Ok(dataset) = read(task, &path, None)
            {
                search.among(&dataset);
            }
        }
        if search.goes_on()
            && let Ok(dataset) = dataset_for(task, &Source::default())
        {
            search.among(&dataset);
        }
        if search.goes_on() {
            self.missing.push((task.to_owned(), search.wanted.len()));
        }
        search.found
    }

    /// Cuts what is too long; `None` once the page holds enough.
    pub fn fit(&mut self, question: &Question) -> Option<Question> {
        let mut cut = |text: &String| match text.char_indices().nth(LONGEST) {
            Some((end, _)) => {
                self.cut = true;
                format!("{}…", &text[..end])
            }
            None => text.clone(),
        };
        let fitted = Question {
            context: question.context.as_ref().map(&mut cut),
            stem: cut(&question.stem),
            options: question.options.iter().map(&mut cut).collect(),
            ..question.clone()
        };
        let context = fitted.context.as_ref().map_or(0, String::len);
        let options: usize = fitted.options.iter().map(String::len).sum();
        let bytes = context + fitted.stem.len() + options;
        if self.bytes + bytes > MOST {
            self.full = true;
            return None;
        }
        self.bytes += bytes;
        Some(fitted)
    }

    /// What a reader should know of the texts.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.missing.is_empty() {
            let tasks: Vec<String> = self
                .missing
                .iter()
                .map(|(task, count)| format!("{task} ({count})"))
                .collect();
            notes.push(format!(
                "Questions whose text was not at hand: {}. Runs hold no texts; --data TASK=PATH names the data they were asked from.",
                tasks.join(", ")
            ));
        }
        if self.cut {
            notes.push(format!("Texts are cut after {LONGEST} characters."));
        }
        if self.full {
            notes.push(format!(
                "The page holds {} MB of texts and no more; the other questions are without.",
                MOST >> 20
            ));
        }
        notes
    }
}

/// Questions that are looked for in one place after the other.
struct Search {
    wanted: HashSet<Key>,
    found: HashMap<Key, Question>,
}

impl Search {
    fn goes_on(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// By content. Few-shot examples of one run may have been questions of another.
    fn among(&mut self, dataset: &Dataset) {
        for index in 0..dataset.questions.len() {
            if let Ok(key) = dataset.questions.content_digest(index)
                && self.wanted.remove(&key)
                && let Ok(question) = dataset.questions.get(index)
            {
                self.found.insert(key, question);
            }
        }
        for example in &dataset.examples {
            let key = example.content_digest();
            if self.wanted.remove(&key) {
                self.found.insert(key, example.clone());
            }
        }
    }

    /// By content, without the options that were dropped from saved logits.
    fn shortened(&mut self, dataset: &Dataset, dropped: &[usize]) {
        for mut question in dataset.questions.iter().flatten() {
            let key = question.content_digest();
            if self.wanted.remove(&key) {
                let options = std::mem::take(&mut question.options).into_iter();
                let kept = options.enumerate().filter(|(at, _)| !dropped.contains(at));
                question.options = kept.map(|(_, text)| text).collect();
                self.found.insert(key, question);
            }
        }
    }
}

/// The abstention options are left as they are: content is the same with and without them.
fn read(
    task: &str,
    path: &Path,
    format: Option<Format>,
) -> Result<Dataset, sureness_questions::DataError> {
    let options = LoadOptions {
        format,
        abstention: false,
        ..LoadOptions::new(named_task(task))
    };
    load(path, &options)
}

/// Files and folders that the task was asked from, by what runs have recorded.
fn recorded(figures: &Figures<'_>, task: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for model in &figures.models {
        let settings = model.model.source.record.settings();
        let path = settings
            .and_then(|settings| settings.task(task))
            .map(|task| PathBuf::from(&task.source));
        if let Some(path) = path
            && (path.is_file() || path.is_dir())
            && !paths.contains(&path)
        {
            paths.push(path);
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> Texts {
        Texts {
            data: HashMap::new(),
            questions: None,
            bytes: 0,
            missing: Vec::new(),
            cut: false,
            full: false,
        }
    }

    fn question(stem: &str, context: Option<String>) -> Question {
        Question {
            id: "1".into(),
            category: None,
            context,
            stem: stem.into(),
            options: vec!["one".into(), "two".into()],
            answer: 0,
        }
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let mut texts = empty();
        let fitted = texts
            .fit(&question(&"é".repeat(LONGEST + 1), None))
            .unwrap();
        assert_eq!(fitted.stem.chars().count(), LONGEST + 1);
        assert!(fitted.stem.ends_with("é…"));
        assert_eq!(texts.notes(), ["Texts are cut after 4000 characters."]);
        let same = question(&"é".repeat(LONGEST), None);
        assert_eq!(texts.fit(&same), Some(same));
    }

    #[test]
    fn a_page_holds_so_much_and_no_more() {
        let mut texts = empty();
        let long = question("Which?", Some("x".repeat(LONGEST)));
        let fitting = (0..2_000).map_while(|_| texts.fit(&long)).count();
        assert!((700..800).contains(&fitting), "{fitting}");
        assert!(texts.bytes <= MOST);
        assert!(texts.notes().concat().contains("holds 3 MB of texts"));
    }
}
