//! What a run asks, how, and where it keeps the answers. The defaults of all flags are here and in
//! the settings of the lower crates that are part of these.

use std::num::NonZeroU32;
use std::path::PathBuf;

use sureness_conformal::Config;
use sureness_engine::BatchSize;
use sureness_prompts::Strategy;
use sureness_questions::{ClusterBy, Format, Shard};
use sureness_scorers::http::HttpOptions;

/// Share of questions without an answer up to which a run counts as done.
pub const ALLOWED_FAILURES: f64 = 0.01;

/// A run: its questions, how they are asked and evaluated, and where answers are kept.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which questions, laid out how.
    pub questions: QuestionSettings,
    /// How models are asked.
    pub asking: Asking,
    /// When answers of earlier runs are used.
    pub cache: CacheSettings,
    /// Protocol, error rate, calibration share; its seed also draws samples. The split rule follows
    /// from the protocol.
    pub evaluation: Config,
    /// Takes the answers and the results; the same folder again asks only what is missing.
    pub output_dir: PathBuf,
    /// Workers on other machines, where they do the asking.
    pub fleet: Option<FleetSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            questions: QuestionSettings::default(),
            asking: Asking::default(),
            cache: CacheSettings::default(),
            evaluation: Config::default(),
            output_dir: "results".into(),
            fleet: None,
        }
    }
}

/// Which questions are asked, and how they are laid out. The default asks the five tasks of the
/// benchmark, whole and in all prompt strategies, from imported data or the built-in pack.
#[derive(Debug, Clone)]
pub struct QuestionSettings {
    /// Tasks by name. If empty, those with data of their own; without any, the five.
    pub tasks: Vec<String>,
    /// Where the questions of some tasks are.
    pub data: Vec<TaskData>,
    /// Questions per task, drawn at random; all where `None`.
    pub sample_size: Option<usize>,
    /// The part of the questions that this run asks.
    pub shard: Option<Shard>,
    /// Whether "I don't know" and "None of the above" are added to the options.
    pub abstention: bool,
    /// Which questions belong together.
    pub cluster: ClusterBy,
    /// Prompt strategies.
    pub strategies: Vec<Strategy>,
    /// Few-shot examples per prompt; the task's own number where `None`.
    pub shots: Option<usize>,
    /// TOML file with other wordings of the prompts.
    pub wording: Option<PathBuf>,
}

impl Default for QuestionSettings {
    fn default() -> Self {
        Self {
            tasks: Vec::new(),
            data: Vec::new(),
            sample_size: None,
            shard: None,
            abstention: true,
            cluster: ClusterBy::Auto,
            strategies: Strategy::ALL.to_vec(),
            shots: None,
            wording: None,
        }
    }
}

/// Where the questions of one task are.
#[derive(Debug, Clone, Default)]
pub struct TaskData {
    /// The task, by any of its names.
    pub task: String,
    /// File or folder of questions; what was imported or is built in where `None`.
    pub path: Option<PathBuf>,
    /// Its layout, if the content is not to tell.
    pub format: Option<Format>,
    /// File with few-shot examples.
    pub examples: Option<PathBuf>,
}

/// How models are asked.
#[derive(Debug, Clone)]
pub struct Asking {
    /// Put prompts into a user message of the model's chat template.
    pub chat: bool,
    /// Key, timeouts and forms of requests to a server. Address, model name, `chat` and the number
    /// of connections are filled in for each server.
    pub http: HttpOptions,
    /// Workers, batches, retries, rate limits. [`BatchSize::Auto`] without `http.list_prompts` is
    /// one question per request.
    pub engine: sureness_engine::Settings,
    /// Threads of an embedded model; all cores where `None`.
    pub threads: Option<NonZeroU32>,
    /// Layers of an embedded model that are kept on the GPU.
    pub gpu_layers: u32,
}

impl Default for Asking {
    fn default() -> Self {
        Self {
            chat: false,
            http: HttpOptions::new(""),
            engine: sureness_engine::Settings {
                batch: BatchSize::Auto,
                ..sureness_engine::Settings::default()
            },
            threads: None,
            gpu_layers: 0,
        }
    }
}

/// When answers of earlier runs are used.
#[derive(Debug, Clone)]
pub struct CacheSettings {
    /// Ask everything, whatever earlier runs answered.
    pub ignore: bool,
    /// Other output folders (or their stores) to take answers from.
    pub also_from: Vec<PathBuf>,
    /// Cached questions to ask again before answers of earlier runs are used: 0 for none, else at
    /// least [`LEAST_RECHECK`](crate::LEAST_RECHECK).
    pub recheck: usize,
    /// What to do if the model has changed since it gave the cached answers.
    pub on_change: OnChange,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            ignore: false,
            also_from: Vec::new(),
            recheck: 20,
            on_change: OnChange::Fail,
        }
    }
}

/// What to do if the model behind a name has changed since it gave the cached answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum OnChange {
    /// End with exit code 1; results and cached answers stay as they are
    Fail,
    /// Ask everything anew
    Ask,
    /// Use the cached answers, and mark the result
    Keep,
}

/// Workers on other machines.
#[cfg(feature = "nats")]
#[derive(Debug, Clone)]
pub struct FleetSettings {
    /// The NATS server on which they meet.
    pub access: sureness_fleet::Access,
    /// The run's name; workers take part in the run of the same name.
    pub run: sureness_fleet::RunName,
    /// Questions that are ready to be given out at once.
    pub look_ahead: std::num::NonZeroUsize,
    /// A worker that has been silent for this long loses its work to others.
    pub unit_timeout: std::time::Duration,
}

#[cfg(feature = "nats")]
impl FleetSettings {
    /// Enough for some hundred workers.
    pub const LOOK_AHEAD: std::num::NonZeroUsize = std::num::NonZeroUsize::new(8192).unwrap();
}

/// Uninhabited: built without `nats`.
#[cfg(not(feature = "nats"))]
#[derive(Debug, Clone)]
pub enum FleetSettings {}
