//! Many questions in little memory.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use crate::draw::head;
use crate::{Question, RightOptions};

/// Maximum bytes of questions in memory. Beyond it, questions are read from a temporary file.
const IN_MEMORY: usize = 16 << 20;
/// The digests of a question's content and of its cluster come first.
const DIGEST: usize = 32;
/// Stands in an entry for several right options.
const SEVERAL: u8 = u8::MAX;

/// Hashes that identify a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digests {
    /// The digest of its content ([`Question::content_digest`]).
    pub content: [u8; 32],
    /// The digest that all questions of its cluster share.
    pub cluster: [u8; 32],
}

/// A list of questions in 24 bytes of memory each. Texts beyond 16 MiB go to an anonymous temporary
/// file, which the system removes however the process ends.
///
/// Methods that read return the system's I/O errors.
#[derive(Debug, Default)]
pub struct Bank {
    entries: Vec<Entry>,
    texts: Texts,
    categories: Categories,
}

/// The part of a question that stays in memory.
#[derive(Debug, Clone, Copy)]
struct Entry {
    offset: u64,
    length: u32,
    category: u32,
    /// The right option, or [`SEVERAL`].
    answer: u8,
}

/// Category names, each once. Number 0 stands for none.
#[derive(Debug, Default)]
struct Categories {
    names: Vec<String>,
    numbers: HashMap<String, u32>,
}

/// The encoded questions one after the other.
#[derive(Debug)]
enum Texts {
    Memory(Vec<u8>),
    File {
        file: File,
        /// Bytes in the file.
        written: u64,
        /// Bytes still to be written.
        tail: Vec<u8>,
    },
}

/// How a question is encoded: without its category.
type Encoded<'a> = (
    &'a str,
    Option<&'a str>,
    &'a str,
    &'a [String],
    u32,
    &'a [String],
);
type Decoded = (
    String,
    Option<String>,
    String,
    Vec<String>,
    u32,
    Vec<String>,
);

impl Bank {
    /// A list of these questions.
    pub fn of<'a>(questions: impl IntoIterator<Item = &'a Question>) -> io::Result<Self> {
        let mut bank = Self::default();
        for question in questions {
            bank.push(question)?;
        }
        Ok(bank)
    }

    /// Appends a question, in the cluster of its text ([`Question::cluster_digest`]).
    pub fn push(&mut self, question: &Question) -> io::Result<()> {
        self.push_into(question, question.cluster_digest())
    }

    /// Appends a question, in this cluster.
    pub fn push_into(&mut self, question: &Question, cluster: [u8; 32]) -> io::Result<()> {
        let encoded: Encoded<'_> = (
            &question.id,
            question.context.as_deref(),
            &question.stem,
            &question.options,
            question.right.mask(),
            &question.accepted,
        );
        let offset = self.texts.end();
        let digest = question.content_digest();
        self.texts.append(|bytes| {
            bytes.extend_from_slice(&digest);
            bytes.extend_from_slice(&cluster);
            // Appends; a vector as sink cannot fail.
            postcard::to_extend(&encoded, std::mem::take(bytes))
                .map(|all| *bytes = all)
                .map_err(io::Error::other)
        })?;
        let length = self.texts.end() - offset;
        self.entries.push(Entry {
            offset,
            length: u32::try_from(length).map_err(io::Error::other)?,
            category: self.categories.number(question.category.as_deref()),
            answer: question.right.only().map_or(SEVERAL, |only| only as u8),
        });
        Ok(())
    }

    /// The number of questions.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The question at `index`, which must be below [`Bank::len`].
    pub fn get(&self, index: usize) -> io::Result<Question> {
        self.read(index).map(|(_, question)| question)
    }

    /// The question at `index` and its stored digests.
    pub fn read(&self, index: usize) -> io::Result<(Digests, Question)> {
        let entry = &self.entries[index];
        let bytes = self.texts.read(entry.offset, entry.length as usize)?;
        let (digest, rest) = bytes.split_first_chunk::<DIGEST>().ok_or_else(damaged)?;
        let (cluster, rest) = rest.split_first_chunk::<DIGEST>().ok_or_else(damaged)?;
        let digests = Digests {
            content: *digest,
            cluster: *cluster,
        };
        let (id, context, stem, options, right, accepted): Decoded =
            postcard::from_bytes(rest).map_err(|_| damaged())?;
        let question = Question {
            id,
            category: self.categories.name(entry.category).map(str::to_owned),
            context,
            stem,
            options,
            right: RightOptions::from_mask(right).ok_or_else(damaged)?,
            accepted,
        };
        Ok((digests, question))
    }

    /// The digest of the content of the question at `index`.
    pub fn content_digest(&self, index: usize) -> io::Result<[u8; 32]> {
        let bytes = self.texts.read(self.entries[index].offset, DIGEST)?;
        bytes.first_chunk().copied().ok_or_else(damaged)
    }

    /// The cluster of the question at `index`.
    pub fn cluster_digest(&self, index: usize) -> io::Result<[u8; 32]> {
        let offset = self.entries[index].offset + DIGEST as u64;
        let bytes = self.texts.read(offset, DIGEST)?;
        bytes.first_chunk().copied().ok_or_else(damaged)
    }

    /// All questions in order, read one at a time.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = io::Result<Question>> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// At most `count` questions, evenly spaced.
    pub fn spread(&self, count: usize) -> impl Iterator<Item = io::Result<Question>> {
        let step = self.len().div_ceil(count.max(1)).max(1);
        (0..self.len()).step_by(step).map(|index| self.get(index))
    }

    /// All questions at once, for short lists.
    pub fn to_vec(&self) -> io::Result<Vec<Question>> {
        self.iter().collect()
    }

    /// Whether the questions are open. All of a data set are, or none.
    pub fn is_open(&self) -> io::Result<bool> {
        match self.len() {
            0 => Ok(false),
            _ => self.get(0).map(|first| first.is_open()),
        }
    }

    /// The number of questions with several right options.
    pub fn with_several_right(&self) -> usize {
        let several = self.entries.iter().filter(|it| it.answer == SEVERAL);
        several.count()
    }

    /// The number of the category (0: none) and the right option of the question at `index`, without
    /// reading it; `None` where several are right.
    pub(crate) fn category_and_answer(&self, index: usize) -> Option<(u32, u8)> {
        let entry = &self.entries[index];
        (entry.answer != SEVERAL).then_some((entry.category, entry.answer))
    }

    /// How many questions have the content of an earlier one.
    pub fn repeats(&self) -> io::Result<usize> {
        let digests = (0..self.len()).map(|index| Ok(head(&self.content_digest(index)?)));
        let mut heads = digests.collect::<io::Result<Vec<u64>>>()?;
        heads.sort_unstable();
        heads.dedup();
        Ok(self.len() - heads.len())
    }

    /// Keeps the questions for whose index `keep` is true, in order.
    pub(crate) fn keep(&mut self, mut keep: impl FnMut(usize) -> bool) {
        let mut index = 0;
        self.entries.retain(|_| {
            index += 1;
            keep(index - 1)
        });
    }
}

