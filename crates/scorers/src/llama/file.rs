//! Inspects a GGUF file: format, metadata and digest.

use std::{
    ffi::CString,
    fs::File,
    io::{ErrorKind, Read},
    path::Path,
};

use llama_cpp_2::{
    list_llama_ggml_backend_devices,
    model::{LlamaModel, params::LlamaModelParams},
    token::LlamaToken,
};

use super::{error::LlamaError, native};

/// Metadata of a GGUF file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GgufInfo {
    /// The file's name without `.gguf`, which distinguishes quantisations even if `general.name`
    /// does not.
    pub name: String,
    /// How the weights are stored, such as `Q4_1`.
    pub quantisation: String,
    /// Context length the model was trained on, in tokens.
    pub context_length: u32,
    /// The chat template, in Jinja.
    pub chat_template: Option<String>,
    /// Text of the token that begins a sequence.
    pub bos_token: Option<String>,
    /// Text of the token that ends a sequence.
    pub eos_token: Option<String>,
    /// Whether the tokenizer adds the BOS token.
    pub adds_bos: bool,
}

/// Checks what can be checked without llama.cpp: there is a file, it can be read, and it begins
/// as a GGUF file does.
pub(super) fn check(path: &Path) -> Result<(), LlamaError> {
    let unreadable = |source: std::io::Error| match source.kind() {
        ErrorKind::NotFound => LlamaError::Missing { path: path.into() },
        _ => LlamaError::Unreadable {
            path: path.into(),
            source,
        },
    };
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(LlamaError::NotAFile { path: path.into() });
    }
    let mut start = Vec::new();
    File::open(path)
        .and_then(|file| file.take(4).read_to_end(&mut start))
        .map_err(unreadable)?;
    if start != b"GGUF" {
        let found = if start.is_empty() {
            "nothing: it is empty".to_owned()
        } else {
            format!("\"{}\"", start.escape_ascii())
        };
        return Err(LlamaError::NotGguf {
            path: path.into(),
            found,
        });
    }
    Ok(())
}

/// BLAKE3 digest of the content, in hexadecimal, and the size in bytes.
pub(super) fn digest(path: &Path) -> Result<(String, u64), LlamaError> {
    let mut hasher = blake3::Hasher::new();
    File::open(path)
        .and_then(|file| hasher.update_reader(file).map(|_| ()))
        .map_err(|source| LlamaError::Unreadable {
            path: path.into(),
            source,
        })?;
    Ok((hasher.finalize().to_hex().to_string(), hasher.count()))
}

/// How much of a file to load.
#[derive(Debug, Clone, Copy)]
pub(super) enum Extent {
    /// Metadata and vocabulary only; takes a fraction of a second.
    Vocabulary,
    /// The weights too.
    Weights {
        /// Layers to keep on the GPU.
        gpu_layers: u32,
    },
}

/// Loads a file that has passed [`check`].
pub(super) fn open(path: &Path, extent: Extent) -> Result<LlamaModel, LlamaError> {
    let text = path.to_str().filter(|text| CString::new(*text).is_ok());
    let path_as_text = text.ok_or_else(|| LlamaError::BadPath { path: path.into() })?;
    let load_error = |message: String| LlamaError::Load {
        path: path.into(),
        message,
    };
    let backend = native::backend().map_err(|error| load_error(error.to_string()))?;
    if cfg!(feature = "portable") && list_llama_ggml_backend_devices().is_empty() {
        return Err(LlamaError::NoKernels);
    }
    let params = match extent {
        Extent::Vocabulary => LlamaModelParams::default()
            .with_vocab_only(true)
            .with_n_gpu_layers(0),
        Extent::Weights { gpu_layers } => LlamaModelParams::default().with_n_gpu_layers(gpu_layers),
    };
    native::forget_error();
    let model = LlamaModel::load_from_file(backend, path_as_text, &params)
        .map_err(|error| load_error(native::first_error(error)))?;

    let architecture = meta(&model, "general.architecture").unwrap_or_default();
    if !is_generative(&architecture) {
        return Err(LlamaError::NotGenerative {
            path: path.into(),
            architecture,
        });
    }
    Ok(model)
}

