"""llama.cpp's server from the package `xllamacpp`, under the options of llama-server.

Only the options that measurements need are known. The server stops with SIGTERM or SIGINT.
"""

import argparse
import signal
from pathlib import Path

import xllamacpp

FLASH_ATTENTION = xllamacpp.llama_flash_attn_type
FLASH = {
    "auto": FLASH_ATTENTION.LLAMA_FLASH_ATTN_TYPE_AUTO,
    "off": FLASH_ATTENTION.LLAMA_FLASH_ATTN_TYPE_DISABLED,
    "on": FLASH_ATTENTION.LLAMA_FLASH_ATTN_TYPE_ENABLED,
}

# Sampler settings by the option of llama-server: the field and its type.
SAMPLING = {
    "--repeat-penalty": ("penalty_repeat", float),
    "--presence-penalty": ("penalty_present", float),
    "--frequency-penalty": ("penalty_freq", float),
    "--dynatemp-range": ("dynatemp_range", float),
    "--dry-multiplier": ("dry_multiplier", float),
    "--xtc-probability": ("xtc_probability", float),
    "--xtc-threshold": ("xtc_threshold", float),
    "--typical": ("typ_p", float),
    "--top-nsigma": ("top_n_sigma", float),
    "--mirostat": ("mirostat", int),
}


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="llama_server.py", description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--alias", required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ctx-size", type=int, required=True)
    parser.add_argument("--parallel", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--ubatch-size", type=int)
    parser.add_argument("--flash-attn", choices=FLASH, default="auto")
    for flag, (_, kind) in SAMPLING.items():
        parser.add_argument(flag, type=kind)
    parser.add_argument("--chat-template-file")
    return parser.parse_args()


def parameters(given: argparse.Namespace) -> xllamacpp.CommonParams:
    params = xllamacpp.CommonParams()
    params.model.path = given.model
    params.model_alias = {given.alias}
    params.hostnames = [given.host]
    params.port = given.port
    params.n_ctx = given.ctx_size
    params.n_parallel = given.parallel
    params.cpuparams.n_threads = given.threads
    params.cpuparams_batch.n_threads = given.threads
    params.flash_attn_type = FLASH[given.flash_attn]
    params.n_batch = given.batch_size or params.n_batch
    params.n_ubatch = given.ubatch_size or params.n_ubatch
    for flag, (field, _) in SAMPLING.items():
        value = getattr(given, flag.lstrip("-").replace("-", "_"))
        if value is not None:
            setattr(params.sampling, field, value)
    if given.chat_template_file:
        params.chat_template = Path(given.chat_template_file).read_text()
    return params


if __name__ == "__main__":
    # Before the server's own threads start, which would else inherit the default and end the
    # process in the middle of an answer.
    stopping = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stopping)
    server = xllamacpp.Server(parameters(options()))
    print(f"listening on {server.listening_address}", flush=True)
    signal.sigwait(stopping)
