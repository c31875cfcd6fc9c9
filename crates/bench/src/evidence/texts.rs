//! Finds the texts of questions for a report page.
//!
//! Stores hold the id of each question and the digest of its content, not its text. Texts are looked
//! up by that digest, so that a text always belongs to its answers: in the data sets of `--data`,
//! in the recorded data sets if they still exist, in imported data, and in the built-in pack.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use sureness_analysis::Figures;
use sureness_analysis::number::count;
use sureness_questions::{Columns, Dataset, Format, LoadOptions, Question};

use crate::error::Failure;
use crate::questions::{Place, dataset_for, id_of, named_task};
use crate::settings::{QuestionSettings, TaskData};

/// Maximum characters shown per text.
const MAX_TEXT_CHARS: usize = 4_000;
/// Maximum bytes of all texts of a page, so that it opens fast on a phone.
const MAX_PAGE_BYTES: usize = 3 << 20;

/// Digest of a question's content, or of its id if the content is unknown.
type Key = [u8; 32];

/// Data sets to search first.
#[derive(Debug, Clone, Default)]
pub struct TextSources {
    /// Data sets of tasks.
    pub data: Vec<TaskData>,
    /// The questions file of saved logits, and the options dropped from it.
    pub questions: Option<(PathBuf, Vec<usize>)>,
}

/// Finds texts and limits their total size on a page.
#[derive(Debug, Default)]
pub struct Texts {
    /// The data sets of the sources, by task id.
    data: BTreeMap<String, Dataset>,
    questions: Option<(PathBuf, Vec<usize>)>,
    /// Bytes of texts so far.
    bytes: usize,
    /// Questions without a text, by task id.
    missing: Vec<(String, usize)>,
    cut: bool,
    full: bool,
}

impl Texts {
    /// Reads the data sets of the sources.
    pub fn of(sources: TextSources) -> Result<Self, Failure> {
        let mut data = BTreeMap::new();
        for of_task in &sources.data {
            let task = id_of(&of_task.task);
            let Some(path) = &of_task.path else {
                return Err(Failure::new(format!(
                    "a layout is given for task {task}, but no questions"
                ))
                .hint(format!("give them too: --data {task}=PATH")));
            };
            let columns = of_task.columns.clone();
            let dataset = read(&task, Place::find, path, of_task.format, columns)?;
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

    /// The tasks whose data sets are searched first.
    pub(super) fn tasks(&self) -> impl Iterator<Item = &str> {
        self.data.keys().map(String::as_str)
    }

    /// Finds the questions of a task with these keys.
    pub fn find(
        &mut self,
        figures: &Figures<'_>,
        task: &str,
        keys: &[Key],
    ) -> HashMap<Key, Question> {
        let mut search = Search::of(keys);
        if let Some(dataset) = self.data.get(&id_of(task)) {
            search.look_in(dataset);
        }
        // Files that are gone or unreadable by now only leave texts out of the report.
        if let Some((path, dropped)) = &self.questions
            && search.is_open()
            && let Ok(dataset) = read(task, Place::find_here, path, Some(Format::Paper), None)
        {
            search.look_in_without(&dataset, dropped);
        }
        search.look_elsewhere(task, recorded(figures, task));
        if search.is_open() {
            self.missing.push((task.to_owned(), search.wanted.len()));
        }
        search.found
    }

    /// The open questions of a task with these keys, for their accepted answers: in the data of the
    /// sources, in `recorded`, and in imported data.
    pub(super) fn open_questions(
        &self,
        task: &str,
        recorded: Option<PathBuf>,
        keys: &[Key],
    ) -> HashMap<Key, Question> {
        let mut search = Search::of(keys);
        if let Some(dataset) = self.data.get(&id_of(task)) {
            search.look_in(dataset);
        }
        search.look_elsewhere(task, recorded);
        search.found
    }

    /// Truncates long texts; `None` once the page is full.
    pub fn fit(&mut self, question: &Question) -> Option<Question> {
        let mut cut = |text: &String| match text.char_indices().nth(MAX_TEXT_CHARS) {
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
        if self.bytes + bytes > MAX_PAGE_BYTES {
            self.full = true;
            return None;
        }
        self.bytes += bytes;
        Some(fitted)
    }

    /// Notes on missing and truncated texts.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.missing.is_empty() {
            let tasks: Vec<String> = self
                .missing
                .iter()
                .map(|(task, missing)| format!("{task} ({})", count(*missing)))
                .collect();
            notes.push(format!(
                "Questions without text: {}. Runs do not store texts; pass --data TASK=PATH to add them.",
                tasks.join(", ")
            ));
        }
        if self.cut {
            notes.push(format!(
                "Texts are truncated to {} characters.",
                count(MAX_TEXT_CHARS)
            ));
        }
        if self.full {
            notes.push(format!(
                "The page is limited to {} MB of texts; other questions have none.",
                MAX_PAGE_BYTES >> 20
            ));
        }
        notes
    }
}

/// A search through several data sets in turn.
struct Search {
    wanted: HashSet<Key>,
    found: HashMap<Key, Question>,
}

impl Search {
    fn of(keys: &[Key]) -> Self {
        Self {
            wanted: keys.iter().copied().collect(),
            found: HashMap::new(),
        }
    }

