//! Opens the models of a run.

use std::num::NonZeroUsize;
use std::sync::Arc;

use sureness_engine::{BatchSize, Workers};
use sureness_record::Answers;
use sureness_scorers::http::{HttpOptions, HttpScorer, ReasoningScorer, SamplingScorer};
use sureness_scorers::{ModelIdentity, OptionScorer};

use crate::error::Failure;
use crate::settings::Asking;
use crate::watch::Watch;

/// A model to measure.
#[derive(Debug, Clone)]
pub enum Model {
    /// A GGUF file, or a name in the catalogue.
    Gguf(String),
    /// A model behind one or more servers; without a name, the servers' only model.
    Served {
        /// Addresses of the servers.
        api_bases: Vec<String>,
        /// The model's name.
        model: Option<String>,
    },
    /// A model of workers on other machines; without a name, that of the first worker to join.
    #[cfg(feature = "nats")]
    Relayed {
        /// The model's index in the run.
        lane: u16,
        /// The model's name.
        model: Option<String>,
    },
}

impl Model {
    /// Its name as far as it is known before it is opened.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Gguf(name) => Some(name),
            Self::Served { model, .. } => model.as_deref(),
            #[cfg(feature = "nats")]
            Self::Relayed { model, .. } => model.as_deref(),
        }
    }

    /// Whether the model runs in this process.
    pub fn is_embedded(&self) -> bool {
        matches!(self, Self::Gguf(_))
    }
}

/// The scorers of a model: one per server, or the one in this process.
pub type Endpoints = Vec<Arc<dyn OptionScorer>>;

/// Opens a model: probes its servers, or loads its file, fetching it first if it is in the catalogue.
pub async fn open(model: &Model, asking: &Asking, watch: &dyn Watch) -> Result<Endpoints, Failure> {
    match model {
        Model::Served { api_bases, model } => {
            let mut endpoints: Endpoints = Vec::with_capacity(api_bases.len());
            // Addresses without their passwords.
            let mut addresses: Vec<String> = Vec::with_capacity(api_bases.len());
            for api_base in api_bases {
                let options = http_options(api_base, model.clone(), asking);
                let (scorer, address) = connect(options, asking, watch).await?;
                if let Some((first, first_address)) = endpoints.first().zip(addresses.first()) {
                    same_model(first.identity(), first_address, scorer.identity(), &address)?;
                }
                endpoints.push(scorer);
                addresses.push(address);
            }
            Ok(endpoints)
        }
        Model::Gguf(name) => Ok(vec![embedded::open(name, asking, watch).await?]),
        #[cfg(feature = "nats")]
        Model::Relayed { .. } => Err(Failure::new("a relayed model is opened by its workers")),
    }
}

/// Probes one server; returns its address without passwords, too.
async fn connect(
    options: HttpOptions,
    asking: &Asking,
    watch: &dyn Watch,
) -> Result<(Arc<dyn OptionScorer>, String), Failure> {
    if let Answers::Sampled(sampled) = asking.answers {
        let scorer = SamplingScorer::connect(options, asking.api(), sampled).await?;
        let address = scorer.address();
        let samples = sampled.samples;
        let counting = if scorer.counts_one_answer() {
            "; the server counts the tokens of one answer per request, so that those of the others are \
             counted by its tokenizer, or estimated from their length where it has none"
        } else {
            ""
        };
        watch.note(&format!(
            "{address}: {samples} answers in words to each question, {} per request{counting}",
            scorer.hints().answers_at_once
        ));
        return Ok((Arc::new(scorer), address));
    }
    if let Answers::Reasoned(reasoned) = asking.answers {
        let scorer = ReasoningScorer::connect(options, reasoned).await?;
        let address = scorer.address();
        return Ok((Arc::new(scorer), address));
    }
    let scorer = HttpScorer::connect(options).await?;
    let address = scorer.address();
    let scoring = scorer.scoring();
    watch.note(&format!(
        "{address}: options scored by {}: {}",
        scoring.tier, scoring.reason
    ));
    if let Some(letters) = scorer.letters().filter(|letters| letters.are_improbable()) {
        watch.warn(&format!(
            "warning: {address}: the option letters have {}\nhint: {}",
            letters.found(),
            letters.opening().hint(letters.chat)
        ));
    }
    Ok((Arc::new(scorer), address))
}

/// The options of requests to one server.
pub(crate) fn http_options(api_base: &str, model: Option<String>, asking: &Asking) -> HttpOptions {
    // Without `list_prompts`, each prompt of a batch is its own request.
    let connections = match (asking.engine.workers, asking.engine.batch) {
        (Workers::Fixed(workers), BatchSize::Fixed(batch)) => {
            workers.get().saturating_mul(batch.get())
        }
        _ => Workers::DEFAULT_MAX.get(),
    };
    HttpOptions {
        api_base: api_base.to_owned(),
        model,
        chat: asking.chat,
        max_connections: connections,
        ..asking.http.clone()
    }
}

