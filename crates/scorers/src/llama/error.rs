//! Why a GGUF file cannot be used.

use std::borrow::Cow;
use std::path::PathBuf;

use sureness_hint::Hint;

/// Why a model could not be loaded. Later failures of single prompts are
/// [`ScoreError`](crate::ScoreError)s.
#[derive(Debug, thiserror::Error)]
pub enum LlamaError {
    /// The path does not exist.
    #[error("{}: no such file", path.display())]
    Missing {
        /// The path as given.
        path: PathBuf,
    },
    /// A folder, a device or the like.
    #[error("{}: not a file", path.display())]
    NotAFile {
        /// The path as given.
        path: PathBuf,
    },
    /// The operating system refused to read it.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// The path as given.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The path cannot be handed to llama.cpp, which takes UTF-8 without null bytes.
    #[error("{path:?}: the path is not valid UTF-8")]
    BadPath {
        /// The path as given.
        path: PathBuf,
    },
    /// The first bytes are not those of a GGUF file.
    #[error("{}: not a GGUF file (it begins with {found}, not with \"GGUF\")", path.display())]
    NotGguf {
        /// The path as given.
        path: PathBuf,
        /// The first bytes, made readable.
        found: String,
    },
    /// A GGUF file whose model does not generate text.
    #[error("{}: architecture \"{architecture}\" does not predict a next token", path.display())]
    NotGenerative {
        /// The path as given.
        path: PathBuf,
        /// `general.architecture` of the file.
        architecture: String,
    },
    /// llama.cpp refused the file: it is damaged, incomplete, or newer than this llama.cpp.
    #[error("{}: llama.cpp cannot load it: {message}", path.display())]
    Load {
        /// The path as given.
        path: PathBuf,
        /// llama.cpp's message.
        message: String,
    },
    /// A portable build found no kernels beside it.
    #[error("llama.cpp's kernels (libggml-cpu-….so) are missing beside the program")]
    NoKernels,
    /// The context could not be created, mostly for lack of memory.
    #[error("llama.cpp cannot set up a context of {tokens} tokens: {message}")]
    Context {
        /// The requested context length.
        tokens: u32,
        /// llama.cpp's message.
        message: String,
    },
    /// The thread that holds the model could not be started, or ended while loading.
    #[error("the model's thread failed: {message}")]
    Thread {
        /// What happened.
        message: String,
    },
}

impl Hint for LlamaError {
    fn hint(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::Missing { .. } => {
                "check the path; `sureness model list` shows the available models"
            }
            Self::NotAFile { .. } => "give the .gguf file itself, not the folder it is in",
            Self::Unreadable { .. } => "check the file's permissions",
            Self::BadPath { .. } => "rename the file or move it to a path of plain letters",
            Self::NotGguf { .. } => {
                "other formats (safetensors, .bin) must first be converted to GGUF"
            }
            Self::NotGenerative { .. } => {
                "take a text-generating model; embedding models and encoders cannot answer"
            }
            Self::Load { .. } => {
                "the file may be cut short: compare its size with the original, or download it again"
            }
            Self::NoKernels => {
                "keep the folders bin and lib of the archive together, or name theirs in SURENESS_KERNELS"
            }
            Self::Context { .. } => {
                "free some memory, set a smaller context length, or take a smaller model"
            }
            Self::Thread { .. } => "run again with --log-file to see llama.cpp's messages",
        })
    }
}