    /// Looks in the files that runs recorded, then in imported and built-in data. Files that are gone
    /// or unreadable by now are passed over.
    fn look_elsewhere(&mut self, task: &str, recorded: impl IntoIterator<Item = PathBuf>) {
        for path in recorded {
            if self.is_open()
                && let Ok(dataset) = read(task, Place::find_here, &path, None, None)
            {
                self.look_in(&dataset);
            }
        }
        let without_abstention = QuestionSettings {
            abstention: false,
            ..QuestionSettings::default()
        };
        if self.is_open()
            && let Ok(dataset) = dataset_for(task, &without_abstention)
        {
            self.look_in(&dataset);
        }
    }

    fn is_open(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Looks for questions and few-shot examples, which may be questions of another run.
    fn look_in(&mut self, dataset: &Dataset) {
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

    /// Looks for questions and removes the options that were dropped from saved logits.
    fn look_in_without(&mut self, dataset: &Dataset, dropped: &[usize]) {
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

/// Reads a data set without adding abstention options, which the content digest ignores.
fn read(
    task: &str,
    find: impl Fn(&Path, Option<Format>) -> Result<Place, Failure>,
    path: &Path,
    format: Option<Format>,
    columns: Option<Columns>,
) -> Result<Dataset, Failure> {
    let by_columns = columns.as_ref().map(|_| Format::Columns);
    let place = find(path, by_columns.or(format))?;
    let options = LoadOptions {
        format,
        columns,
        abstention: false,
        ..LoadOptions::new(named_task(task))
    };
    place.load(&options)
}

/// The data sets of the task that runs have recorded and that still exist.
fn recorded(figures: &Figures<'_>, task: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for (_, source) in figures.evidence.names() {
        let settings = source.record.settings();
        let path = settings
            .and_then(|settings| settings.task(task))
            .map(|task| PathBuf::from(&task.source));
        if let Some(path) = path
            && (Place::is_on_hub(&path) || sureness_questions::files(&path, None).is_ok())
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
            data: BTreeMap::new(),
            questions: None,
            bytes: 0,
            missing: Vec::new(),
            cut: false,
            full: false,
        }
    }

    fn question(stem: &str, context: Option<String>) -> Question {
        Question {
            accepted: Vec::new(),
            id: "1".into(),
            category: None,
            context,
            stem: stem.into(),
            options: vec!["one".into(), "two".into()],
            right: 0.into(),
        }
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let mut texts = empty();
        let fitted = texts
            .fit(&question(&"é".repeat(MAX_TEXT_CHARS + 1), None))
            .unwrap();
        assert_eq!(fitted.stem.chars().count(), MAX_TEXT_CHARS + 1);
        assert!(fitted.stem.ends_with("é…"));
        assert_eq!(texts.notes(), ["Texts are truncated to 4,000 characters."]);
        let same = question(&"é".repeat(MAX_TEXT_CHARS), None);
        assert_eq!(texts.fit(&same), Some(same));
    }

    #[test]
    fn a_page_holds_so_much_and_no_more() {
        let mut texts = empty();
        let long = question("Which?", Some("x".repeat(MAX_TEXT_CHARS)));
        let fitting = (0..2_000).map_while(|_| texts.fit(&long)).count();
        assert!((700..800).contains(&fitting), "{fitting}");
        assert!(texts.bytes <= MAX_PAGE_BYTES);
        assert!(texts.notes().concat().contains("limited to 3 MB of texts"));
    }
}
