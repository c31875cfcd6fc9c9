//! Layouts of public data sets as data: which column holds what.
//!
//! The table is Rust rather than a file to parse: the compiler checks it, and reading it cannot
//! fail.

mod commonsense;
mod knowledge;
mod nearest;
mod options;
mod reader;
mod reading;

use crate::files::Split;

pub(crate) use nearest::{has_columns, nearest};
pub(crate) use options::pairs;
pub(crate) use reader::read;

/// The layout of a public data set.
#[derive(Debug)]
pub struct Layout {
    /// The name on the command line.
    pub name: &'static str,
    /// The data sets on the Hugging Face hub that have it.
    pub hub: &'static [&'static str],
    /// The task of the benchmark whose prompt fits.
    pub task: &'static str,
    /// The loader or card that the columns were checked against, and when.
    pub checked: &'static str,
    /// Whether the questions have an option of their own that abstains.
    pub abstains: bool,
    /// The splits to ask, in order of preference.
    pub ask: &'static [Split],
    /// The splits that few-shot examples come from, in order of preference.
    pub examples: &'static [Split],
    stem: Stem,
    /// The first of these columns that holds a text is the background.
    context: &'static [&'static str],
    options: Choices,
    answer: Right,
    /// Columns that name the right option once more.
    again: &'static [&'static str],
    category: Option<&'static str>,
    id: Id,
    /// Further columns that tell the layout from others.
    marks: &'static [&'static str],
    /// A column and the only values in it with which a row can be asked.
    only: Option<Only>,
}

/// Where the question is.
#[derive(Debug)]
enum Stem {
    /// In a column.
    Column(&'static str),
    /// In a column with a whole prompt: after the first of these words that it begins with, and up
    /// to the first of the others, where the list of options begins.
    Prompt {
        column: &'static str,
        begins: &'static [&'static str],
        ends: &'static [&'static str],
    },
}

/// Where the options are.
#[derive(Debug)]
enum Choices {
    /// A list of texts.
    List(&'static str),
    /// A list of texts that begin with their letters: `(A)stone`.
    Prefixed(&'static str),
    /// Texts with labels: an object of two lists, or a list of objects of two.
    Labelled {
        column: &'static str,
        text: &'static str,
        label: &'static str,
    },
    /// An object from label to text.
    Dictionary(&'static str),
    /// A column for each.
    Columns(&'static [&'static str]),
    /// The same in every row.
    Fixed(&'static [&'static str]),
    /// A column for the right one and one for each wrong one. They are shuffled.
    RightAndWrong {
        right: &'static str,
        wrong: &'static [&'static str],
    },
    /// An object of two lists: texts, and numbers of which those of the right ones are 1. They are
    /// shuffled, since the right ones come first.
    OneHot {
        column: &'static str,
        texts: &'static str,
        labels: &'static str,
    },
}

/// Where the right option is named.
#[derive(Debug)]
enum Right {
    /// By its index, counted from 0. This and the next three also as a list.
    From0(&'static str),
    /// By its number, counted from 1.
    From1(&'static str),
    /// By its letter, in either case.
    Letter(&'static str),
    /// By its label.
    Label(&'static str),
    /// By its text.
    Text(&'static str),
    /// True for the first of two options, false for the second; or 1 and 0.
    Truth(&'static str),
    /// By the options.
    InOptions,
}

/// Where the id comes from.
#[derive(Debug)]
enum Id {
    /// A column.
    Column(&'static str),
    /// The category and the row's number within it: `anatomy/12`.
    InCategory,
    /// The row's number.
    Row,
}

/// A condition for a row.
#[derive(Debug)]
struct Only {
    column: &'static str,
    value: &'static str,
    several: Several,
}

/// Another value, with which a row has several right options.
#[derive(Debug)]
struct Several {
    value: &'static str,
    /// The column that lists them.
    column: &'static str,
}

/// What most layouts share.
const BASE: Layout = Layout {
    name: "",
    hub: &[],
    task: "qa",
    checked: "",
    abstains: false,
    ask: &[Split::Test, Split::Validation],
    examples: &[Split::Train],
    stem: Stem::Column("question"),
    context: &[],
    options: Choices::List("choices"),
    answer: Right::From0("answer"),
    again: &[],
    category: None,
    id: Id::Row,
    marks: &[],
    only: None,
};

impl Layout {
    /// All layouts; the first that fits a row is taken.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        let tables = [knowledge::LAYOUTS, reading::LAYOUTS, commonsense::LAYOUTS];
        tables.into_iter().flatten()
    }

    /// The layout of that name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        Self::all().find(|layout| layout.name == name)
    }

    /// Whether a column tells rows that cannot be asked, which other layouts would not heed.
    pub(crate) fn has_faulty_rows(&self) -> bool {
        self.only.is_some()
    }

    /// The columns without which a row does not have this layout.
    fn needs(&self) -> impl Iterator<Item = &'static str> {
        let stem = match self.stem {
            Stem::Column(column) | Stem::Prompt { column, .. } => column,
        };
        let answer = self.answer.column();
        let columns = [Some(stem), answer, self.category_of_id()];
        let columns = columns.into_iter().flatten();
        let columns = columns.chain(self.options.columns());
        columns.chain(self.marks.iter().copied())
    }

    /// The category, where ids need it.
    fn category_of_id(&self) -> Option<&'static str> {
        self.category.filter(|_| matches!(self.id, Id::InCategory))
    }

    /// Whether it reads this column.
    fn reads(&self, column: &str) -> bool {
        let id = match self.id {
            Id::Column(id) => Some(id),
            Id::InCategory | Id::Row => None,
        };
        let optional = [
            self.category,
            id,
            self.only.as_ref().map(|only| only.column),
            self.only.as_ref().map(|only| only.several.column),
        ];
        let optional = optional.into_iter().flatten();
        let mut all = self
            .needs()
            .chain(optional)
            .chain(self.context.iter().copied())
            .chain(self.again.iter().copied());
        all.any(|name| {
            name == column || name.split_once('.').is_some_and(|(root, _)| root == column)
        })
    }
}

impl Right {
    fn column(&self) -> Option<&'static str> {
        match *self {
            Self::From0(column)
            | Self::From1(column)
            | Self::Letter(column)
            | Self::Label(column)
            | Self::Text(column)
            | Self::Truth(column) => Some(column),
            Self::InOptions => None,
        }
    }
}

impl Choices {
    fn columns(&self) -> impl Iterator<Item = &'static str> {
        let (first, rest): (_, &[&str]) = match *self {
            Self::List(column)
            | Self::Prefixed(column)
            | Self::Labelled { column, .. }
            | Self::Dictionary(column)
            | Self::OneHot { column, .. } => (Some(column), &[]),
            Self::Columns(columns) => (None, columns),
            Self::Fixed(_) => (None, &[]),
            Self::RightAndWrong { right, wrong } => (Some(right), wrong),
        };
        first.into_iter().chain(rest.iter().copied())
    }
}

/// Equal names mean the same layout.
impl PartialEq for Layout {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Layout {}

impl std::hash::Hash for Layout {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}
