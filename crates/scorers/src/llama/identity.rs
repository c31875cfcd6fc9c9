//! The identity of a GGUF model.

use std::collections::BTreeMap;

use llama_cpp_2::{LlamaBackendDeviceType, list_llama_ggml_backend_devices};
use sureness_record::Answers;

use super::{
    file::GgufInfo,
    native,
    options::{LlamaOptions, PromptForm},
    session::BATCH_TOKENS,
};
use crate::ModelIdentity;
use crate::said::READER;

/// The binding, which fixes the version of llama.cpp.
const BINDING: &str = "llama-cpp-2 0.1.160, llama-cpp-sys-2 0.1.161";

/// Everything that can move a logit. The number of threads and the context length are left
/// out, since they move none (tests check that).
pub(super) fn of(
    info: &GgufInfo,
    (digest, bytes): (String, u64),
    options: &LlamaOptions,
) -> ModelIdentity {
    let mut details = BTreeMap::from([
        ("file_blake3", digest),
        ("file_bytes", bytes.to_string()),
        ("quantisation", info.quantisation.clone()),
        ("llama_cpp", BINDING.to_owned()),
        (
            "batch_shape",
            format!("n_batch={BATCH_TOKENS} n_ubatch={BATCH_TOKENS} sequences=1"),
        ),
        (
            "flash_attention",
            if options.gpu_layers > 0 {
                "auto"
            } else {
                "off"
            }
            .to_owned(),
        ),
        ("instruction_set", native::instruction_set()),
        ("gpu_layers", options.gpu_layers.to_string()),
        ("prompt_form", options.prompt_form.name().to_owned()),
    ]);
    if options.gpu_layers > 0 {
        details.insert("devices", devices());
    }
    details.extend(of_answers(&options.answers));
    if let PromptForm::Chat(_) = options.prompt_form {
        let digest = info.chat_template.as_ref().map_or_else(
            || "the file has none".to_owned(),
            |template| blake3::hash(template.as_bytes()).to_hex().to_string(),
        );
        details.insert("chat_template_blake3", digest);
    }
    ModelIdentity {
        name: info.name.clone(),
        backend: "llama.cpp".to_owned(),
        details: details
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    }
}

/// The way of asking; nothing for letters, as ever.
fn of_answers(answers: &Answers) -> Vec<(&'static str, String)> {
    let drawn = |temperature: f64, limit: (&'static str, String)| {
        vec![
            ("answers", answers.name().to_owned()),
            ("temperature", temperature.to_string()),
            limit,
        ]
    };
    match answers {
        Answers::Letters => Vec::new(),
        Answers::Sampled(sampled) => {
            let limit = ("answer tokens", sampled.max_tokens.to_string());
            let mut details = drawn(sampled.temperature, limit);
            details.push(("answer reader", READER.to_owned()));
            details
        }
        Answers::Reasoned(reasoned) => {
            let limit = ("think tokens", reasoned.think_tokens.to_string());
            drawn(reasoned.temperature, limit)
        }
    }
}

/// The devices that layers can be kept on.
fn devices() -> String {
    let names: Vec<String> = list_llama_ggml_backend_devices()
        .into_iter()
        .filter(|device| device.device_type != LlamaBackendDeviceType::Cpu)
        .map(|device| format!("{} ({})", device.description, device.backend))
        .collect();
    if names.is_empty() {
        "none: computed on the CPU".to_owned()
    } else {
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The versions cannot be asked for at run time, so this keeps the constant true.
    #[test]
    fn the_binding_named_is_the_binding_built() {
        let manifest = include_str!("../../../../Cargo.toml");
        for named in BINDING.split(", ") {
            let (name, version) = named.split_once(' ').unwrap();
            let pin = format!("{name} = {{ version = \"={version}\"");
            assert!(manifest.contains(&pin), "Cargo.toml does not pin {named}");
        }
    }
}