/// The engine's settings for a model.
pub fn engine_settings(
    asking: &Asking,
    model: &Model,
    endpoints: &Endpoints,
) -> sureness_engine::Settings {
    let one = BatchSize::Fixed(NonZeroUsize::MIN);
    let settings = asking.engine;
    if model.is_embedded() {
        // One prompt keeps all cores busy; concurrent ones would only evict each other's prefix.
        return sureness_engine::Settings {
            workers: Workers::Fixed(NonZeroUsize::MIN),
            batch: one,
            ..settings
        };
    }
    let at_once = endpoints
        .iter()
        .map(|endpoint| endpoint.hints().answers_at_once);
    if let Some(at_once) = at_once.min().and_then(|n| NonZeroUsize::new(n as usize)) {
        let batch = BatchSize::Fixed(at_once);
        return sureness_engine::Settings { batch, ..settings };
    }
    let batch = match settings.batch {
        // If each prompt is its own request, the workers alone set the concurrency.
        BatchSize::Auto if !asking.http.list_prompts => one,
        batch => batch,
    };
    sureness_engine::Settings { batch, ..settings }
}

/// Fails unless two servers serve the same model in the same way.
fn same_model(
    first: &ModelIdentity,
    first_base: &str,
    other: &ModelIdentity,
    other_base: &str,
) -> Result<(), Failure> {
    let differences = first.differences(other);
    if differences.is_empty() {
        return Ok(());
    }
    // The message names both models anyway.
    let differing: Vec<&str> = differences
        .iter()
        .map(|(what, ..)| *what)
        .filter(|what| !["name", "backend"].contains(what))
        .collect();
    Err(Failure::new(format!(
        "{first_base} and {other_base} do not serve the same model in the same way: {} and {} differ{}",
        first.name,
        other.name,
        if differing.is_empty() {
            String::new()
        } else {
            format!(" in {}", differing.join(", "))
        }
    ))
    .hint("give one --api-base per model, or servers with the same settings"))
}

#[cfg(not(feature = "llama"))]
mod embedded {
    use super::{Arc, Asking, Failure, OptionScorer, Watch};

    #[expect(
        clippy::unused_async,
        reason = "the same signature as with the feature"
    )]
    pub(super) async fn open(
        _: &str,
        _: &Asking,
        _: &dyn Watch,
    ) -> Result<Arc<dyn OptionScorer>, Failure> {
        Err(Failure::new("this build of sureness cannot run GGUF files")
            .hint("build with the feature `llama`, or use a server with --api-base"))
    }
}

#[cfg(feature = "llama")]
pub(crate) use embedded::chat_template;

#[cfg(feature = "llama")]
mod embedded {
    use std::path::Path;

    use sureness_prompts::ChatTemplate;
    use sureness_scorers::llama::{LlamaOptions, LlamaScorer, PromptForm};

    use super::{Arc, Asking, Failure, OptionScorer, Watch};

    pub(super) async fn open(
        name: &str,
        asking: &Asking,
        watch: &dyn Watch,
    ) -> Result<Arc<dyn OptionScorer>, Failure> {
        let (name, chat) = (name.to_owned(), asking.chat);
        let options = LlamaOptions {
            answers: asking.answers,
            threads: asking.threads,
            gpu_layers: asking.gpu_layers,
            ..LlamaOptions::default()
        };
        let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
        let load = move || {
            let path = crate::models::ensure(&name, |line| {
                // Fails only if the run has ended.
                let _ = sender.send(line.to_owned());
            })?;
            let prompt_form = if chat {
                chat_form(&path)?
            } else {
                PromptForm::Plain
            };
            let options = LlamaOptions {
                prompt_form,
                ..options
            };
            Ok::<_, Failure>(LlamaScorer::load(&path, options)?)
        };
        let loading = tokio::task::spawn_blocking(load);
        // Ends when `load` drops the sender.
        while let Some(line) = lines.recv().await {
            watch.note(&line);
        }
        let scorer = loading
            .await
            .map_err(|e| Failure::new(format!("loading the model failed: {e}")))??;
        Ok(Arc::new(scorer))
    }

    /// The form of prompts in the file's own chat template.
    fn chat_form(path: &Path) -> Result<PromptForm, Failure> {
        let template = chat_template(path)?;
        Ok(PromptForm::Chat(Arc::new(move |prompt| {
            template.apply(prompt).map_err(|e| e.to_string())
        })))
    }

    /// The file's own chat template.
    pub(crate) fn chat_template(path: &Path) -> Result<ChatTemplate, Failure> {
        let info = LlamaScorer::metadata(path)?;
        let source = info.chat_template.as_deref().ok_or_else(|| {
            Failure::new(format!("{} has no chat template", path.display()))
                .hint("omit --chat: this looks like a base model")
        })?;
        let template =
            ChatTemplate::new(source, info.bos_token.as_deref(), info.eos_token.as_deref())?;
        // The tokenizer adds a BOS token itself.
        Ok(template.strip_bos(info.adds_bos))
    }
}