impl Categories {
    fn number(&mut self, name: Option<&str>) -> u32 {
        let Some(name) = name else {
            return 0;
        };
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        self.names.push(name.to_owned());
        let number = self.names.len() as u32;
        self.numbers.insert(name.to_owned(), number);
        number
    }

    fn name(&self, number: u32) -> Option<&str> {
        let index = (number as usize).checked_sub(1)?;
        self.names.get(index).map(String::as_str)
    }
}

impl Default for Texts {
    fn default() -> Self {
        Self::Memory(Vec::new())
    }
}

impl Texts {
    fn end(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { written, tail, .. } => written + tail.len() as u64,
        }
    }

    fn append(&mut self, add: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<()> {
        match self {
            Self::Memory(bytes) => {
                add(bytes)?;
                if bytes.len() > IN_MEMORY {
                    let mut file = tempfile::tempfile()?;
                    file.write_all(bytes)?;
                    *self = Self::File {
                        file,
                        written: bytes.len() as u64,
                        tail: Vec::new(),
                    };
                }
            }
            Self::File {
                file,
                written,
                tail,
            } => {
                add(tail)?;
                if tail.len() > IN_MEMORY / 64 {
                    file.seek(SeekFrom::Start(*written))?;
                    file.write_all(tail)?;
                    *written += tail.len() as u64;
                    tail.clear();
                }
            }
        }
        Ok(())
    }

    /// `length` bytes from `offset`.
    fn read(&self, offset: u64, length: usize) -> io::Result<Cow<'_, [u8]>> {
        let (held, offset) = match self {
            Self::Memory(bytes) => (bytes, offset),
            Self::File { written, tail, .. } if offset >= *written => (tail, offset - written),
            Self::File { file, .. } => {
                let mut bytes = vec![0; length];
                read_at(file, &mut bytes, offset)?;
                return Ok(bytes.into());
            }
        };
        let begin = usize::try_from(offset).map_err(io::Error::other)?;
        let bytes = held.get(begin..begin.saturating_add(length));
        bytes.map(Cow::Borrowed).ok_or_else(damaged)
    }
}

/// Reads at an offset, so that threads can share the file.
#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(windows)]
fn read_at(file: &File, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                bytes = &mut bytes[read..];
                offset += read as u64;
            }
        }
    }
    Ok(())
}

/// A failing disk: no other process can write to the file.
fn damaged() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the temporary file of questions does not hold what was written to it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn question() -> impl Strategy<Value = Question> {
        (
            ".{0,8}",
            prop::option::of("[ab]{1,2}"),
            prop::option::of(".{0,20}"),
            ".{0,20}",
            prop::collection::vec(".{0,6}", 2..7),
        )
            .prop_map(|(id, category, context, stem, options)| Question {
                accepted: Vec::new(),
                id,
                category,
                context,
                stem,
                right: (options.len() - 1).into(),
                options,
            })
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(questions in prop::collection::vec(question(), 0..20)) {
            let mut bank = Bank::of(&questions).unwrap();
            prop_assert_eq!(bank.to_vec().unwrap(), questions.clone());
            for (index, question) in questions.iter().enumerate() {
                prop_assert_eq!(bank.content_digest(index).unwrap(), question.content_digest());
                prop_assert_eq!(bank.cluster_digest(index).unwrap(), question.cluster_digest());
            }
            bank.keep(|index| index % 2 == 1);
            let odd: Vec<_> = questions.iter().skip(1).step_by(2).cloned().collect();
            prop_assert_eq!(bank.to_vec().unwrap(), odd);
        }
    }

    #[test]
    fn long_lists_go_to_a_file() {
        let question = |n: usize| Question {
            accepted: Vec::new(),
            id: n.to_string(),
            category: Some(format!("c{}", n % 3)),
            context: Some("long ".repeat(200)),
            stem: format!("Question {n}?"),
            options: vec!["yes".into(), "no".into()],
            right: (n % 2).into(),
        };
        // Somewhat more than what stays in memory and the tail that is not written yet.
        let count = IN_MEMORY * 9 / 8 / 1000;
        let mut bank = Bank::default();
        for n in 0..count {
            bank.push(&question(n)).unwrap();
        }
        assert!(matches!(bank.texts, Texts::File { ref tail, .. } if !tail.is_empty()));
        for n in [0, 1, count / 2, count - 1] {
            assert_eq!(bank.get(n).unwrap(), question(n));
        }
    }
}
