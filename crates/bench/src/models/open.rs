//! The models of a run, and how they are opened.

use std::num::NonZeroUsize;
use std::sync::Arc;

use sureness_engine::{BatchSize, Workers};
use sureness_scorers::http::{HttpOptions, HttpScorer};
use sureness_scorers::{ModelIdentity, OptionScorer};

use crate::error::Failure;
use crate::settings::Asking;
use crate::watch::Watch;

/// A model to measure.
#[derive(Debug, Clone)]
pub enum Model {
    /// A GGUF file, or a name of the catalogue.
    Gguf(String),
    /// A model behind one server or several; without a name the only one there.
    Served {
        /// Addresses of the servers.
        api_bases: Vec<String>,
        /// The model's name.
        model: Option<String>,
    },
    /// A model that workers on other machines have; without a name that of the first to come.
    #[cfg(feature = "nats")]
    Relayed {
        /// Its number in the run.
        lane: u16,
        /// The model's name.
        model: Option<String>,
    },
}

impl Model {
    /// Whether it runs inside this process.
    pub fn is_embedded(&self) -> bool {
        matches!(self, Self::Gguf(_))
    }
}

/// Where a model's questions go: one scorer per server, or the one in this process.
pub type Endpoints = Vec<Arc<dyn OptionScorer>>;

/// Reaches a model: loads the file, fetching it if it is of the catalogue and missing, or probes the
/// servers.
pub async fn open(model: &Model, asking: &Asking, watch: &dyn Watch) -> Result<Endpoints, Failure> {
    match model {
        Model::Served { api_bases, model } => {
            let mut endpoints: Endpoints = Vec::with_capacity(api_bases.len());
            // As people may see them: an address can hold a password.
            let mut addresses: Vec<String> = Vec::with_capacity(api_bases.len());
            for api_base in api_bases {
                let scorer =
                    HttpScorer::connect(http_options(api_base, model.clone(), asking)).await?;
                let address = scorer.address();
                let scoring = scorer.scoring();
                watch.note(&format!(
                    "{address}: options scored by {}: {}",
                    scoring.tier, scoring.reason
                ));
                if let Some((first, first_address)) = endpoints.first().zip(addresses.first()) {
                    same_model(first.identity(), first_address, scorer.identity(), &address)?;
                }
                endpoints.push(Arc::new(scorer));
                addresses.push(address);
            }
            Ok(endpoints)
        }
        Model::Gguf(name) => Ok(vec![embedded::open(name, asking, watch).await?]),
        #[cfg(feature = "nats")]
        Model::Relayed { .. } => Err(Failure::new("a model with workers is not opened here")),
    }
}

fn http_options(api_base: &str, model: Option<String>, asking: &Asking) -> HttpOptions {
    // Without lists each prompt of a batch is a request of its own.
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

/// How the engine asks a model.
pub fn pace(asking: &Asking, model: &Model) -> sureness_engine::Settings {
    let one = BatchSize::Fixed(NonZeroUsize::MIN);
    let settings = asking.engine;
    if model.is_embedded() {
        // One prompt keeps all cores busy, and the next one can wait in the engine: more at once
        // would only mix up the prefixes.
        return sureness_engine::Settings {
            workers: Workers::Fixed(NonZeroUsize::MIN),
            batch: one,
            ..settings
        };
    }
    let batch = match settings.batch {
        // Where each prompt is a request of its own, the workers alone set the pace.
        BatchSize::Auto if !asking.http.list_prompts => one,
        batch => batch,
    };
    sureness_engine::Settings { batch, ..settings }
}

/// Two servers may share the work only if either's answers are as good as the other's.
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
    // Their names stand in the sentence anyway.
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
    .hint("give one --api-base per model, or servers that were started alike"))
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
        Err(Failure::new("this build of sureness has no embedded model")
            .hint("build it with the feature `llama`, or use a server with --api-base"))
    }
}

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
            threads: asking.threads,
            gpu_layers: asking.gpu_layers,
            ..LlamaOptions::default()
        };
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let load = move || {
            let path = crate::models::ensure(&name, |line| {
                // The run has ended where nobody listens.
                let _ = tell.send(line.to_owned());
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
        // Ends when `load` drops its half.
        while let Some(line) = told.recv().await {
            watch.note(&line);
        }
        let scorer = loading
            .await
            .map_err(|e| Failure::new(format!("loading the model ended abnormally: {e}")))??;
        Ok(Arc::new(scorer))
    }

    /// Prompts go through the file's own chat template.
    fn chat_form(path: &Path) -> Result<PromptForm, Failure> {
        let info = LlamaScorer::metadata(path)?;
        let source = info.chat_template.as_deref().ok_or_else(|| {
            Failure::new(format!("{} has no chat template", path.display()))
                .hint("leave out --chat: this looks like a base model")
        })?;
        let template =
            ChatTemplate::new(source, info.bos_token.as_deref(), info.eos_token.as_deref())?
                // The tokenizer adds one itself.
                .strip_bos(info.adds_bos);
        Ok(PromptForm::Chat(Arc::new(move |prompt| {
            template.apply(prompt).map_err(|e| e.to_string())
        })))
    }
}