/// Encoders are loaded by llama.cpp without complaint and then abort the process when asked for
/// the next token.
fn is_generative(architecture: &str) -> bool {
    !architecture.contains("bert")
        && !architecture.contains("-embedding")
        && !architecture.starts_with("t5")
        && architecture != "clip"
}

/// The metadata of a loaded file.
pub(super) fn describe(model: &LlamaModel, path: &Path) -> GgufInfo {
    let vocab = model.vocab();
    // llama.cpp throws an exception through us for an id outside the vocabulary.
    let text_of = |token: LlamaToken| {
        (0..vocab.n_tokens())
            .contains(&token.0)
            .then(|| vocab.text(token))
            .flatten()
            .map(|text| text.to_string_lossy().into_owned())
    };
    let architecture = meta(model, "general.architecture").unwrap_or_default();
    let name = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .or_else(|| meta(model, "general.name"))
        .unwrap_or_default();
    GgufInfo {
        quantisation: meta(model, "general.file_type")
            .map_or_else(|| "unknown".to_owned(), |number| quantisation_name(&number)),
        name,
        context_length: meta(model, &format!("{architecture}.context_length"))
            .and_then(|length| length.parse().ok())
            .unwrap_or_else(|| model.n_ctx_train()),
        chat_template: meta(model, "tokenizer.chat_template"),
        bos_token: text_of(vocab.bos()),
        eos_token: text_of(vocab.eos()),
        adds_bos: vocab.should_add_bos(),
    }
}

fn meta(model: &LlamaModel, key: &str) -> Option<String> {
    model.meta_val_str(key).ok()
}

/// Names of `general.file_type`, as llama.cpp's `llama_ftype` numbers them.
fn quantisation_name(number: &str) -> String {
    let name = match number {
        "0" => "F32",
        "1" => "F16",
        "2" => "Q4_0",
        "3" => "Q4_1",
        "7" => "Q8_0",
        "8" => "Q5_0",
        "9" => "Q5_1",
        "10" => "Q2_K",
        "11" => "Q3_K_S",
        "12" => "Q3_K_M",
        "13" => "Q3_K_L",
        "14" => "Q4_K_S",
        "15" => "Q4_K_M",
        "16" => "Q5_K_S",
        "17" => "Q5_K_M",
        "18" => "Q6_K",
        "19" => "IQ2_XXS",
        "20" => "IQ2_XS",
        "21" => "Q2_K_S",
        "22" => "IQ3_XS",
        "23" => "IQ3_XXS",
        "24" => "IQ1_S",
        "25" => "IQ4_NL",
        "26" => "IQ3_S",
        "27" => "IQ3_M",
        "28" => "IQ2_S",
        "29" => "IQ2_M",
        "30" => "IQ4_XS",
        "31" => "IQ1_M",
        "32" => "BF16",
        "36" => "TQ1_0",
        "37" => "TQ2_0",
        "38" => "MXFP4_MOE",
        "39" => "NVFP4",
        other => return format!("file type {other}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_gguf_file_is_named_as_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.gguf");
        assert!(matches!(check(&path), Err(LlamaError::Missing { .. })));
        assert!(matches!(
            check(folder.path()),
            Err(LlamaError::NotAFile { .. })
        ));

        std::fs::write(&path, b"PK\x03\x04 a zip file").unwrap();
        let error = check(&path).unwrap_err().to_string();
        assert!(error.contains(r#"begins with "PK\x03\x04""#), "{error}");

        std::fs::write(&path, b"").unwrap();
        let error = check(&path).unwrap_err().to_string();
        assert!(error.contains("empty"), "{error}");

        std::fs::write(&path, b"GGUF").unwrap();
        check(&path).unwrap();
    }

    #[test]
    fn the_digest_is_that_of_the_whole_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.gguf");
        let content: Vec<u8> = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
        std::fs::write(&path, &content).unwrap();
        assert_eq!(
            digest(&path).unwrap(),
            (blake3::hash(&content).to_hex().to_string(), 300_000)
        );
    }

    #[test]
    fn encoders_are_told_from_generators() {
        for architecture in ["bert", "nomic-bert", "t5", "t5encoder", "gemma-embedding"] {
            assert!(!is_generative(architecture), "{architecture}");
        }
        for architecture in ["llama", "qwen2", "gemma3", "mamba"] {
            assert!(is_generative(architecture), "{architecture}");
        }
    }
}
