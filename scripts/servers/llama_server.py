"""llama.cpp's server from the package `xllamacpp`, under the options of llama-server.

Only the options that measurements need are known. The server stops with SIGTERM or SIGINT.
"""

import argparse
import signal

import xllamacpp

FLASH_ATTENTION = xllamacpp.llama_flash_attn_type
FLASH = {
    "auto": FLASH_ATTENTION.LLAMA_FLASH_ATTN_TYPE_AUTO,
    "off": FLASH_ATTENTION.LLAMA_FLASH_ATTN_TYPE_DISABLED,
    "on": FLASH_ATTENTION.LLAMA_FLASH_ATTN_TYPE_ENABLED,
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
    return params


if __name__ == "__main__":
    # Before the server's own threads start, which would else inherit the default and end the
    # process in the middle of an answer.
    stopping = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stopping)
    server = xllamacpp.Server(parameters(options()))
    print(f"listening on {server.listening_address}", flush=True)
    signal.sigwait(stopping)
