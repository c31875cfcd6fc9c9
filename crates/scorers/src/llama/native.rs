//! The two calls into llama.cpp that its Rust binding does not offer: taking over the log, and
//! asking for the instruction set it was compiled for. All unsafe code of this crate is here.
//!
//! The binding can send the log to `tracing` too, but at llama.cpp's own levels. Its warnings
//! and errors concern problems that this crate reports itself, in more useful words. So everything
//! goes to debug and trace, and the first error is kept for the message.

#![allow(
    unsafe_code,
    reason = "a C callback and a C string, neither reachable through the safe binding"
)]

use std::{
    cell::RefCell,
    ffi::{CStr, c_char, c_void},
    sync::OnceLock,
};

use llama_cpp_2::{LlamaCppError, llama_backend::LlamaBackend};

thread_local! {
    /// The first error that llama.cpp logged on this thread since [`forget_error`]. It names the
    /// cause; what follows is its echo.
    static ERROR: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// llama.cpp, set up once per process with its log taken over. It is never torn down, since
/// models of other threads may still be in use.
pub(super) fn backend() -> Result<&'static LlamaBackend, LlamaCppError> {
    static BACKEND: OnceLock<LlamaBackend> = OnceLock::new();
    static SETUP: std::sync::Mutex<()> = std::sync::Mutex::new(());

    if let Some(backend) = BACKEND.get() {
        return Ok(backend);
    }
    let _guard = SETUP
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(backend) = BACKEND.get() {
        return Ok(backend);
    }
    // SAFETY: `on_log` has the signature that llama.cpp asks for, lives as long as the program
    // and needs no data. llama.cpp passes it on to ggml.
    unsafe { llama_cpp_sys_2::llama_log_set(Some(on_log), std::ptr::null_mut()) };
    #[cfg(feature = "portable")]
    super::kernels::load();
    let backend = LlamaBackend::init()?;
    Ok(BACKEND.get_or_init(|| backend))
}

/// Forgets what was logged on this thread so far.
pub(super) fn forget_error() {
    ERROR.set(None);
}

/// The first error of llama.cpp on this thread since [`forget_error`], or `otherwise`.
pub(super) fn first_error(otherwise: impl std::fmt::Display) -> String {
    ERROR.take().unwrap_or_else(|| otherwise.to_string())
}

/// The parts of the instruction set that llama.cpp was compiled to use, such as `AVX2`, with
/// the other switches that move results (`LLAMAFILE`, `REPACK`).
pub(super) fn instruction_set() -> String {
    // SAFETY: the function returns a null-terminated string that llama.cpp owns and keeps until
    // the next call; it is copied before that. The lock keeps other calls of ours away.
    static CALL: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _guard = CALL
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let text = unsafe { llama_cpp_sys_2::llama_print_system_info() };
    if text.is_null() {
        return String::new();
    }
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
    switches_on(&text)
}

/// `CPU : SSE3 = 1 | AVX2 = 0 | REPACK = 1 |` as `CPU: SSE3 REPACK`.
fn switches_on(info: &str) -> String {
    let mut names = Vec::new();
    for part in info.split('|') {
        let (device, switch) = match part.split_once(':') {
            Some((device, switch)) => (Some(device.trim()), switch),
            None => (None, part),
        };
        names.extend(device.map(|device| format!("{device}:")));
        if let Some((name, value)) = switch.split_once('=') {
            match value.trim() {
                "0" => {}
                "1" => names.push(name.trim().to_owned()),
                value => names.push(format!("{}={value}", name.trim())),
            }
        }
    }
    names.join(" ")
}

extern "C" fn on_log(
    level: llama_cpp_sys_2::ggml_log_level,
    text: *const c_char,
    _data: *mut c_void,
) {
    if text.is_null() {
        return;
    }
    // SAFETY: llama.cpp passes a null-terminated string that is valid for this call.
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
    let text = text.trim_end();
    if text.is_empty() {
        return;
    }
    match level {
        llama_cpp_sys_2::GGML_LOG_LEVEL_ERROR => {
            tracing::debug!(target: "llama.cpp", "error: {text}");
            // A thread that is ending has lost its storage.
            let _ = ERROR.try_with(|error| {
                // A callback from C must not panic on a current borrow.
                if let Ok(mut error) = error.try_borrow_mut() {
                    error.get_or_insert_with(|| without_function_name(text).to_owned());
                }
            });
        }
        llama_cpp_sys_2::GGML_LOG_LEVEL_WARN => {
            tracing::debug!(target: "llama.cpp", "warning: {text}");
        }
        _ => tracing::trace!(target: "llama.cpp", "{text}"),
    }
}

/// Removes the name of the C++ function in front.
fn without_function_name(text: &str) -> &str {
    match text.split_once(": ") {
        Some((name, rest)) if !name.is_empty() && !name.contains(' ') => rest.trim(),
        _ => text.trim(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_switches_that_are_on_are_named() {
        let info = "CPU : SSE3 = 1 | AVX2 = 0 | SVE_CNT = 32 | REPACK = 1 | ";
        assert_eq!(switches_on(info), "CPU: SSE3 SVE_CNT=32 REPACK");
        assert_eq!(
            switches_on("CUDA : ARCHS = 890 | CPU : FMA = 1 |"),
            "CUDA: ARCHS=890 CPU: FMA"
        );
    }

    #[test]
    fn the_function_name_is_cut_off_and_nothing_else() {
        assert_eq!(without_function_name("gguf_init: bad magic"), "bad magic");
        assert_eq!(
            without_function_name("error loading model: it is broken"),
            "error loading model: it is broken"
        );
    }

    #[test]
    fn the_backend_can_be_had_again_and_again() {
        assert!(std::ptr::eq(backend().unwrap(), backend().unwrap()));
        assert!(instruction_set().contains("CPU:"));
    }
}
